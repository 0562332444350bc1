"""What comes out of a run: measures with intervals, and claims with their verdicts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mindseye.core.errors import DataError


@dataclass(frozen=True)
class Measure:
    """A number with an interval, the count it rests on, and a unit."""

    name: str
    value: float
    low: float
    high: float
    n: int
    unit: str = ""


@dataclass(frozen=True)
class Verdict:
    """A checked claim: per-seed values of the method, its baseline and its losing ablation."""

    statement: str
    holds: bool
    relation: str
    method: Mapping[str, Any]
    """{"name": ..., "values": [one per seed]}"""
    baseline: Mapping[str, Any]
    ablation: Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """Evidence: written as JSON, never edited by hand."""

    name: str
    preset: str
    seeds: Sequence[int]
    measures: Sequence[Measure] = ()
    claims: Sequence[Verdict] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    """What a page needs beyond measures: curves, matrices, raw values per seed; JSON values."""

    def measure(self, name: str) -> Measure:
        """The measure of that name.

        Raises:
            KeyError: If there is none; lists what there is.
        """
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(
            f"report {self.name}: no measure {name!r}; has {[m.name for m in self.measures]}"
        )

    def to_json(self) -> str:
        """Stable, indented JSON."""
        return json.dumps(asdict(self), indent=1, default=float) + "\n"

    @staticmethod
    def from_json(text: str, where: str = "report") -> "Report":
        """Inverse of to_json.

        Raises:
            DataError: If the text is not a report; names `where`.
        """
        try:
            raw = json.loads(text)
            measures = [Measure(**m) for m in raw.pop("measures")]
            claims = [Verdict(**c) for c in raw.pop("claims")]
            return Report(**raw, measures=measures, claims=claims)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{where}: not a mindseye report ({error}); run it again") from error
