"""Walking on an open square of cells, number y · size + x."""

import numpy as np

NUM_MOVES = 5
STAY, UP, LEFT, DOWN, RIGHT = range(NUM_MOVES)
_ACROSS, _DOWNWARDS = np.array([0, 0, -1, 0, 1]), np.array([0, -1, 0, 1, 0])


def walk(cell: np.ndarray, action: np.ndarray, size: int) -> np.ndarray:
    """Cells one move further, shape (rows,); the border stops."""
    y, x = np.divmod(cell, size)
    x = np.clip(x + _ACROSS[action], 0, size - 1)
    y = np.clip(y + _DOWNWARDS[action], 0, size - 1)
    return y * size + x
