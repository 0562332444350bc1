"""Curves for pages, drawn one at a time and thinned to what can be seen."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from mindseye.evaluation import figures

Series = tuple[Sequence[float], Sequence[float]]
"""Steps and values."""
_POINTS = 300
# matplotlib's settings are shared by all threads
_ONE_AT_A_TIME = threading.Lock()


def curve(steps: Sequence[float], values: Sequence[float], title: str) -> Markup:
    """One series as SVG, safe to show."""
    with _ONE_AT_A_TIME:
        return Markup(figures.learning_curve(*thinned((steps, values)), title))


def curves(series: Mapping[str, Series], title: str) -> Markup:
    """Several series on the same axes as SVG, safe to show."""
    thin = {name: thinned(one) for name, one in series.items()}
    with _ONE_AT_A_TIME:
        return Markup(figures.learning_curves(thin, title))


def thinned(series: Series, points: int = _POINTS) -> Series:
    """At most so many points: means of neighbours."""
    steps, values = (np.asarray(part, np.float64) for part in series)
    if len(values) <= points:
        return steps.tolist(), values.tolist()
    parts = np.linspace(0, len(values), points + 1).astype(int)[:-1]
    counts = np.diff([*parts, len(values)])
    sums = (np.add.reduceat(part, parts) / counts for part in (steps, values))
    return tuple(part.tolist() for part in sums)  # type: ignore[return-value]
