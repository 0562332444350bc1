"""Frames of whole grids that are repainted only where something changed."""

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids.dynamics import GridState
from mindseye.worlds.grids.tiles import NUM_LOOKS, tiles


class Canvas:
    """Paints states of one level; remembers what hangs there, so most steps cost two tiles a row.

    Args:
        width, height: Cells.
        side: Pixels of the square frame; what whole tiles leave over stays black.
    """

    def __init__(self, width: int, height: int, side: int):
        self._width, self._height, self._side = width, height, side
        self._tile = side // max(width, height)
        if self._tile < 2:
            raise ConfigError(
                f"canvas: {width} x {height} cells do not fit into {side} pixels; shrink it"
            )
        self._tiles = tiles(self._tile).reshape(-1, self._tile, self._tile * 3)
        self._painted = np.zeros((0, 0), np.uint16)
        self._frames = np.zeros((0, side, side, 3), np.uint8)

    def paint(self, state: GridState) -> np.ndarray:
        """Frames of all rows, uint8, shape (rows, side, side, 3), in an array of their own."""
        rows = np.arange(len(state.position))
        looks = state.cells[:, :-1] * np.uint16(NUM_LOOKS)
        looks[rows, state.position] += (state.direction + 1).astype(np.uint16)
        if looks.shape != self._painted.shape:
            self._painted = np.full_like(looks, 256 * NUM_LOOKS)
            self._frames = np.zeros((len(rows), self._side, self._side, 3), np.uint8)
        changed = np.flatnonzero(looks != self._painted)
        row, cell = np.divmod(changed, looks.shape[1])
        y, x = np.divmod(cell, self._width)
        self._squares()[row, y, :, x] = self._ink(looks.ravel()[changed])
        self._painted = looks
        return self._frames.copy()

    def _ink(self, looks: np.ndarray) -> np.ndarray:
        line = np.dtype((np.void, self._tile * 3))
        return self._tiles.view(line)[..., 0][looks]

    def _squares(self) -> np.ndarray:
        """The frames as whole lines of tiles, shape (rows, height, tile, width)."""
        high, wide = self._height * self._tile, self._width * self._tile
        top, left = (self._side - high) // 2, (self._side - wide) // 2
        lines = self._frames.reshape(len(self._frames), self._side, self._side * 3)
        inside = lines[:, top : top + high, left * 3 : (left + wide) * 3]
        inside = inside.view(np.dtype((np.void, self._tile * 3)))
        return inside.reshape(len(lines), self._height, self._tile, self._width)
