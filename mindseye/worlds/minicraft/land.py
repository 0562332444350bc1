"""Lands to begin on: a pool per kind, laid out once."""

from functools import cache

import numpy as np

from mindseye.worlds.minicraft.technology import Technology

POOL_SIZE = 2048


@cache
def yards(size: int, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """A few of each kind of thing on open ground: terrain (pool, cells) and player (pool,).

    The kinds have codes from 2: trees and stones in `BASIC`.
    """
    rng = np.random.default_rng(20230117)
    terrain = np.zeros((POOL_SIZE, size * size), np.uint8)
    many = max(2, size * size // (6 * kinds))
    order = np.argsort(rng.random(terrain.shape), axis=1)
    rows = np.arange(POOL_SIZE)[:, None]
    for kind in range(kinds):
        terrain[rows, order[:, 1 + kind * many : 1 + (kind + 1) * many]] = 2 + kind
    return terrain, order[:, 0]


@cache
def wilds(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Meadows, woods, lakes with beaches, and mountains with ores: terrain and player.

    Codes are those of `FULL`.
    """
    rng, count = np.random.default_rng(20230118), 256
    height, wet = (_hills(rng, count, size) for _ in range(2))
    luck = rng.random((count, size, size))
    terrain = np.zeros((count, size, size), np.uint8)
    terrain[(wet > 0.35) & (luck < 0.35)] = 2
    terrain[wet < -1.0] = 5
    terrain[wet < -1.2] = 6
    mountain = height > 0.7
    terrain[mountain] = 3
    terrain[mountain & (luck < 0.12)] = 7
    terrain[mountain & (luck > 0.92)] = 8
    terrain[mountain & (height > 1.3) & (luck > 0.98)] = 10
    middle = size // 2
    terrain[:, middle - 1 : middle + 2, middle - 1 : middle + 2] = 0
    return terrain.reshape(count, -1), np.full(count, middle * size + middle)


def _hills(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Smooth noise of unit variance, shape (count, size, size)."""
    waves = rng.normal(size=(count, size, size)) + 1j * rng.normal(size=(count, size, size))
    away = np.fft.fftfreq(size) * size
    distance = np.hypot(away[:, None], away)
    waves *= np.where(distance > 0, (1 + distance) ** -1.8, 0)
    hills = np.fft.ifft2(waves).real
    return hills / hills.std(axis=(1, 2), keepdims=True)


def land(technology: Technology, size: int, *, is_wild: bool) -> tuple[np.ndarray, np.ndarray]:
    """The pool of a kind of land; a wild one needs the materials of `FULL`."""
    terrain, player = wilds(size) if is_wild else yards(size, len(technology.gathers))
    assert terrain.max() < len(technology.materials)
    return terrain, player
