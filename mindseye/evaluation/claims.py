"""Holding a recipe to its claims: the method must beat its baseline and its ablation over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from mindseye.core.card import Claim
from mindseye.core.report import Measure, Report, Verdict
from mindseye.evaluation.statistics import mean_measure


def check(claim: Claim, reports: Sequence[Report]) -> Verdict:
    """Verdict over the per-seed reports of one recipe.

    It holds when the method wins on average by more than the claim's margin against both rivals
    and, with three seeds or more, the 95 % interval of the paired difference excludes it, too.
    """
    values = {
        role: [report.measure(name).value for report in reports]
        for role, name in _roles(claim).items()
    }
    sign = 1.0 if claim.relation == "greater" else -1.0
    holds = all(_wins(values["method"], values[rival], sign, claim.margin) for rival in _RIVALS)
    shown = {role: {"name": _roles(claim)[role], "values": values[role]} for role in values}
    return Verdict(claim.statement, holds, claim.relation, **shown)


_RIVALS = ("baseline", "ablation")


def _roles(claim: Claim) -> Mapping[str, str]:
    return {"method": claim.method, "baseline": claim.baseline, "ablation": claim.ablation}


def _wins(method: Sequence[float], rival: Sequence[float], sign: float, margin: float) -> bool:
    difference = sign * (np.asarray(method) - np.asarray(rival)) - margin
    measure = mean_measure("difference", difference)
    return bool(measure.value > 0 and (len(difference) < 3 or measure.low > 0))


def over_seeds(
    reports: Sequence[Report], claims: Sequence[Claim], *, command: str | None = None
) -> Report:
    """One report from several seeds: measures become means over seeds, claims are checked.

    Args:
        reports: One per seed.
        claims: To check.
        command: What makes the report; that of the first seed unless given, which may have been
            run by a command that does not make the others.

    Raises:
        IndexError: If there is no report.
    """
    first = reports[0]
    measures: list[Measure] = []
    for measure in first.measures:
        values = [report.measure(measure.name).value for report in reports]
        finite = [value for value in values if np.isfinite(value)]
        measures.append(mean_measure(measure.name, finite, measure.unit))
    details = {
        "per_seed": {
            str(seed): {m.name: m.value for m in report.measures}
            for report in reports
            for seed in report.seeds
        }
    }
    return Report(
        name=first.name,
        preset=first.preset,
        seeds=[seed for report in reports for seed in report.seeds],
        measures=measures,
        claims=[check(claim, reports) for claim in claims],
        config=first.config,
        manifest={
            **first.manifest,
            **({"command": command} if command else {}),
            "seeds": [s for r in reports for s in r.seeds],
        },
        details=details,
    )
