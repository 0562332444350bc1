"""What published systems claim, and what results/SLUG.json show of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from mindseye.core.errors import DataError
from mindseye.core.report import Measure, Report, Verdict
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.verdict import level
from mindseye.studio.intervals import Track, tracks
from mindseye.studio.reading import read_report, stamp

_NO_RECIPES = ("bench",)
_ROLES = ("method", "baseline", "ablation")


class System(Protocol):
    """A published system; its number, title, paper, arxiv and summary are shown as they are."""

    @property
    def slug(self) -> str:
        """Its name in commands and files."""
        ...

    @property
    def is_built(self) -> bool:
        """Whether it can be run."""
        ...


@dataclass(frozen=True)
class Side:
    """One of the three that a claim compares."""

    role: str
    name: str
    """Of the measure."""
    mean: Measure
    values: Sequence[float]
    """One per seed."""
    track: Track | None
    """Where it lies beside the other two."""


@dataclass(frozen=True)
class Evidence:
    """What a results file shows."""

    report: Report | None = None
    claims: Sequence[tuple[Verdict, Sequence[Side]]] = ()
    why: str = ""
    """The file cannot be read."""

    @property
    def held(self) -> Sequence[bool]:
        """Whether each claim holds."""
        return [bool(claim.holds) for claim, _ in self.claims]

    @property
    def level(self) -> str:
        """How far they do, in words; "" where there is no report."""
        return level(self.report.preset, len(self.report.seeds), self.held) if self.report else ""


def evidence_in(results: Path, slug: str) -> Evidence:
    """What is known of a system; remembered until its file changes."""
    path = results / f"{slug}.json"
    return _evidence(path, *stamp(path)) if path.is_file() else Evidence()


@lru_cache(256)
def _evidence(path: Path, modified: int, size: int) -> Evidence:
    try:
        report = read_report(path)
    except DataError as error:
        return Evidence(why=str(error))
    return Evidence(report, [(claim, sides_of(claim)) for claim in report.claims])


def sides_of(claim: Verdict) -> list[Side]:
    """Method, baseline and ablation of a claim, with intervals over seeds."""
    sides = [getattr(claim, role) for role in _ROLES]
    # seeds that came to nothing finite have no mean
    with np.errstate(invalid="ignore"):
        found = [
            (mean_measure(role, side["values"]), side["values"])
            for role, side in zip(_ROLES, sides, strict=True)
        ]
    return [
        Side(role, str(side.get("name", "")), mean, values, track)
        for role, side, (mean, values), track in zip(
            _ROLES, sides, found, tracks(found), strict=True
        )
    ]


def others_in(results: Path, systems: Sequence[System]) -> list[str]:
    """Names of results that are no system's."""
    known = {*_NO_RECIPES, *(system.slug for system in systems)}
    return sorted({path.stem for path in results.glob("*.json")} - known)
