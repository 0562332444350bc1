"""Random numbers that depend on a key and a step alone, so that rows never disturb each other."""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(keys: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """One number in [0, 1) per row.

    Args:
        keys: uint64, shape (rows,).
        steps: Integers, shape (rows,).

    Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators",
        SplitMix64, finalised twice: once to spread the key, once for the step.
    """
    return (_mix(_mix(keys + _GOLDEN) + steps.astype(np.uint64) * _GOLDEN) >> np.uint64(11)) * (
        2.0**-53
    )


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
