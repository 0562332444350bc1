"""Sokoban with one box: push it home, for it cannot be pulled."""

from dataclasses import dataclass

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.core.tree import Tree
from mindseye.worlds.puzzles.alphabet import DIRECTIONS, named
from mindseye.worlds.puzzles.boards import (
    AGENT,
    BAD,
    BOX,
    FLOOR,
    GOAL,
    LETTERS,
    NONE,
    Boards,
    nothing_told,
)
from mindseye.worlds.puzzles.levels import levels
from mindseye.worlds.rules import Draws, Rules


@dataclass(frozen=True)
class SokobanState:
    """Walls and goal, player and box, and what is told of the last step."""

    ground: np.ndarray
    """uint8 codes `FLOOR`, `BAD` (walls), `GOAL`, shape (rows, size²)."""
    player: np.ndarray
    """int64 cell, shape (rows,)."""
    box: np.ndarray
    """int64 cell, shape (rows,)."""
    told: np.ndarray
    """int64, shape (rows, 6)."""


class Sokoban(Rules):
    """Walk into the box to push it; once it stands on the goal, 1 is paid and the episode ends.

    Levels come from a pool of 1024, all of which can be solved. Moves are up, left, down, right;
    walls stop both the player and the box.

    Args:
        size: Cells per side, the frame of walls included, 6 or 7.
        longest: Steps of the longest solution, 2 to 40.
        alphabet: A seed of letters and commands that mean nothing; None: A walks, B is the goal,
            C a wall, D floor, E the box, and one says up, left, down, right.
        observation: "text", "symbols" (codes of cells) or "pixels".
        max_steps: Steps until an episode is truncated.

    Raises:
        ConfigError: If an option is impossible.

    Source: the game of Imabayashi (1981); letters that tell nothing as in "Cogito, Ergo Ludo"
    (2025), arXiv 2509.25052.
    """

    def __init__(
        self,
        *,
        size: int = 6,
        longest: int = 12,
        alphabet: int | None = None,
        observation: str = "text",
        max_steps: int = 40,
    ):
        if size not in (6, 7) or not 2 <= longest <= 40:
            raise ConfigError(
                f"sokoban: expected a size of 6 or 7 and a longest solution of 2 to 40 steps, got"
                f" {size} and {longest}"
            )
        self.boards = Boards(size, named(alphabet, LETTERS, DIRECTIONS), observation)
        self.size, self.longest, self.max_steps = size, longest, max_steps
        self.observation_space = self.boards.observation_space
        self.action_space = self.boards.action_space

    def start(self, draws: Draws) -> SokobanState:
        """A level from the pool."""
        is_wall, goal, player, box = levels(self.size, self.longest)
        which = draws.integers(len(goal), 1)[:, 0]
        ground = np.where(is_wall[which], BAD, FLOOR).astype(np.uint8)
        ground[np.arange(len(which)), goal[which]] = GOAL
        return SokobanState(ground, player[which], box[which], nothing_told(len(which)))

    def transition(
        self, state: SokobanState, action: np.ndarray | list[str], draws: Draws
    ) -> tuple[SokobanState, np.ndarray, np.ndarray]:
        """Walk or push where nothing is in the way."""
        did = self.boards.moves(action)
        rows = np.arange(len(did))
        there = self.boards.step(state.player, did)
        beyond = self.boards.step(state.box, did)
        pushes = there == state.box
        free = state.ground[rows, there] != BAD
        free &= ~pushes | (state.ground[rows, beyond] != BAD)
        moved = free & (there != state.player)
        player = np.where(moved, there, state.player)
        pushed = moved & pushes
        box = np.where(pushed, beyond, state.box)
        ended = pushed & (state.ground[rows, box] == GOAL)
        under = state.ground.astype(np.int64)
        told = np.stack(
            [
                did,
                np.where(moved, did, NONE),
                under[rows, player],
                np.where(pushed, under[rows, box], NONE),
                ended,
                ended,
            ],
            1,
        )
        return SokobanState(state.ground, player, box, told), ended.astype(np.float32), ended

    def observe(self, state: SokobanState) -> Tree:
        """As the chosen face shows it."""
        below = state.ground[np.arange(len(state.player)), state.player]
        return self.boards.show(self._codes(state), state.told, below)

    def measure(self, state: SokobanState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: SokobanState) -> np.ndarray:
        """24 pixels per cell."""
        return self.boards.painted(self._codes(state), 24)

    def _codes(self, state: SokobanState) -> np.ndarray:
        codes, rows = state.ground.copy(), np.arange(len(state.player))
        codes[rows, state.box] = BOX
        codes[rows, state.player] = AGENT
        return codes
