"""ProcMaze, a new maze every episode, and OpenGrid, the same errand without walls."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from gymnasium.spaces import Discrete, MultiBinary

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids.colours import PALETTE, enlarge
from mindseye.worlds.grids.moves import NUM_MOVES, walk
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules

POOL_SIZE = 4096
"""Different mazes kept per size; start and goal are drawn apart from them."""
_PLAYER, _GOAL, _WALL, _EMPTY = range(4)


@dataclass(frozen=True)
class MazeState:
    """Where the walls, the goal and the player are."""

    is_wall: np.ndarray
    """bool, shape (rows, cells)."""
    goal: np.ndarray
    """int64 cell, shape (rows,)."""
    player: np.ndarray
    """int64 cell, shape (rows,)."""


class ProcMaze(Rules):
    """Find the goal in a maze that was never seen. Every step costs 1 until the episode ends.

    An episode terminates on the step *after* the goal was reached, whatever that step does. Each
    step puts the player on the goal with probability 0.1 / ((size + 1) ⌈size / 2⌉ − size mod 2).
    Actions: 0 stay, 1 up, 2 left, 3 down, 4 right. The observation is size × size cells of four
    bits: player, goal, wall, empty.

    Source: Young, Ramesh, Kirsch and Schmidhuber (2022), arXiv 2211.02222. Differs: mazes come
    from a pool of `POOL_SIZE`.
    """

    max_steps = None

    def __init__(self, size: int = 4):
        if not 2 <= size <= 15:
            raise ConfigError(f"proc-maze: expected a size from 2 to 15, got {size}")
        self.size = size
        self._luck = 0.1 / ((size + 1) * -(-size // 2) - size % 2)
        self.observation_space = MultiBinary(size**2 * 4)
        self.action_space = Discrete(NUM_MOVES)

    def start(self, draws: Draws) -> MazeState:
        """A maze, and start and goal anywhere in it, perhaps on the same cell."""
        luck = draws.uniform(3)
        maze = (luck[:, 0] * POOL_SIZE).astype(np.int64)
        is_wall, (free, num_free) = mazes(self.size)[maze], _free_cells(self.size)
        places = (luck[:, 1:] * num_free[maze, None]).astype(np.int64)
        player, goal = free[maze[:, None], places].T.copy()
        return MazeState(is_wall, goal, player)

    def transition(
        self, state: MazeState, action: np.ndarray, draws: Draws
    ) -> tuple[MazeState, np.ndarray, np.ndarray]:
        """Walk unless there is a wall; end if the goal had been reached."""
        rows = np.arange(len(state.player))
        terminated = state.player == state.goal
        there = walk(state.player, action, self.size)
        player = np.where(state.is_wall[rows, there], state.player, there)
        player = np.where(draws.chance(self._luck), state.goal, player)
        reward = np.full(len(rows), -1, np.float32)
        return MazeState(state.is_wall, state.goal, player), reward, terminated

    def observe(self, state: MazeState) -> np.ndarray:
        """Bits, int8, shape (rows, size² · 4)."""
        rows = np.arange(len(state.player))
        bits = np.zeros((*state.is_wall.shape, 4), np.int8)
        bits[..., _WALL] = state.is_wall
        bits[..., _EMPTY] = ~state.is_wall
        bits[rows, state.goal, _GOAL] = 1
        bits[rows, state.player, _PLAYER] = 1
        return bits.reshape(len(rows), -1)

    def measure(self, state: MazeState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: MazeState) -> np.ndarray:
        """Walls grey, goal green, player red."""
        rows = np.arange(len(state.player))
        cells = np.where(state.is_wall[..., None], PALETTE[5], np.uint8(0))
        cells[rows, state.goal] = PALETTE[1]
        cells[rows, state.player] = PALETTE[0]
        return enlarge(cells.reshape(len(rows), self.size, self.size, 3), 12)


@dataclass(frozen=True)
class OpenState:
    """Where the player is."""

    player: np.ndarray
    """int64 cell, shape (rows,)."""


class OpenGrid(Rules):
    """Reach the far corner of an empty field: there is nothing to recombine here.

    As `ProcMaze`, but without walls, with the goal always in the last corner and the player as the
    only thing seen. The player is put on the goal with probability 0.1 / size.

    Source: Young, Ramesh, Kirsch and Schmidhuber (2022), arXiv 2211.02222. Differs: nothing.
    """

    max_steps = None

    def __init__(self, size: int = 4):
        if size < 2:
            raise ConfigError(f"open-grid: expected a size of at least 2, got {size}")
        self.size, self._goal = size, size**2 - 1
        self.observation_space = MultiBinary(size**2)
        self.action_space = Discrete(NUM_MOVES)

    def start(self, draws: Draws) -> OpenState:
        """Anywhere."""
        return OpenState(draws.integers(self.size**2, 1)[:, 0])

    def transition(
        self, state: OpenState, action: np.ndarray, draws: Draws
    ) -> tuple[OpenState, np.ndarray, np.ndarray]:
        """Walk; end if the goal had been reached."""
        terminated = state.player == self._goal
        player = walk(state.player, action, self.size)
        player = np.where(draws.chance(0.1 / self.size), self._goal, player)
        return OpenState(player), np.full(len(player), -1, np.float32), terminated

    def observe(self, state: OpenState) -> np.ndarray:
        """The player's cell as bits, int8, shape (rows, size²)."""
        return (state.player[:, None] == np.arange(self.size**2)).astype(np.int8)

    def measure(self, state: OpenState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: OpenState) -> np.ndarray:
        """Goal green, player red."""
        cells = np.zeros((len(state.player), self.size**2, 3), np.uint8)
        cells[:, self._goal] = PALETTE[1]
        cells[np.arange(len(cells)), state.player] = PALETTE[0]
        return enlarge(cells.reshape(len(cells), self.size, self.size, 3), 12)


@cache
def mazes(size: int) -> np.ndarray:
    """`POOL_SIZE` mazes as walls, bool, shape (mazes, size²).

    Depth first: from a random cell, open a random closed neighbour that touches no other open cell;
    go back where there is none.
    """
    rng, count, cells = np.random.default_rng(20221103), POOL_SIZE, size**2
    rows, near = np.arange(count), _neighbours(size)
    is_open = np.zeros((count, cells + 1), bool)
    path = np.zeros((count, cells), np.int64)
    path[:, 0] = rng.integers(0, cells, count)
    is_open[rows, path[:, 0]] = True
    depth = np.ones(count, np.int64)
    while depth.any():
        options = near[path[rows, np.maximum(depth - 1, 0)]]
        touching = is_open[rows[:, None, None], near[options]].sum(axis=-1)
        may = ~is_open[rows[:, None], options] & (touching == 1) & (options < cells)
        may &= depth[:, None] > 0
        pick = np.argmax(may * (rng.random(may.shape) + 1), axis=1)
        going = may.any(axis=1)
        chosen = options[rows, pick][going]
        is_open[rows[going], chosen] = True
        path[rows[going], depth[going]] = chosen
        depth = np.where(going, depth + 1, np.maximum(depth - 1, 0))
    return ~is_open[:, :cells]


@cache
def _free_cells(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of every maze, the open ones first, and how many those are."""
    is_wall = mazes(size)
    return np.argsort(is_wall, axis=1, kind="stable"), (~is_wall).sum(axis=1)


def _neighbours(size: int) -> np.ndarray:
    """Cells above, left, below and right, shape (cells + 1, 4); `cells` stands for outside."""
    cells = np.arange(size**2)
    near = np.stack([walk(cells, np.full(size**2, move), size) for move in range(1, 5)], axis=1)
    near = np.where(near == cells[:, None], size**2, near)
    return np.concatenate([near, np.full((1, 4), size**2)])
