"""Intervals and rank agreement: percentile bootstrap, Kendall's tau-b, Spearman's rho."""

from collections.abc import Callable, Sequence

import numpy as np

from mindseye.core.report import Measure

ROUNDS = 2000
LEVEL = 0.95


def bootstrap(
    draw: Callable[[np.random.Generator], float], *, seed: int = 0, rounds: int = ROUNDS
) -> tuple[float, float]:
    """95 % percentile interval of a statistic recomputed on resampled data.

    Args:
        draw: Resamples with the generator and returns the statistic.
        seed: Of the resampling; fixed, so that the same data give the same interval.
    """
    rng = np.random.default_rng(seed)
    values = np.array([draw(rng) for _ in range(rounds)])
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def mean_measure(name: str, values: Sequence[float] | np.ndarray, unit: str = "") -> Measure:
    """Mean with its bootstrap interval. A single value is its own interval."""
    x = np.asarray(values, np.float64)
    if len(x) == 0:
        return Measure(name, float("nan"), float("nan"), float("nan"), 0, unit)
    index = np.random.default_rng(0).integers(len(x), size=(ROUNDS, len(x)))
    means = x[index].mean(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Measure(name, float(x.mean()), float(low), float(high), len(x), unit)


def ranks(x: np.ndarray) -> np.ndarray:
    """Ranks from 0, ties sharing their mean rank."""
    order = np.argsort(x, kind="stable")
    _, inverse, counts = np.unique(x[order], return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    out = np.empty(len(x))
    out[order] = (last - (counts + 1) / 2)[inverse]
    return out


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Correlation of ranks, in [−1, 1]; nan where one side is constant."""
    a, b = ranks(np.asarray(x)), ranks(np.asarray(y))
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else float("nan")


def kendall(x: np.ndarray, y: np.ndarray) -> float:
    """Tau-b: agreement of the order of pairs, in [−1, 1]; nan where one side is constant."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    upper = np.triu_indices(len(x), 1)
    dx = np.sign(x[:, None] - x[None, :])[upper]
    dy = np.sign(y[:, None] - y[None, :])[upper]
    norm = np.sqrt((dx != 0).sum() * (dy != 0).sum())
    return float((dx * dy).sum() / norm) if norm > 0 else float("nan")
