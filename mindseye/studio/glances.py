"""A run at a glance: the metric that tells most of it, as a small chart."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from mindseye.evaluation.page import telling
from mindseye.studio.curves import thinned
from mindseye.studio.reading import metrics_of, stamp
from mindseye.studio.sparks import Spark, spark

_LAST_BYTES = 256 << 10
"""Read of each run's metrics: a list may show hundreds of runs."""
_POINTS = 60


def glance_of(folder: Path, *, is_running: bool) -> Spark | None:
    """The chart; None where nothing was logged that makes one. Remembered until the file grows.

    Args:
        folder: Of the run.
        is_running: Then its latest stage is shown; later on, its longest.
    """
    path = folder / "metrics.jsonl"
    return _glance(path, is_running, *stamp(path))


@lru_cache(1024)
def _glance(path: Path, is_running: bool, modified: int, size: int) -> Spark | None:
    stages = metrics_of(path, size, _LAST_BYTES)
    found = [(name, series[name]) for series in stages.values() for name in telling(series)[:1]]
    if not found:
        return None
    # returns tell more than losses
    name, shown = (
        found[-1]
        if is_running
        else max(found, key=lambda pair: (pair[0].endswith("return"), len(pair[1][0])))
    )
    steps, values = (np.asarray(part) for part in thinned(shown, _POINTS))
    return spark(name, steps - steps[0], values, float(steps[-1] - steps[0]))
