"""What the numbers of a truth report say, in plain words."""

import math
from collections.abc import Sequence

from mindseye.core.report import Measure, Report

NO_REAL_TEST = (
    "No real test was made: there was recorded data but no world to act in. Nothing here says how "
    "the agent would do in reality."
)
MEANINGS = {
    "real/return": "Sum of rewards per real episode of the judged agent.",
    "dream/return": "The same inside the dream, from the same first observations.",
    "gap/return": "Real minus dream: below zero the dream flatters.",
    "real/success": "Real episodes passed.",
    "dream/success": "Dreamed episodes passed.",
    "agreement/dream_only": "Passes in the dream and fails in reality: the dangerous cell.",
    "agreement/real_only": "Passes in reality and fails in the dream.",
    "agreement/both": "Passes in both.",
    "ranking/kendall_tau": "Does the dream order agents as reality does? 1 always, 0 by chance.",
    "ranking/spearman": "The same by rank correlation.",
    "horizon/trust_steps": "Steps predicted before the mean error passes the trust bound.",
    "calibration/spearman": "Does the model's doubt rise with its error? 1 always, 0 unrelated.",
    "calibration/coverage": "Share of the worst tenth of predictions found in the more doubted "
    "half: 0.5 is chance.",
    "replay/observation_error": "Imagined actions acted in reality: distance of what came, 1 is "
    "unrelated.",
    "replay/success_kept": "Dreamed successes that the same actions also reach in reality.",
}
"""What each measure says, by name."""
_BASELINES = {"random": "random", "imitation": "imitation", "model_free": "model-free"}


def percent(share: float) -> str:
    """A share in percent; a dash where there is none."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%" if math.isfinite(share) else "–"


def level(preset: str, seeds: int, held: Sequence[bool]) -> str:
    """How far a recipe's claims have been shown, in words.

    Args:
        preset: At which they were checked.
        seeds: How many.
        held: Whether each of them holds.
    """
    counts = f"({sum(held)}/{len(held)} claims, {seeds} seed{'s' * (seeds != 1)})"
    if preset == "smoke" or not held:
        return f"wired {counts}"
    where = "at scale" if preset.startswith(("medium", "full")) else "on CPU"
    found = "holds" if all(held) else "holds in part" if any(held) else "does not hold"
    return f"{found} {where} {counts}"


def headline(report: Report) -> list[str]:
    """The verdict in a few sentences, the most important first."""
    known = {m.name: m for m in report.measures}
    if report.claims:
        return [_claims(report)]
    if report.details.get("no_real_test"):
        return [NO_REAL_TEST, *_trust(known)]
    if "real/return" not in known:
        return []
    return [_result(report, known), *_comparison(report, known), *_gap(known), *_trust(known)]


def _claims(report: Report) -> str:
    kept = sum(claim.holds for claim in report.claims)
    seeds = len(report.seeds)
    return f"{kept} of {len(report.claims)} claims hold over {seeds} seed{'s' * (seeds != 1)}."


def judges_success(report: Report) -> bool:
    """Whether the report knows what success is."""
    return not str(report.details.get("success", "undefined")).startswith("undefined")


def _result(report: Report, known: dict[str, Measure]) -> str:
    main = str(report.details.get("main", "dream"))
    who = "Trained only in its dream, the agent" if main == "dream" else f"The agent “{main}”"
    if judges_success(report):
        found = known["real/success"]
        did = f"passes {percent(found.value)} of {found.n} real episodes"
        rivals = [f"{n} {percent(m.value)}" for n, m in _rivals(known, main, "_success")]
    else:
        found = known["real/return"]
        did = f"earns {found.value:.3g} per real episode (mean of {found.n})"
        rivals = [f"{name} {m.value:.3g}" for name, m in _rivals(known, main, "")]
    return f"{who} {did}{'; ' if rivals else ''}{', '.join(rivals)}."


def _rivals(known: dict[str, Measure], main: str, suffix: str) -> list[tuple[str, Measure]]:
    return [
        (name, known[f"baseline/{key}{suffix}"])
        for key, name in _BASELINES.items()
        if f"baseline/{key}{suffix}" in known and name != main
    ]


def _comparison(report: Report, known: dict[str, Measure]) -> list[str]:
    """Who earns more, where 95 % intervals do not overlap."""
    mine, words = known["real/return"], []
    rivals = _rivals(known, str(report.details.get("main", "dream")), "")
    less = [f"{name} ({m.value:.3g})" for name, m in rivals if mine.low > m.high]
    more = [f"{name} ({m.value:.3g})" for name, m in rivals if mine.high < m.low]
    equal = [
        f"{name} ({m.value:.3g})" for name, m in rivals if m.low <= mine.high and mine.low <= m.high
    ]
    if less:
        words.append(f"more than {_listed(less)}")
    if more:
        words.append(f"less than {_listed(more)}")
    if equal:
        words.append(f"not measurably more or less than {_listed(equal)}")
    if not words:
        return []
    return [f"It earns {mine.value:.3g} per real episode: {'; '.join(words)}."]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _gap(known: dict[str, Measure]) -> list[str]:
    gap, danger = known.get("gap/return"), known.get("agreement/dream_only")
    if gap is None or danger is None:
        return []
    if gap.low <= 0 <= gap.high:
        words = "The dream neither flatters nor belittles it measurably"
    elif gap.value < 0:
        words = f"The dream flatters: reality pays {-gap.value:.3g} less"
    else:
        words = f"The dream belittles: reality pays {gap.value:.3g} more"
    return [f"{words}; {percent(danger.value)} of episodes pass only in the dream."]


def _trust(known: dict[str, Measure]) -> list[str]:
    steps = known.get("horizon/trust_steps")
    if steps is None or not math.isfinite(steps.value):
        return []
    return [f"Its predictions stay under the trust bound for {steps.value:.0f} steps."]
