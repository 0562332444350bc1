"""Pictures of cells, drawn from formulas at any size."""

from functools import cache

import numpy as np

from mindseye.worlds.grids.colours import PALETTE
from mindseye.worlds.grids.objects import DOOR_STATES, TRIPLES, TYPES

_FINE = 8
"""Samples per pixel and axis, averaged against jagged edges."""
_LAVA, _RED = (255, 120, 0), (255, 30, 30)
NUM_LOOKS = 5
"""A cell by itself, or with the agent on it facing one of four ways."""


@cache
def tiles(size: int) -> np.ndarray:
    """Every object, bare and under the agent, uint8, shape (256 · 5, size, size, 3).

    Picture `code` · 5 is bare; + 1 + direction has the agent on it.
    """
    pictures = np.zeros((256 * NUM_LOOKS, size, size, 3), np.uint8)
    for code in range(len(TYPES) * 18):
        fine = _object(size * _FINE, code)
        pictures[code * NUM_LOOKS] = _shrink(fine)
        for direction in range(4):
            x, y = _axes(size * _FINE)
            # Turning the picture back is turning the agent forth.
            ahead, side = ((x, y), (y, 1 - x), (1 - x, y), (1 - y, x))[direction]
            arrow = (ahead > 0.15) & (np.abs(side - 0.5) < 0.4 * (0.9 - ahead) / 0.75)
            painted = np.where(arrow[..., None], np.array(_RED, np.uint8), fine)
            pictures[code * NUM_LOOKS + 1 + direction] = _shrink(painted)
    return pictures


def _axes(size: int) -> tuple[np.ndarray, np.ndarray]:
    middle = (np.arange(size) + 0.5) / size
    return np.broadcast_to(middle, (size, size)), np.broadcast_to(middle[:, None], (size, size))


def _shrink(fine: np.ndarray) -> np.ndarray:
    size = len(fine) // _FINE
    return fine.reshape(size, _FINE, size, _FINE, 3).mean(axis=(1, 3)).astype(np.uint8)


def _object(size: int, code: int) -> np.ndarray:
    kind, colour, state = TRIPLES[code]
    x, y = _axes(size)
    name, paint = TYPES[kind], PALETTE[colour]
    picture = np.zeros((size, size, 3), np.uint8)
    picture[(x < 0.04) | (y < 0.04)] = 60
    if name in ("wall", "goal"):
        picture[:] = paint
    elif name == "floor":
        picture[:] = paint // 2
    elif name == "lava":
        picture[:] = _LAVA
        picture[np.abs((y * 3) % 1 - 0.5 + 0.2 * np.sin(x * 12)) < 0.1] = 0
    elif name == "ball":
        picture[np.hypot(x - 0.5, y - 0.5) < 0.32] = paint
    elif name == "box":
        edge = np.maximum(np.abs(x - 0.5), np.abs(y - 0.5))
        picture[edge < 0.5] = paint // 3
        picture[edge < 0.38] = paint
    elif name == "key":
        picture[_key(x, y)] = paint
    elif name == "door":
        picture[_door(x, y, DOOR_STATES[state])] = paint
    return picture


def _key(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from_bow = np.hypot(x - 0.55, y - 0.28)
    ring = (from_bow < 0.2) & (from_bow > 0.08)
    stem = (np.abs(x - 0.55) < 0.07) & (y > 0.4) & (y < 0.9)
    teeth = (x > 0.35) & (x < 0.55) & ((np.abs(y - 0.62) < 0.05) | (np.abs(y - 0.84) < 0.05))
    return ring | stem | teeth


def _door(x: np.ndarray, y: np.ndarray, state: str) -> np.ndarray:
    edge = np.maximum(np.abs(x - 0.5), np.abs(y - 0.5))
    if state == "open":
        return x > 0.86
    frame = edge > 0.38
    if state == "closed":
        return frame | (np.hypot(x - 0.7, y - 0.5) < 0.1)
    return frame | (edge < 0.2)
