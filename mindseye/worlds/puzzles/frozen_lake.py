"""A frozen lake: walk to the goal, and not into a hole. New ice every episode."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.core.tree import Tree
from mindseye.worlds.grids.moves import walk
from mindseye.worlds.puzzles.alphabet import DIRECTIONS, named
from mindseye.worlds.puzzles.boards import (
    AGENT,
    BAD,
    FLOOR,
    GOAL,
    LETTERS,
    NONE,
    UNKNOWN,
    Boards,
    nothing_told,
)
from mindseye.worlds.rules import Draws, Rules

_TRIES = 64


@dataclass(frozen=True)
class LakeState:
    """Ice, holes, goal, walker, and what is told of the last step."""

    ground: np.ndarray
    """uint8 codes `FLOOR`, `BAD`, `GOAL`, shape (rows, size²)."""
    player: np.ndarray
    """int64 cell, shape (rows,)."""
    told: np.ndarray
    """int64, shape (rows, 6)."""


class FrozenLake(Rules):
    """Reach the goal over a lake whose holes end the episode; the goal pays 1.

    Every map is drawn anew and can be solved; 60 to 85 percent of it is ice, start and goal lie
    anywhere. Moves are up, left, down, right, and the border stops.

    Args:
        size: Cells per side, 4 to 6.
        slip: Probability that a move goes off at a right angle instead.
        alphabet: A seed of letters and commands that mean nothing; None: A walks, B is the goal,
            C a hole, D ice, and one says up, left, down, right.
        observation: "text", "symbols" (codes of cells) or "pixels".
        max_steps: Steps until an episode is truncated.

    Raises:
        ConfigError: If an option is impossible.

    Source: after Gymnasium's FrozenLake; letters that tell nothing as in "Cogito, Ergo Ludo"
    (2025), arXiv 2509.25052.
    """

    def __init__(
        self,
        *,
        size: int = 4,
        slip: float = 0.0,
        alphabet: int | None = None,
        observation: str = "text",
        max_steps: int = 30,
    ):
        if not 4 <= size <= 6 or not 0 <= slip <= 1:
            raise ConfigError(
                f"frozen-lake: expected a size of 4 to 6 and a slip in [0, 1], got {size}, {slip}"
            )
        self.boards = Boards(size, named(alphabet, LETTERS[:4], DIRECTIONS), observation)
        self.size, self.slip, self.max_steps = size, slip, max_steps
        self.observation_space = self.boards.observation_space
        self.action_space = self.boards.action_space

    def start(self, draws: Draws) -> LakeState:
        """New ice; the goal is not where one starts, and there is a way."""
        rows, cells = len(draws.keys), self.size**2
        ground = np.full((rows, cells), FLOOR, np.uint8)
        player, goal = np.zeros(rows, np.int64), np.full(rows, cells - 1)
        left = np.arange(rows)
        for attempt in range(_TRIES):
            luck = draws.rows(left).uniform(cells + 3, use=attempt * (cells + 3))
            is_ice = luck[:, 3:] < 0.6 + 0.25 * luck[:, :1]
            start, end = (luck[:, 1:3] * cells).astype(np.int64).T
            every = np.arange(len(left))
            is_ice[every, start] = is_ice[every, end] = True
            steps = distances(is_ice, end)[every, start]
            fits = (steps > 0) & (steps < cells)
            ground[left[fits]] = np.where(is_ice[fits], FLOOR, BAD)
            player[left[fits]], goal[left[fits]] = start[fits], end[fits]
            left = left[~fits]
            if not len(left):
                break
        ground[np.arange(rows), goal] = GOAL
        return LakeState(ground, player, nothing_told(rows))

    def transition(
        self, state: LakeState, action: np.ndarray | list[str], draws: Draws
    ) -> tuple[LakeState, np.ndarray, np.ndarray]:
        """Walk, perhaps slip; end in a hole or at the goal."""
        did = self.boards.moves(action)
        rows, move = np.arange(len(did)), did
        if self.slip:
            luck = draws.uniform(2)
            turned = (did + np.where(luck[:, 1] < 0.5, 1, 3)) % len(DIRECTIONS)
            move = np.where((luck[:, 0] < self.slip) & (did != UNKNOWN), turned, did)
        there = self.boards.step(state.player, move)
        moved = there != state.player
        onto = state.ground[rows, there]
        reward = (onto == GOAL).astype(np.float32)
        ended = (onto == GOAL) | (onto == BAD)
        told = np.stack(
            [
                did,
                np.where(moved, move, NONE),
                onto,
                np.full(len(did), NONE),
                reward.astype(np.int64),
                ended,
            ],
            1,
        )
        return LakeState(state.ground, there, told.astype(np.int64)), reward, ended

    def observe(self, state: LakeState) -> Tree:
        """As the chosen face shows it."""
        below = state.ground[np.arange(len(state.player)), state.player]
        return self.boards.show(self._codes(state), state.told, below)

    def measure(self, state: LakeState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: LakeState) -> np.ndarray:
        """24 pixels per cell."""
        return self.boards.painted(self._codes(state), 24)

    def _codes(self, state: LakeState) -> np.ndarray:
        codes = state.ground.copy()
        codes[np.arange(len(codes)), state.player] = AGENT
        return codes


def distances(is_free: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Steps to the goal over free cells, size² where there is no way; int64 (rows, size²)."""
    rows, cells = is_free.shape
    near = _near(int(np.sqrt(cells)))
    steps = np.full((rows, cells), cells, np.int64)
    steps[np.arange(rows), goal] = 0
    while True:
        closer = 1 + steps[:, near].min(axis=1)
        closer = np.where(is_free, np.minimum(steps, closer), steps)
        if (closer == steps).all():
            return steps
        steps = closer


@cache
def _near(size: int) -> np.ndarray:
    """Where the four moves lead from every cell, shape (4, size²)."""
    cells = np.arange(size * size)
    return np.stack([walk(cells, np.full(len(cells), move), size) for move in range(1, 5)])
