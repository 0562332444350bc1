"""A report as a table to read in a terminal."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mindseye.core.report import Measure, Report
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.verdict import headline, judges_success, percent

_COLUMNS = {"real": "in reality", "dream": "in the dream"}


def print_report(report: Report, folder: Path) -> None:
    """Verdict, agents, key measures, and where the page is."""
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    console.print()
    for sentence in headline(report):
        console.print(sentence, markup=False)
    if report.details.get("agents"):
        console.print()
        console.print(_agents(report))
    console.print()
    for line in _lines(report):
        console.print(line, markup=False)
    console.print(f"\nThe whole report: {folder / 'report.html'}", markup=False, soft_wrap=True)


def _agents(report: Report) -> Table:
    """Intervals for reality only: the table must fit 80 columns."""
    found = report.details["agents"]
    kinds = ("success", "return") if judges_success(report) else ("return",)
    sides = [s for s in _COLUMNS if f"{s}_returns" in next(iter(found.values()))]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("agent", *(f"{what}\n{_COLUMNS[side]}" for side in sides for what in kinds)):
        table.add_column(title, no_wrap=True)
    for name, agent in found.items():
        cells = [_cell(agent, side, what) for side in sides for what in kinds]
        style = "bold" if name == report.details.get("main") else None
        table.add_row(name, *cells, style=style)
    return table


def _cell(agent: Mapping[str, Any], side: str, what: str) -> str:
    if what == "success":
        found = mean_measure(what, agent[f"{side}_success"], "share")
        return measured(found) if side == "real" else percent(found.value)
    found = mean_measure(what, agent[f"{side}_returns"])
    return measured(found) if side == "real" else f"{found.value:.3g}"


def measured(found: Measure) -> str:
    """A measure with its interval, shares in percent."""
    return _percent(found) if found.unit == "share" else _number(found)


def _percent(found: Measure) -> str:
    if not math.isfinite(found.value):
        return "–"
    return f"{percent(found.value)} ({100 * found.low:.0f} to {100 * found.high:.0f})"


def _number(found: Measure) -> str:
    if not math.isfinite(found.value):
        return "–"
    return f"{found.value:.3g} ({found.low:.3g} to {found.high:.3g})"


_LINES = {
    "gap/return": "gap, real minus dream",
    "agreement/dream_only": "passes in the dream only",
    "horizon/trust_steps": "trust horizon, steps",
    "ranking/kendall_tau": "ranking of agents, tau",
    "calibration/spearman": "doubt against error, rho",
    "cost/real_steps": "real steps",
    "cost/dream_steps": "dream steps",
    "cost/seconds": "seconds",
}


def _lines(report: Report) -> list[str]:
    known = {m.name: m for m in report.measures}
    lines = []
    for name, label in _LINES.items():
        if name not in known:
            continue
        found = known[name]
        if name.startswith("cost/"):
            shown = f"{found.value:,.0f}".replace(",", " ")
        else:
            shown = measured(found)
        lines.append(f"{label:26}{shown}")
    return lines
