"""The state of a grid, and the pure function that moves it on."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mindseye.worlds.grids.objects import (
    DONE,
    FORWARD,
    IS_GOAL,
    IS_LAVA,
    IS_WALKABLE,
    PICK_UP,
    SCREENS,
    handle,
)
from mindseye.worlds.rules.randomness import Draws

_TURN = np.array([-1, 1, 0, 0, 0, 0, 0])
"""Quarter turns per action."""


@dataclass(frozen=True)
class GridState:
    """Everything there is, one row per world. Cell (x, y) has number y · width + x."""

    cells: np.ndarray
    """uint8 objects, shape (rows, width · height + 1); the last one is all that lies outside."""
    position: np.ndarray
    """int64 cell of the agent."""
    direction: np.ndarray
    """int64: 0 east, 1 south, 2 west, 3 north."""
    carried: np.ndarray
    """uint8 object; 0 is nothing."""
    steps: np.ndarray
    """int64 since the episode started."""
    target: np.ndarray
    """uint8 object to fetch, where the level asks for one."""
    phrase: np.ndarray
    """uint8: how the request is worded."""
    right_cell: np.ndarray
    """int64: standing here is success, where the level has such a place; else -1."""
    wrong_cell: np.ndarray
    """int64: standing here is failure; else -1."""
    screen: np.ndarray
    """int64: cell of the television, where there is one; else -1."""


@dataclass(frozen=True, eq=False)
class Level:
    """A kind of grid: how its episodes start, and which laws beyond the common ones hold in it."""

    name: str
    width: int
    height: int
    max_steps: int
    generate: Callable[[np.random.Generator, int], GridState]
    """Starts of as many episodes as asked for."""
    wants_object: bool = False
    """An episode ends with the first object picked up; the target is success."""
    wants_place: bool = False
    """An episode ends on `right_cell` (success) or `wrong_cell`."""
    has_screen: bool = False
    """A television shows another random colour each step."""
    has_lava: bool = False
    is_lava_deadly: bool = True
    can_carry: bool = True
    strides: np.ndarray = field(init=False)
    """From a cell to the one ahead, per direction."""

    def __post_init__(self):
        strides = np.array([1, self.width, -1, -self.width])
        object.__setattr__(self, "strides", strides)


def transition(
    level: Level, state: GridState, action: np.ndarray, draws: Draws
) -> tuple[GridState, np.ndarray, np.ndarray]:
    """The world one step later.

    Success pays 1 − 0.9 · steps / max_steps, anything else 0, as in MiniGrid.

    Args:
        level: Which laws hold.
        state: Left as it is.
        action: 0 left, 1 right, 2 forward, 3 pick up, 4 drop, 5 toggle, 6 done; shape (rows,).
        draws: Used by the television alone.

    Returns:
        The next state, the reward (float32) and whether the episode terminated.
    """
    rows = np.arange(len(action))
    front = state.position + level.strides.take(state.direction)
    ahead = state.cells[rows, front]
    moved = (action == FORWARD) & IS_WALKABLE.take(ahead)
    if not level.can_carry:
        action = np.where(action == PICK_UP, DONE, action)
    changed, carried = handle(action, state.carried, ahead)
    cells = state.cells.copy()
    cells[rows, front] = changed
    if level.has_screen:
        cells[rows, state.screen] = SCREENS[draws.integers(len(SCREENS), 1)[:, 0]]
    after = GridState(
        cells=cells,
        position=np.where(moved, front, state.position),
        direction=(state.direction + _TURN.take(action)) & 3,
        carried=carried,
        steps=state.steps + 1,
        target=state.target,
        phrase=state.phrase,
        right_cell=state.right_cell,
        wrong_cell=state.wrong_cell,
        screen=state.screen,
    )
    success, failure = _outcome(level, after, moved, ahead)
    reward = np.where(success, 1 - 0.9 * after.steps / level.max_steps, 0).astype(np.float32)
    return after, reward, success | failure


def _outcome(
    level: Level, after: GridState, moved: np.ndarray, entered: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    success = moved & IS_GOAL.take(entered)
    failure = np.zeros_like(success)
    if level.has_lava and level.is_lava_deadly:
        failure = moved & IS_LAVA.take(entered)
    if level.wants_place:
        success = success | (after.position == after.right_cell)
        failure = failure | (after.position == after.wrong_cell)
    if level.wants_object:
        success = success | (after.carried == after.target)
        failure = failure | ((after.carried != 0) & (after.carried != after.target))
    return success, failure
