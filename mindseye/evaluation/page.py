"""The truth report as one self-contained HTML page: no scripts, no requests, words and figures."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mindseye.core.checkpoint import write_atomic
from mindseye.core.report import Measure, Report
from mindseye.evaluation import figures
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.verdict import MEANINGS, NO_REAL_TEST, headline, percent

_STAGES = {
    "collect": "Collecting",
    "fit": "Fitting the world model",
    "dream": "Training in the dream",
    "imitation": "Imitation",
    "model_free": "Model-free learning",
    "truth": "Comparing dream and reality",
}
_CURVES_PER_STAGE = 4
_STRIPS = {
    "both": "Passes in reality and in the dream",
    "dream_only": "Passes in the dream only",
    "real_only": "Passes in reality only",
    "neither": "Passes in neither",
}


def write_page(report: Report, folder: Path) -> None:
    """Write report.html into a folder.

    Args:
        report: Any report; parts whose numbers it lacks are left out.
        folder: Of the run: its metrics.jsonl and pictures are drawn in where there are any.
    """
    write_atomic(folder / "report.html", render(report, folder))


def render(report: Report, folder: Path) -> str:
    """The page's text; see `write_page`."""
    from jinja2 import Environment, PackageLoader

    jinja = Environment(
        loader=PackageLoader("mindseye.evaluation"), autoescape=True, trim_blocks=True
    )
    jinja.filters |= {"number": number, "percent": percent}
    details = report.details
    return jinja.get_template("report.html").render(
        report=report,
        headline=headline(report),
        subject=report.config.get("world") or report.config.get("data"),
        no_real_test=NO_REAL_TEST if details.get("no_real_test") else "",
        groups=_groups(report.measures),
        agents=_agents(details),
        agreement=details.get("agreement"),
        ranking=_ranking(report),
        loop=_loop(report),
        doubt=_doubt(details),
        learning=_learning(folder / "metrics.jsonl"),
        strips=_strips(report, folder),
        costs=[m for m in report.measures if m.name.startswith("cost/")],
        meanings=MEANINGS,
    )


def number(value: Any) -> str:
    """A number to read; a dash where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if not math.isfinite(value):
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace(",", " ")
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}".replace(",", " ")


def _groups(measures: Sequence[Measure]) -> dict[str, list[Measure]]:
    groups: dict[str, list[Measure]] = {}
    for measure in measures:
        if not measure.name.startswith("cost/"):
            groups.setdefault(measure.name.split("/")[0], []).append(measure)
    return groups


def _agents(details: Mapping) -> dict[str, Any] | None:
    agents = details.get("agents")
    if not agents:
        return None
    main = details.get("main", next(iter(agents)))
    knows_success = not details.get("success", "undefined").startswith("undefined")
    kinds = ("success", "return") if knows_success else ("return",)
    columns = {}
    for what in kinds:
        for side, place in (("real", "in reality"), ("dream", "in the dream")):
            key = f"{side}_success" if what == "success" else f"{side}_returns"
            found = {n: mean_measure(n, agent[key]) for n, agent in agents.items() if key in agent}
            if found:
                columns[f"{what.capitalize()} {place}"] = found
    labels = {"Success in reality": "% of real episodes passed", "Return in reality": "mean return"}
    charts = [
        figures.bars(columns[name], label, f"{name}, by agent", main, as_percent="%" in label)
        for name, label in labels.items()
        if name in columns
    ]
    return {"names": list(agents), "main": main, "columns": columns, "charts": charts}


def _ranking(report: Report) -> str:
    agents = report.details.get("agents", {})
    points = {
        name: (_mean(found["dream_returns"]), _mean(found["real_returns"]))
        for name, found in agents.items()
        if found.get("real_returns") and found.get("dream_returns")
    }
    if len(points) < 3:
        return ""
    main = report.details.get("main", next(iter(points)))
    return figures.ranking(points, "Dream return against real return, by agent", main)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _loop(report: Report) -> dict | None:
    loop = report.details.get("open_loop")
    if not loop or not loop.get("observation"):
        return None
    known = {m.name: m.value for m in report.measures}
    trusted = known.get("horizon/trust_steps", float("nan"))
    bound = report.details.get("trust_bound", 0.5)
    return {
        "observation": figures.error_curves(
            loop, bound, trusted, "Observation error against steps ahead"
        ),
        "heads": figures.head_curves(loop, "Reward and termination error against steps ahead"),
        "rows": _sampled(loop),
        "bound": bound,
    }


def _sampled(loop: Mapping) -> list[dict[str, Any]]:
    """The curves as a few rows of numbers, for those who cannot see them."""
    last = len(loop["observation"])
    at = sorted({1, 2, 3, 5, 10, 15, 20, 30, last} & set(range(1, last + 1)))
    keys = ("observation", "copy_last", "reward", "termination")
    return [{"steps": h} | {key: loop[key][h - 1] for key in keys if loop.get(key)} for h in at]


def _doubt(details: Mapping) -> str:
    loop = details.get("open_loop") or {}
    if not loop.get("uncertainty"):
        return ""
    return figures.doubt_curve(loop, "Error against the model's own doubt")


def _learning(path: Path) -> list[dict]:
    """Curves by stage, from metrics.jsonl where there is one."""
    if not path.exists():
        return []
    series: dict[str, dict[str, tuple[list, list]]] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        stage, step = row.pop("stage", ""), row.pop("step", 0)
        for name, value in row.items():
            if math.isfinite(value):
                steps, values = series.setdefault(stage, {}).setdefault(name, ([], []))
                steps.append(step)
                values.append(value)
    return [
        {
            "stage": stage_name(stage),
            "curves": [figures.learning_curve(*found[name], name) for name in telling(found)],
        }
        for stage, found in series.items()
        if telling(found)
    ]


def stage_name(stage: str) -> str:
    """A stage of a run in words."""
    return _STAGES.get(stage, stage.replace("_", " "))


def telling(found: Mapping[str, tuple[Sequence, Sequence]]) -> list[str]:
    """Metrics worth a curve: returns first, then losses."""
    long = [name for name, (steps, _) in found.items() if len(steps) > 1]
    first = [name for name in long if name.endswith("return")]
    losses = [name for name in long if name.startswith("loss") and name not in first]
    return [*first, *losses][:_CURVES_PER_STAGE]


def _strips(report: Report, folder: Path) -> list[dict[str, Any]]:
    agents = report.details.get("agents", {})
    judged = agents.get(report.details.get("main", next(iter(agents), "")), {})
    strips = []
    for name, path in report.details.get("pictures", {}).items():
        picture = folder / path
        if picture.exists():
            kind, _, row = name.partition("/")
            facts = _facts(judged, int(row)) if row.isdigit() else ""
            title = _STRIPS.get(kind, name)
            film = picture.name.startswith("film")
            shown = {"title": title, "facts": facts, "film": film, "data": _data_uri(picture)}
            strips.append(shown)
    return strips


def _facts(judged: Mapping, row: int) -> str:
    if row >= len(judged.get("real_returns", ())):
        return ""
    sides = [
        f"{name} {judged[f'{side}_lengths'][row]} steps, return "
        f"{number(judged[f'{side}_returns'][row])}"
        for side, name in (("real", "Reality:"), ("dream", "dream:"))
    ]
    return f"{'; '.join(sides)}."


def _data_uri(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
