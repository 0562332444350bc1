"""Numbers of a recorded episode: what it paid, felt, did and noted, as small charts and counts."""

from collections.abc import Iterable

import numpy as np
from gymnasium import spaces

from mindseye.experience.index import EpisodeRecord
from mindseye.experience.schema import ColumnSpec
from mindseye.studio.naming import action_names
from mindseye.studio.recorded import Recorded
from mindseye.studio.sparks import Spark, spark

_MOST = 12
"""Charts of one kind."""
_MOST_CHOICES = 24


def rewards_of(recorded: Recorded, record: EpisodeRecord) -> list[Spark]:
    """Rewards, and their sum so far where the whole episode could be read.

    Raises:
        DataError: If they cannot be read.
    """
    (spec,) = recorded.columns("reward")
    places, rewards = recorded.sampled(record, spec)
    charts = [spark("reward", places, rewards, record.rows - 1)]
    if len(places) == record.rows - 1:
        charts.append(spark("return so far", places, np.cumsum(rewards), record.rows - 1))
    return charts


def seen_of(recorded: Recorded, record: EpisodeRecord) -> list[Spark]:
    """Numbers of the observations; what has rows and columns is for looking at."""
    return _charts(recorded, record, recorded.columns("observation"), 0)


def done_of(recorded: Recorded, record: EpisodeRecord) -> list[Spark]:
    """Actions that are numbers, or several choices at once."""
    if isinstance(recorded.action_space, spaces.Discrete):
        return []
    return _charts(recorded, record, recorded.columns("action"), 1)


def noted_of(recorded: Recorded, record: EpisodeRecord) -> list[Spark]:
    """Numbers that the agent recorded beside its actions."""
    return _charts(recorded, record, recorded.extras(record), 1)


def counts_of(recorded: Recorded, record: EpisodeRecord) -> list[tuple[str, float]]:
    """Shares of actions that are one choice, the most frequent first; else nothing."""
    space = recorded.action_space
    if not isinstance(space, spaces.Discrete):
        return []
    (spec,) = recorded.columns("action")
    _, rows = recorded.sampled(record, spec)
    values, counts = np.unique(rows, return_counts=True)
    names = action_names(record.origin.world, space)
    shares = {int(value): int(n) / len(rows) for value, n in zip(values, counts, strict=True)}
    first = sorted(shares, key=lambda value: -shares[value])[:_MOST_CHOICES]
    start = int(space.start)
    return [(names[v - start] if names else str(v), shares[v]) for v in first]


def _charts(
    recorded: Recorded, record: EpisodeRecord, specs: Iterable[ColumnSpec], first: int
) -> list[Spark]:
    charts: list[Spark] = []
    for spec in specs:
        if spec.dtype is None or len(spec.shape) > 1 or len(charts) == _MOST:
            continue
        places, rows = recorded.sampled(record, spec, first)
        columns = np.asarray(rows, np.float64).reshape(len(rows), -1).T[: _MOST - len(charts)]
        name = ".".join(map(str, spec.path[1:] or spec.path))
        for i, values in enumerate(columns):
            title = f"{name}[{i}]" if spec.shape else name
            charts.append(spark(title, places, values, record.rows - 1))
    return charts
