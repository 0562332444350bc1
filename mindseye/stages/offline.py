"""Judging what was learned from recorded data alone: there is no world for a real test."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.open_loop import TRUST_BOUND, open_loop
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.success import Success
from mindseye.evaluation.truth import open_loop_curves, trust_measures
from mindseye.experience import Replay, rollout
from mindseye.stages.judge import UNITS, write_report
from mindseye.worlds import DreamWorld, starts_from

HELD_OUT = 0.1
"""Share of episodes kept from everything that learns: the newest ones, at least one."""
_CONTEXT = 4
_GROUP = 256


def hold_out(replay: Replay, folder: Path) -> tuple[Replay, Replay]:
    """Copy episodes into `episodes` and `held_out` below a folder; goes on where it was stopped.

    Raises:
        DataError: If there are fewer than two episodes.
    """
    numbers = [n for n in range(replay.num_episodes) if n not in replay.damaged]
    last = max(1, round(HELD_OUT * len(numbers)))
    if len(numbers) < 2:
        raise DataError(
            f"{replay.folder}: holds {len(numbers)} episodes, expected at least 2, one of them to "
            "test on; add episodes"
        )
    parts = {"episodes": numbers[:-last], "held_out": numbers[-last:]}
    first, second = (_copy(replay, chosen, folder / name) for name, chosen in parts.items())
    return first, second


def _copy(replay: Replay, numbers: list[int], folder: Path) -> Replay:
    into = Replay(folder, replay.observation_space, replay.action_space)
    left = numbers[into.num_episodes :]
    for start in range(0, len(left), _GROUP):
        into.add([replay.episode(n) for n in left[start : start + _GROUP]])
    return into


def judge_offline(
    run: Run,
    agents: Mapping[str, Agent],
    *,
    main: str,
    model: WorldModel,
    held_out: Replay,
    success: Success,
    episodes: int,
    horizon: int,
    costs: Mapping[str, float],
) -> Report:
    """Measure the dream on episodes nobody learned from, and agents inside the dream.

    Args:
        agents: By name, acted in the dream from first observations that were held out.
        main: The agent that is judged.
        success: What counts as success in the dream.
        episodes: Dreamed episodes per agent.
        horizon: Longest dreamed episode.
        costs: `cost/...` measures known so far, without the prefix.
    """
    found = run.once(
        "offline",
        lambda: _measure(
            run,
            agents,
            main=main,
            model=model,
            held_out=held_out,
            success=success,
            episodes=episodes,
            horizon=horizon,
        ),
    )
    spent = {**costs, "seconds": run.seconds}
    cost = [mean_measure(f"cost/{k}", [v], UNITS.get(k, "")) for k, v in spent.items()]
    report = Report(
        name=run.name,
        preset="offline",
        seeds=[run.seed],
        measures=[*(Measure(**m) for m in found["measures"]), *cost],
        config=run.config,
        manifest=run.manifest,
        details=found["details"],
    )
    write_report(report, run.folder)
    return report


def _measure(
    run: Run,
    agents: Mapping[str, Agent],
    *,
    main: str,
    model: WorldModel,
    held_out: Replay,
    success: Success,
    episodes: int,
    horizon: int,
) -> dict:
    recorded = list(held_out)
    context = min(_CONTEXT, max(len(e) for e in recorded))
    loop = open_loop(
        model,
        recorded,
        context=context,
        horizon=max(1, min(30, horizon - context)),
        count=min(256, 4 * len(recorded)),
        rng=np.random.default_rng(run.seed_for("test")),
        device=run.device,
    )
    dreamed = {
        name: _dream(run, name, agent, model, held_out, episodes, horizon)
        for name, agent in agents.items()
    }
    returns = {name: [e.total_reward for e in made] for name, made in dreamed.items()}
    passed = {name: [success(e) for e in made] for name, made in dreamed.items()}
    measures = [
        mean_measure("dream/return", returns[main], "return"),
        mean_measure("dream/success", passed[main], "share"),
        mean_measure("data/return", [e.total_reward for e in recorded], "return"),
        mean_measure("data/success", [success(e) for e in recorded], "share"),
        *trust_measures(loop),
    ]
    details = {
        "no_real_test": True,
        "main": main,
        "success": str(success),
        "agents": {
            name: {"dream_returns": returns[name], "dream_success": passed[name]} for name in agents
        },
        "open_loop": open_loop_curves(loop),
        "open_loop_data": f"Measured on {len(recorded)} episodes that nothing learned from.",
        "trust_bound": TRUST_BOUND,
    }
    return {"measures": [asdict(m) for m in measures], "details": details}


def _dream(
    run: Run,
    name: str,
    agent: Agent,
    model: WorldModel,
    held_out: Replay,
    episodes: int,
    horizon: int,
) -> list[Episode]:
    starts = starts_from(held_out, first_only=True)
    dream = DreamWorld(model, episodes, starts=starts, horizon=horizon)
    origin = Origin("imagined", "dream", agent=name)
    seed = run.seed_for("test") % 2**30
    return rollout(agent, dream, origin=origin, episodes=episodes, seed=seed, explore=True)
