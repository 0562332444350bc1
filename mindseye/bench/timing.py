"""Honest timing on a noisy machine: alternate the candidates, report medians and ratios.

The clock is processor time of this process, so waiting for a turn does not count; ratios within one
call are firm, absolute figures are not.
"""

import statistics
import time
from collections.abc import Callable, Mapping


def seconds_per_call(call: Callable[[], object], *, at_least: float = 0.2) -> float:
    """Processor seconds of one call, repeated until they add up to `at_least`."""
    call()
    began, calls = time.process_time(), 0
    while True:
        call()
        calls += 1
        spent = time.process_time() - began
        if spent >= at_least:
            return spent / calls


def alternate(
    calls: Mapping[str, Callable[[], object]], *, rounds: int, at_least: float
) -> dict[str, list[float]]:
    """Seconds per call of every candidate in every round, measured A B A B ..."""
    out: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            out[name].append(seconds_per_call(call, at_least=at_least))
    return out


def summary(values: list[float]) -> dict[str, float]:
    """Median, least and greatest."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratio(numerator: list[float], denominator: list[float]) -> dict[str, float]:
    """Of the seconds per round, summarised."""
    return summary([a / b for a, b in zip(numerator, denominator, strict=True)])
