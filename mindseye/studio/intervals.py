"""Where the sides of a claim lie beside each other, for a small drawing of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mindseye.core.report import Measure

_EDGE = 3.0
"""Percent left free at both ends."""


@dataclass(frozen=True)
class Track:
    """One side, in percent of the width that all sides share."""

    low: float
    high: float
    mean: float
    dots: Sequence[float]
    """One per seed."""


def tracks(sides: Sequence[tuple[Measure, Sequence[float]]]) -> list[Track | None]:
    """Means with intervals, and values, on one axis; None for what has nothing finite to draw."""
    known = [x for mean, values in sides for x in (mean.low, mean.high, mean.value, *values)]
    # halves, because the range of float64 is wider than float64
    finite = np.asarray(known, np.float64)[np.isfinite(known)] / 2
    least, width = (finite.min(), np.ptp(finite)) if len(finite) else (0.0, 0.0)

    def across(value: float) -> float:
        share = (value / 2 - least) / width if width else 0.5
        return round(float(_EDGE + (100 - 2 * _EDGE) * share), 2)

    def track(mean: Measure, values: Sequence[float]) -> Track | None:
        if not np.isfinite([mean.low, mean.high, mean.value]).all():
            return None
        dots = [across(x) for x in values if np.isfinite(x)]
        return Track(across(mean.low), across(mean.high), across(mean.value), dots)

    return [track(*side) for side in sides]
