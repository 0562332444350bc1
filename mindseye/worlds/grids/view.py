"""What the agent sees: seven by seven cells before it, less what walls and shut doors hide.

The view and its shadows are MiniGrid's, cell by cell. Shadows spread row by row from the agent, and
what one row of seven does is a function of 14 bits, so it is looked up.
"""

from functools import cache

import numpy as np

from mindseye.worlds.grids.dynamics import GridState
from mindseye.worlds.grids.objects import EMPTY, IS_OPAQUE

SIDE = 7
_MIDDLE, _NEAREST = SIDE // 2, SIDE - 1
_AGENT = _MIDDLE * SIDE + _NEAREST
"""The agent's own cell: the middle of the nearest row."""

_OPAQUE = IS_OPAQUE.astype(np.float32)
_PACK = np.kron(2.0 ** np.arange(SIDE)[:, None], np.eye(SIDE)).astype(np.float32)


def look(state: GridState, width: int, height: int) -> np.ndarray:
    """Objects in view as bytes, shape (rows, 7, 7), indexed [column, row] from the far left.

    The agent's own cell shows what it carries. Hidden cells are 0.
    """
    table = _cells_in_view(width, height)
    cells = table.take(state.direction * (width * height) + state.position, axis=0)
    cells += np.arange(len(cells))[:, None] * state.cells.shape[1]
    seen = state.cells.ravel().take(cells)
    visible = _visible(seen)
    seen[:, _AGENT] = np.where(state.carried == 0, EMPTY, state.carried)
    # What is hidden becomes 0, the byte of the unseen.
    return seen.reshape(visible.shape) * visible


@cache
def _cells_in_view(width: int, height: int) -> np.ndarray:
    """Cell numbers, shape (4 · cells, 49), for every direction and position; outside is last."""
    y, x = np.divmod(np.arange(width * height), width)
    column, row = np.divmod(np.arange(SIDE * SIDE), SIDE)
    sideways, ahead = column - _MIDDLE, _NEAREST - row
    tables = []
    for forward_x, forward_y in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        to_x = x[:, None] + ahead * forward_x - sideways * forward_y
        to_y = y[:, None] + ahead * forward_y + sideways * forward_x
        inside = (to_x >= 0) & (to_x < width) & (to_y >= 0) & (to_y < height)
        tables.append(np.where(inside, to_y * width + to_x, width * height))
    return np.concatenate(tables)


def _visible(seen: np.ndarray) -> np.ndarray:
    """Which cells of views (rows, 49) are lit: uint8 ones and zeros, shape (rows, 7, 7)."""
    # One product packs the opaque cells of every row into seven bits.
    questions = (_OPAQUE.take(seen) @ _PACK).T.astype(np.int64, order="C")
    lit, beam = _spread()
    questions[_NEAREST] += 1 << _MIDDLE << SIDE
    for row in range(_NEAREST, 0, -1):
        questions[row - 1] += beam.take(questions[row])
    bits = lit.take(questions).T
    return (bits[:, None] >> np.arange(SIDE, dtype=np.uint8)[:, None]) & np.uint8(1)


@cache
def _spread() -> tuple[np.ndarray, np.ndarray]:
    """What light does in a row of seven cells; questions are lit bits << 7 | opaque bits.

    Returns:
        Which cells of the row are lit in the end (uint8), and the lit bits of the next question.
    """
    lit, beam = np.zeros((2, 1 << 2 * SIDE), np.int64)
    for question in range(len(lit)):
        here, opaque, above = question >> SIDE, question & 127, 0
        for places, step in ((range(SIDE - 1), 1), (range(SIDE - 1, 0, -1), -1)):
            for place in places:
                if here >> place & 1 and not opaque >> place & 1:
                    here |= 1 << place + step
                    above |= 1 << place | 1 << place + step
        lit[question], beam[question] = here, above << SIDE
    return lit.astype(np.uint8), beam
