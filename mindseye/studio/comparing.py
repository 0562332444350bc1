"""Runs side by side: measures, options that differ, curves on the same axes."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from mindseye.core.report import Measure, Report
from mindseye.evaluation.page import stage_name, telling
from mindseye.studio.curves import Series, curves

_MOST_CHARTS = 8


def measures_beside(
    reports: Sequence[Report | None],
) -> list[tuple[str, list[Measure | None]]]:
    """Every measure that any report has, with that of each report."""
    known = [{m.name: m for m in report.measures} if report else {} for report in reports]
    names = list(dict.fromkeys(name for one in known for name in one))
    return [(name, [one.get(name) for one in known]) for name in names]


def are_shared(row: tuple[str, Sequence[Measure | None]]) -> bool:
    """Whether a measure can be compared: more than one run has it."""
    return sum(measure is not None for measure in row[1]) > 1


def differences(configs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Options that are not the same in all runs, with the value in each; None where it has none."""
    names = dict.fromkeys(name for config in configs for name in config)
    rows = [(name, [config.get(name) for config in configs]) for name in names]
    return [(name, values) for name, values in rows if any(v != values[0] for v in values)]


def charts(found: Mapping[str, Mapping[str, Mapping[str, Series]]]) -> list[Markup]:
    """Curves of the same metric of the same stage on the same axes; those of many runs come first.

    Args:
        found: By run, stage and name of the metric.
    """
    stages = dict.fromkeys(stage for stages in found.values() for stage in stages)
    shared: list[tuple[str, dict[str, Series]]] = []
    for stage in stages:
        known = {run: dict(stages[stage]) for run, stages in found.items() if stage in stages}
        names = dict.fromkeys(name for series in known.values() for name in telling(series))
        for name in names:
            series = {run: metrics[name] for run, metrics in known.items() if name in metrics}
            shared.append((f"{stage_name(stage)}: {name}", series))
    shared.sort(key=lambda pair: -len(pair[1]))
    return [curves(series, title) for title, series in shared[:_MOST_CHARTS]]
