"""The truth report of a run: measured once, written as JSON and as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import gymnasium

from mindseye.core.checkpoint import write_atomic
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.page import write_page
from mindseye.evaluation.pictures import save_pictures
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.success import Success
from mindseye.evaluation.truth import Attempts, truth
from mindseye.worlds import make

BASELINES = {"random": "random", "imitation": "imitation", "model_free": "model-free"}
"""Measures `baseline/KEY` and the names of the agents they belong to."""


def reward_threshold(world: str) -> float | None:
    """What Gymnasium's registry says a solved world pays per episode, if it says so."""
    known = world in gymnasium.registry
    return gymnasium.spec(world).reward_threshold if known else None


def step_limit(world: str) -> int:
    """Steps after which Gymnasium's registry truncates an episode; 0 if it does not say."""
    known = world in gymnasium.registry
    return (gymnasium.spec(world).max_episode_steps or 0) if known else 0


def judge(
    run: Run,
    agents: Mapping[str, Agent],
    *,
    main: str,
    world: str,
    world_options: Mapping,
    model: WorldModel,
    success: Success,
    episodes: int,
    horizon: int,
    steps_ahead: int,
    costs: Mapping[str, float],
    preset: str,
) -> Report:
    """Measure agents in reality and dream, and write report.json and report.html.

    Args:
        agents: By name; those named in BASELINES are reported as baselines.
        main: The agent that is judged.
        episodes: Per agent and world; start seeds are the same for all agents.
        horizon: Longest dreamed episode.
        steps_ahead: Of the open-loop comparison.
        costs: `cost/...` measures known so far, without the prefix.
    """

    def measure() -> dict:
        real = make(world, episodes, **world_options)
        found = truth(
            agents,
            main=main,
            real=real,
            model=model,
            success=success,
            horizon=horizon,
            seed=run.seed_for("test") % 2**30,
            steps_ahead=steps_ahead,
            device=run.device,
        )
        real.close()
        measures = [*found.measures, *_baselines(found.attempts, success)]
        pictures = save_pictures(found, run.folder / "media")
        return {
            "measures": [asdict(m) for m in measures],
            "details": {**found.details, "pictures": pictures},
        }

    found = run.once("truth", measure)
    spent = {**costs, "seconds": run.seconds}
    cost = [mean_measure(f"cost/{k}", [v], UNITS.get(k, "")) for k, v in spent.items()]
    report = Report(
        name=run.name,
        preset=preset,
        seeds=[run.seed],
        measures=[*(Measure(**m) for m in found["measures"]), *cost],
        config=run.config,
        manifest=run.manifest,
        details=found["details"],
    )
    write_report(report, run.folder)
    return report


UNITS = {"real_steps": "steps", "dream_steps": "steps", "seconds": "s", "parameters": "numbers"}
"""Of costs, by name."""


def _baselines(attempts: Sequence[Attempts], success: Success) -> list[Measure]:
    by_name = {a.name: a for a in attempts}
    measures = []
    for key, name in BASELINES.items():
        if name in by_name:
            returns, passed = by_name[name].returns()[0], by_name[name].successes(success)[0]
            measures.append(mean_measure(f"baseline/{key}", returns, "return"))
            measures.append(mean_measure(f"baseline/{key}_success", passed, "share"))
    return measures


def write_report(report: Report, folder: Path) -> None:
    """Write report.json and report.html into a run's folder."""
    write_atomic(folder / "report.json", report.to_json())
    write_page(report, folder)
