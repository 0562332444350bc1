"""Markdown tables made from results/*.json, for the README and the docs; never edited by hand."""

from pathlib import Path

from mindseye.core.report import Measure, Report, Verdict
from mindseye.evaluation.statistics import mean_measure

PAGES = {"demo": "docs/truth_report.md", "sb3_in_dream": "examples/sb3_in_dream.py"}
"""Where results that are no recipe's are explained."""

START, END = "<!-- results: begin -->", "<!-- results: end -->"


def results_table(path: Path) -> str:
    """Claims, then measures, of one results file; a sentence if there is none."""
    if not path.exists():
        return f"*No evidence yet: run `mindseye run {path.stem} --preset cpu --seeds 0,1,2,3,4`.*"
    report = Report.from_json(path.read_text(), str(path))
    lines = [f"Seeds {_list(report.seeds)}, preset `{report.preset}`.", ""]
    if report.claims:
        lines += [
            "| claim | method | baseline | ablation | holds |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_claim(verdict) for verdict in report.claims] + [""]
    lines += ["| measure | mean | 95 % interval | n |", "| --- | --- | --- | --- |"]
    lines += [_measure(measure) for measure in report.measures]
    command = report.manifest.get("command", "")
    return "\n".join([*lines, "", f"Made by `{command}`."])


def systems_table(folder: Path) -> str:
    """One row per results file with claims: what is claimed, and whether it holds."""
    lines = [
        "| recipe | claim | method against baseline, ablation | holds |",
        "| --- | --- | --- | --- |",
    ]
    for path in sorted(folder.glob("*.json")):
        if path.name == "bench.json":
            continue
        report = Report.from_json(path.read_text(), str(path))
        for index, verdict in enumerate(report.claims):
            page = PAGES.get(report.name, f"docs/recipes/{report.name}.md")
            name = f"[`{report.name}`]({page})" if index == 0 else ""
            values = [_mean(side) for side in (verdict.method, verdict.baseline, verdict.ablation)]
            against = f"{values[0]} against {values[1]}, {values[2]}"
            lines.append(f"| {name} | {verdict.statement} | {against} | {_holds(verdict)} |")
    return "\n".join(lines)


def fill(text: str, table: str) -> str:
    """Replace what stands between the markers."""
    before, rest = text.split(START)
    return f"{before}{START}\n{table}\n{END}{rest.split(END)[1]}"


def _measure(measure: Measure) -> str:
    between = f"{_number(measure.low)} to {_number(measure.high)}"
    return (
        f"| `{measure.name}` | {_number(measure.value)} {measure.unit} | {between} | {measure.n} |"
    )


def _claim(verdict: Verdict) -> str:
    sides = " | ".join(
        f"{_mean(side)} (`{side['name']}`)"
        for side in (verdict.method, verdict.baseline, verdict.ablation)
    )
    return f"| {verdict.statement} | {sides} | {_holds(verdict)} |"


def _holds(verdict: Verdict) -> str:
    return f"{'yes' if verdict.holds else '**no**'} ({len(verdict.method['values'])} seeds)"


def _mean(side) -> str:
    measure: Measure = mean_measure("", side["values"])
    return f"{_number(measure.value)} [{_number(measure.low)}, {_number(measure.high)}]"


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3g}"


def _list(seeds) -> str:
    return ", ".join(map(str, seeds))
