"""Small charts: one line of numbers each, drawn in a moment, with the spikes that means would hide.

The charts of `curves` have axes and cost a tenth of a second; of these a page may hold twenty.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

WIDE, HIGH = 300.0, 60.0
"""Of the drawing, in its own unit."""
_EDGE = 3.0
_COLUMNS = 300


@dataclass(frozen=True)
class Spark:
    """A line to draw; nothing is drawn where no number was finite."""

    title: str
    points: str
    """For an SVG polyline in a box of WIDE times HIGH."""
    low: float
    high: float
    last: float

    @property
    def told(self) -> str:
        """For those who do not see it."""
        if not self.points:
            return f"{self.title}: no numbers"
        return f"{self.title}: from {self.low:.4g} to {self.high:.4g}, at last {self.last:.4g}"


def spark(title: str, places: np.ndarray, values: np.ndarray, end: float) -> Spark:
    """A line through values.

    Args:
        places: Where each is, from 0 to `end`.
        end: Where the drawing ends, so that charts of one episode stand above each other.
    """
    x, y = np.asarray(places, np.float64), np.asarray(values, np.float64)
    is_finite = np.isfinite(y)
    x, y = x[is_finite], y[is_finite]
    if not len(y):
        return Spark(title, "", 0.0, 0.0, 0.0)
    low, high, last = float(y.min()), float(y.max()), float(y[-1])
    kept = _extremes(y)
    # halves first: the range of float64 is wider than float64
    share = (
        np.full(len(kept), 0.5) if high == low else (y[kept] / 2 - low / 2) / (high / 2 - low / 2)
    )
    across = WIDE * x[kept] / max(end, 1.0)
    down = _EDGE + (HIGH - 2 * _EDGE) * (1 - share)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
    return Spark(title, points, low, high, last)


def _extremes(values: np.ndarray) -> np.ndarray:
    """Places of the least and the greatest value of every stretch, in order."""
    if len(values) <= 2 * _COLUMNS:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), _COLUMNS + 1).astype(int)
    found = [
        begin + at
        for begin, end in pairwise(edges)
        for at in (values[begin:end].argmin(), values[begin:end].argmax())
    ]
    return np.unique([0, *found, len(values) - 1])
