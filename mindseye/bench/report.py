"""Run the groups, print a table, and keep the figures as JSON."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from mindseye.bench.kernels import GROUPS, Group
from mindseye.bench.timing import alternate, ratio, summary
from mindseye.core.checkpoint import write_atomic
from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.run import describe_machine

STUDIO = "studio"


def main(
    *, quick: bool = False, only: Sequence[str] = (), save: Path | None = None, threads: int = 1
) -> dict:
    """Measure, print, and return the figures.

    Args:
        quick: One short round each, to see that everything runs.
        only: Names of groups, or "studio", the load of many visitors, by the clock and over real
            sockets; all but that unless given.
        save: Where to write the figures as JSON.
        threads: Of torch. Figures are per processor second, so more threads do not flatter.

    Raises:
        ConfigError: If a name is unknown.
    """
    known = {group.__name__: group for group in GROUPS}
    if unknown := [name for name in only if name not in (*known, STUDIO)]:
        there = ", ".join((*known, STUDIO))
        raise ConfigError(f"bench: no group {unknown[0]!r}; there are {there}")
    torch.set_num_threads(threads)
    rounds, at_least = (1, 0.02) if quick else (5, 0.5)
    table = Table("what", "candidate", "rate", "of the first")
    found = {}
    studio = _studio(quick) if STUDIO in only else {}
    for name in [name for name in only or known if name != STUDIO]:
        torch.manual_seed(0)
        group = known[name]()
        found[name] = _measure(group, rounds, at_least) | {"what": known[name].__doc__}
        group.close()
        _rows(table, name, group, found[name])
    if found:
        Console().print(table)
    figures = {
        "machine": describe_machine("cpu"),
        "load": os.getloadavg(),
        "unit": "per processor second, one thread unless said",
        "threads": threads,
        "rounds": rounds,
        "groups": found,
        **studio,
    }
    if save is not None:
        write_atomic(save, json.dumps(figures, indent=1) + "\n")
    return figures


def _studio(quick: bool) -> dict:
    for package in ("fastapi", "uvicorn", "websockets"):
        if find_spec(package) is None:
            raise MissingExtra(package, "studio")
    from mindseye.bench.visitors import load, tell

    told = {}
    for name, visitors, rate in (("alone", 1, 30.0), ("many", 3 if quick else 50, 10.0)):
        found = load(visitors=visitors, rate=rate, seconds=1.0 if quick else 10.0)
        told[name] = asdict(found)
        print(tell(found))
    return {STUDIO: told}


def _measure(group: Group, rounds: int, at_least: float) -> dict:
    seconds = alternate(group.calls, rounds=rounds, at_least=at_least)
    first = next(iter(seconds))
    return {
        "unit": group.unit,
        "note": group.note,
        "rate": {k: summary([group.work / s for s in v]) for k, v in seconds.items()},
        "speed_of_first_over": {
            k: ratio(v, seconds[first]) for k, v in seconds.items() if k != first
        },
    }


def _rows(table: Table, name: str, group: Group, found: dict) -> None:
    for index, (candidate, rate) in enumerate(found["rate"].items()):
        over = found["speed_of_first_over"].get(candidate)
        shown = "" if over is None else f"first is {over['median']:.2f} x this"
        rate_text = f"{_engineering(rate['median'])} {group.unit}"
        table.add_row(name if index == 0 else "", candidate, rate_text, shown)


def _engineering(value: float) -> str:
    power = int(np.clip(np.log10(max(value, 1e-9)) // 3, 0, 4))
    return f"{value / 1000**power:.3g} {['', 'k', 'M', 'G', 'T'][power]}".strip()
