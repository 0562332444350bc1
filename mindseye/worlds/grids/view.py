"""What the agent sees: seven by seven cells before it, less what walls and shut doors hide.

The view and its shadows are MiniGrid's, cell by cell. Shadows spread row by row from the agent, and
what one row of seven does is a function of 14 bits, so it is looked up.
"""

from functools import cache

import numpy as np

from mindseye.worlds.grids.dynamics import GridState
from mindseye.worlds.grids.objects import EMPTY, IS_OPAQUE, UNSEEN

SIDE = 7
_AGENT = (SIDE // 2, SIDE - 1)
"""The agent stands in the middle of the nearest row, at [column, row] of its own view."""


def look(state: GridState, width: int, height: int) -> np.ndarray:
    """Objects in view as bytes, shape (rows, 7, 7), indexed [column, row] from the far left.

    The agent's own cell shows what it carries. Hidden cells are 0.
    """
    rows = np.arange(len(state.position))[:, None] * state.cells.shape[1]
    cells = _cells_in_view(width, height)[state.direction * (width * height) + state.position]
    seen = state.cells.ravel().take(cells + rows).reshape(-1, SIDE, SIDE)
    visible = _visible(IS_OPAQUE[seen])
    seen[:, *_AGENT] = np.where(state.carried == 0, EMPTY, state.carried)
    return np.where(visible, seen, np.uint8(UNSEEN))


@cache
def _cells_in_view(width: int, height: int) -> np.ndarray:
    """Cell numbers, shape (4 · cells, 49), for every direction and position; outside is last."""
    y, x = np.divmod(np.arange(width * height), width)
    column, row = np.divmod(np.arange(SIDE * SIDE), SIDE)
    sideways, ahead = column - _AGENT[0], _AGENT[1] - row
    tables = []
    for forward_x, forward_y in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        to_x = x[:, None] + ahead * forward_x - sideways * forward_y
        to_y = y[:, None] + ahead * forward_y + sideways * forward_x
        inside = (to_x >= 0) & (to_x < width) & (to_y >= 0) & (to_y < height)
        tables.append(np.where(inside, to_y * width + to_x, width * height))
    return np.concatenate(tables)


def _visible(opaque: np.ndarray) -> np.ndarray:
    """Which cells of views are lit, shape (rows, column, row), bool."""
    table = _spread()
    walls = np.packbits(opaque, axis=1, bitorder="little")[:, 0].astype(np.int64)
    lit = np.zeros(walls.shape, np.uint8)
    beam = np.full(len(opaque), 1 << _AGENT[0], np.int64)
    for row in reversed(range(SIDE)):
        both = table[(beam << SIDE) + walls[:, row]]
        lit[:, row] = both & 127
        beam = both >> SIDE
    return np.unpackbits(lit[:, None], axis=1, count=SIDE, bitorder="little").astype(bool)


@cache
def _spread() -> np.ndarray:
    """For every (lit, opaque) row of seven bits: lit cells there, and above them the next row's."""
    table = np.zeros(1 << 2 * SIDE, np.int64)
    for question in range(len(table)):
        lit, opaque, beam = question >> SIDE, question & 127, 0
        for places, step in ((range(SIDE - 1), 1), (range(SIDE - 1, 0, -1), -1)):
            for place in places:
                if lit >> place & 1 and not opaque >> place & 1:
                    lit |= 1 << place + step
                    beam |= 1 << place | 1 << place + step
        table[question] = beam << SIDE | lit
    return table
