"""Pictures of tables: fields of distances in small windows, thousands of rows at once."""

import math
from functools import lru_cache

import numpy as np

from mindseye.worlds.tabletop.table import GRAINS, Disc, Nature, Table, TableState

COLOURS = {
    "floor": (222, 214, 200),
    "wall": (92, 88, 104),
    "beyond": (36, 36, 44),
    "goal": (84, 176, 92),
    "puck": (214, 66, 54),
    "agent": (44, 92, 214),
}
_GROUND = ("floor", "wall", "beyond")
_WIDEST = 0.4
"""Diameter of the widest disc."""


class Camera:
    """Where from and how much of a table is seen.

    Args:
        table: What is looked at.
        nature: Its light, and the camera's noise.
        size: Pixels per side.
        half: Half the width of what is seen.
        follows: Whether it hangs above the agent, or above the middle.
        is_oblique: Whether it looks from the right-hand side, so that depths are half as long.
    """

    def __init__(
        self,
        table: Table,
        nature: Nature,
        *,
        size: int,
        half: float = 1.0,
        follows: bool = False,
        is_oblique: bool = False,
    ):
        self.table, self.nature = table, nature
        self.size, self.half, self.follows, self.is_oblique = size, half, follows, is_oblique
        self._light = np.asarray(nature.light, np.float32)
        self._squash = 0.5 if is_oblique else 1.0
        self._margin = 3 + math.ceil(_WIDEST * size / half / 2)
        self._still: np.ndarray | None = None

    def picture(self, state: TableState) -> np.ndarray:
        """uint8 (rows, size, size, 3)."""
        frames = self._ground(state)
        for disc in self.table.discs(state):
            self._draw(frames, self._pixels(state, disc.place), disc)
        inner = slice(self._margin, self._margin + self.size)
        frames = np.ascontiguousarray(frames[:, inner, inner])
        return _grainy(frames, state.grain, self.nature.noise)

    def _centre(self, state: TableState) -> np.ndarray:
        return state.place[:, 0] if self.follows else np.zeros((1, 2))

    def _pixels(self, state: TableState, place: np.ndarray) -> np.ndarray:
        """Column and line of places, float64 (rows, 2)."""
        x, y = (place - self._centre(state)).T
        right, up = (y, -x) if self.is_oblique else (x, y)
        across, down = 1 + right / self.half, 1 - up * self._squash / self.half
        return np.stack([across, down], 1) * (self.size / 2)

    def _ground(self, state: TableState) -> np.ndarray:
        """Floor, walls and beyond, with a margin around to draw into."""
        rows = len(state.place)
        if self.follows or not self.table.has_fixed_walls:
            frames = self._bare(state)
            return frames if len(frames) == rows else np.repeat(frames, rows, axis=0)
        if self._still is None:
            self._still = self._bare(state)[:1]
        return np.repeat(self._still, rows, axis=0)

    def _bare(self, state: TableState) -> np.ndarray:
        middle = np.arange(-self._margin, self.size + self._margin) + 0.5
        middle = middle * 2 / self.size - 1
        right, up = middle * self.half, -middle * self.half / self._squash
        x, y = (-up, right) if self.is_oblique else (right, up)
        centre = self._centre(state)
        x, y = x + centre[:, :1], y + centre[:, 1:]
        beyond = (np.abs(x) > 1)[:, None] | (np.abs(y) > 1)[:, :, None]
        kind = np.where(beyond, 2, self.table.walls(state, x, y)).astype(np.uint8)
        if self.is_oblique:
            kind = kind.transpose(0, 2, 1)
        palette = (np.array([COLOURS[name] for name in _GROUND]) * self._light).astype(np.uint8)
        # several times faster than palette[kind]
        return palette.take(kind, axis=0)

    def _draw(self, frames: np.ndarray, at: np.ndarray, disc: Disc) -> None:
        """Blend a disc into padded frames, in place; only a window around it is touched."""
        scale = self.size / 2 / self.half
        wide, high = disc.radius * scale, disc.radius * scale * self._squash
        margin = self._margin
        window = math.ceil(2 * wide * (3 if disc.is_blurred else 1)) + 3
        first = np.floor(at - window / 2).astype(np.int64) + margin
        first = np.clip(first, 0, frames.shape[1] - window)
        columns, lines = (first[:, axis, None] + np.arange(window) for axis in (0, 1))
        dx = ((columns - margin + 0.5 - at[:, :1]) / wide)[:, None]
        dy = ((lines - margin + 0.5 - at[:, 1:]) / high)[:, :, None]
        if disc.is_blurred:
            cover = np.exp(-dx * dx / 2) * np.exp(-dy * dy / 2)
        else:
            cover = np.clip((1 - np.sqrt(dx * dx + dy * dy)) * high + 0.5, 0, 1)
        rows = np.arange(len(frames))[:, None, None]
        where = rows, lines[:, :, None], columns[:, None]
        colour = np.asarray(COLOURS[disc.colour], np.float32) * self._light
        patch = frames[where].astype(np.float32)
        patch += cover[..., None].astype(np.float32) * (colour - patch)
        frames[where] = (patch + 0.5).astype(np.uint8)


@lru_cache(maxsize=8)
def _strip(numbers: int, most: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(-most, most + 1, GRAINS + numbers, dtype=np.int16)


def _grainy(frames: np.ndarray, grain: np.ndarray, most: int) -> np.ndarray:
    """Frames under noise: a window into one long strip of it, another for every row and step."""
    if most == 0:
        return frames
    numbers = frames[0].size
    strip = _strip(numbers, most)
    windows = np.lib.stride_tricks.sliding_window_view(strip, numbers)
    added = frames.reshape(len(frames), -1) + windows[grain]
    return np.clip(added, 0, 255).astype(np.uint8).reshape(frames.shape)
