"""Random numbers that depend only on (seed of the row, episode, step, use), never on the batch.

A counter is hashed (SplitMix64), so every row owns an endless stream of its own and thousands of
rows are drawn in a few array operations. Two batches of different sizes agree on shared seeds.
"""

from dataclasses import dataclass

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_STRIDE = np.uint64(1 << 20)
"""Numbers one row may use in one step."""


def mix(value: np.ndarray) -> np.ndarray:
    """Scramble uint64 values, one to one.

    Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
    """
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


def row_keys(seed: np.ndarray, row: np.ndarray) -> np.ndarray:
    """One key per row from a seed and the row's place, shape (rows,), uint64."""
    return mix(mix(seed.astype(np.uint64) + _GOLDEN) + row.astype(np.uint64) * _GOLDEN)


def episode_keys(keys: np.ndarray, episode: np.ndarray) -> np.ndarray:
    """One key per row and episode, shape (rows,), uint64."""
    return mix(keys + (episode.astype(np.uint64) + np.uint64(1)) * _SECOND)


@dataclass(frozen=True)
class Draws:
    """The random numbers of one step, for every row. Nothing is computed until it is asked for.

    The same question always gets the same answer; `use` tells apart the numbers of one step.
    """

    keys: np.ndarray
    """uint64, shape (rows,): one per row and episode."""
    steps: np.ndarray
    """int64, shape (rows,): 0 when the episode starts, then 1, 2, ..."""

    def bits(self, count: int, use: int = 0) -> np.ndarray:
        """Raw uint64 values, shape (rows, count), taken from the numbers `use`, `use` + 1, ..."""
        counter = self.steps.astype(np.uint64) * _STRIDE + np.uint64(use)
        place = counter[:, None] + np.arange(count, dtype=np.uint64)
        return mix(self.keys[:, None] + (place + np.uint64(1)) * _GOLDEN)

    def uniform(self, count: int, use: int = 0) -> np.ndarray:
        """Floats in [0, 1), shape (rows, count)."""
        return (self.bits(count, use) >> np.uint64(11)) * 2.0**-53

    def integers(self, high: int, count: int, use: int = 0) -> np.ndarray:
        """Integers in [0, high), shape (rows, count), int64."""
        return (self.uniform(count, use) * high).astype(np.int64)

    def chance(self, probability: float | np.ndarray, use: int = 0) -> np.ndarray:
        """True with the given probability, shape (rows,)."""
        return self.uniform(1, use)[:, 0] < probability

    def rows(self, which: np.ndarray) -> "Draws":
        """The draws of some rows; `which` is a mask or positions."""
        return Draws(self.keys[which], self.steps[which])
