"""The truth report: the same agents, from the same starts, in the dream and in the real world.

What is measured and why is told in docs/truth_report.md; names of measures are part of the public
interface.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.report import Measure
from mindseye.core.tree import Tree, concatenate, stack, take
from mindseye.evaluation.distance import distance, unrelated
from mindseye.evaluation.open_loop import TRUST_BOUND, OpenLoop, open_loop
from mindseye.evaluation.playback import play_back
from mindseye.evaluation.statistics import bootstrap, kendall, mean_measure, spearman
from mindseye.evaluation.success import Success
from mindseye.experience.rollout import rollout
from mindseye.worlds.dream import DreamWorld
from mindseye.worlds.starts import first_observations


@dataclass(frozen=True)
class Attempts:
    """One agent's matched episodes: row i of both began from the same real observation."""

    name: str
    real: Sequence[Episode]
    dream: Sequence[Episode]

    def returns(self) -> tuple[np.ndarray, np.ndarray]:
        """(real, dream) undiscounted returns."""
        real = np.array([e.total_reward for e in self.real])
        return real, np.array([e.total_reward for e in self.dream])

    def successes(self, success: Success) -> tuple[np.ndarray, np.ndarray]:
        """(real, dream) as booleans."""
        real = np.array([success(e) for e in self.real])
        return real, np.array([success(e) for e in self.dream])


def attempt(
    name: str,
    agent: Agent,
    *,
    real: VectorEnv,
    model: WorldModel,
    horizon: int,
    seed: int,
    explore: bool = True,
) -> Attempts:
    """Let an agent act once per row in reality, then from the same first observations in the dream.

    Args:
        real: One row per episode; row i begins from `seed + i`.
        horizon: Steps after which a dreamed episode is cut; the real world's own limit is fair.
        explore: Whether the agent samples its actions, as it did when it learned.
    """
    count = real.num_envs
    lived = rollout(
        agent,
        real,
        origin=Origin("real", "real", agent=name),
        episodes=count,
        seed=seed,
        explore=explore,
    )
    firsts = stack([take(e.observations, 0) for e in lived])
    dream = DreamWorld(model, count, starts=_in_turn(firsts, model), horizon=horizon)
    dreamed = rollout(
        agent,
        dream,
        origin=Origin("imagined", "dream", agent=name),
        episodes=count,
        seed=seed,
        explore=explore,
    )
    return Attempts(name, lived, dreamed)


def _in_turn(firsts: Tree, model: WorldModel):
    """Starts that hand out the given first observations one after the other."""
    given = 0

    def starts(n: int, rng: np.random.Generator) -> Mapping:
        nonlocal given
        rows = np.arange(given, given + n)
        given += n
        return first_observations(take(firsts, rows), model.action_space)

    return starts


@dataclass(frozen=True)
class Truth:
    """Everything the page draws and the JSON holds."""

    main: str
    attempts: Sequence[Attempts]
    open_loop: OpenLoop
    measures: Sequence[Measure]
    details: Mapping


def truth(
    agents: Mapping[str, Agent],
    *,
    main: str,
    real: VectorEnv,
    model: WorldModel,
    success: Success,
    horizon: int,
    seed: int,
    context: int = 4,
    steps_ahead: int = 30,
    explore: bool = True,
    device: str = "cpu",
) -> Truth:
    """Compare agents in reality and dream, and the dream with reality.

    Args:
        agents: By name, the judged one and others of different skill; ranking wants five or more.
        main: The agent whose gap and agreement are reported.
        real: One row per episode.
        model: The world model that dreams.
        success: What counts as success in both.
        horizon: Longest dreamed episode.
        seed: Real row i begins from `seed + i`.
        context, steps_ahead: Of the open-loop comparison.
        explore: Whether agents sample their actions.
        device: Where the model lives.
    """
    tried = [
        attempt(name, agent, real=real, model=model, horizon=horizon, seed=seed, explore=explore)
        for name, agent in agents.items()
    ]
    judged = next(a for a in tried if a.name == main)
    episodes = [e for a in tried for e in a.real]
    loop = open_loop(
        model,
        episodes,
        context=context,
        horizon=steps_ahead,
        count=min(256, 4 * len(episodes)),
        rng=np.random.default_rng(seed),
        device=device,
    )
    replayed = play_back(judged.dream, real, seed=seed)
    measures = [
        *_returns(judged, success),
        *_ranking(tried),
        *trust_measures(loop),
        *_replay(judged, replayed, success),
    ]
    details = {
        "main": main,
        "success": str(success),
        "agents": {a.name: _agent_details(a, success) for a in tried},
        "agreement": _agreement(judged, success),
        "open_loop": open_loop_curves(loop) | {"noise_floor": _noise_floor(judged, real, seed)},
        "trust_bound": TRUST_BOUND,
        "real_test_steps": int(sum(len(e) for e in episodes)),
        "dream_test_steps": int(sum(len(e) for a in tried for e in a.dream)),
    }
    return Truth(main, tried, loop, measures, details)


def _returns(judged: Attempts, success: Success) -> list[Measure]:
    real, dream = judged.returns()
    passed_real, passed_dream = judged.successes(success)
    matrix = _agreement(judged, success)
    return [
        mean_measure("real/return", real, "return"),
        mean_measure("dream/return", dream, "return"),
        mean_measure("gap/return", real - dream, "return"),
        mean_measure("real/success", passed_real, "share"),
        mean_measure("dream/success", passed_dream, "share"),
        mean_measure("agreement/dream_only", passed_dream & ~passed_real, "share"),
        mean_measure("agreement/real_only", passed_real & ~passed_dream, "share"),
        Measure("agreement/both", *[matrix["both"] / len(real)] * 3, n=len(real), unit="share"),
    ]


def _agreement(judged: Attempts, success: Success) -> dict[str, int]:
    real, dream = judged.successes(success)
    return {
        "both": int((real & dream).sum()),
        "neither": int((~real & ~dream).sum()),
        "real_only": int((real & ~dream).sum()),
        "dream_only": int((~real & dream).sum()),
    }


def _ranking(tried: Sequence[Attempts]) -> list[Measure]:
    """Rank agreement of agents by mean return, intervals by resampling matched episodes."""
    pairs = [a.returns() for a in tried]
    real, dream = (np.stack(x) for x in zip(*pairs, strict=True))
    measures = []
    for name, statistic in (("kendall_tau", kendall), ("spearman", spearman)):

        def draw(rng: np.random.Generator, statistic=statistic) -> float:
            rows = rng.integers(real.shape[1], size=real.shape[1])
            return statistic(real[:, rows].mean(1), dream[:, rows].mean(1))

        low, high = bootstrap(draw, rounds=500)
        value = statistic(real.mean(1), dream.mean(1))
        measures.append(Measure(f"ranking/{name}", value, low, high, len(tried), "correlation"))
    return measures


def trust_measures(loop: OpenLoop) -> list[Measure]:
    """Trust horizon and calibration, with intervals by resampling windows."""
    rows = len(loop.observation)

    def resampled(rng: np.random.Generator) -> OpenLoop:
        index = rng.integers(rows, size=rows)
        doubt = None if loop.uncertainty is None else loop.uncertainty[index]
        return OpenLoop(
            loop.observation[index],
            loop.copy_last[index],
            loop.reward[index],
            loop.termination[index],
            doubt,
            loop.alive[index],
        )

    out = []
    for name, statistic, unit in (
        ("horizon/trust_steps", lambda x: float(x.trust_horizon()), "steps"),
        ("calibration/spearman", OpenLoop.calibration, "correlation"),
        ("calibration/coverage", OpenLoop.coverage, "share"),
    ):
        low, high = bootstrap(lambda rng, s=statistic: s(resampled(rng)), rounds=200)
        out.append(Measure(name, statistic(loop), low, high, rows, unit))
    return out


def _replay(judged: Attempts, replayed: Sequence[Episode], success: Success) -> list[Measure]:
    """Imagined actions acted in reality from the same start."""
    unit = unrelated(concatenate([e.observations for e in judged.real]), np.random.default_rng(0))
    errors = []
    for dreamed, real in zip(judged.dream, replayed, strict=True):
        rows = slice(1, min(len(dreamed), len(real)) + 1)
        gaps = distance(take(dreamed.observations, rows), take(real.observations, rows))
        errors.append(float(gaps.mean()) / unit)
    kept = [
        float(success(real))
        for dreamed, real in zip(judged.dream, replayed, strict=True)
        if success(dreamed)
    ]
    return [
        mean_measure("replay/observation_error", errors, "share of unrelated"),
        mean_measure("replay/success_kept", kept, "share"),
    ]


def _noise_floor(judged: Attempts, real: VectorEnv, seed: int) -> float:
    """Distance of real episodes to themselves, acted again from the same seed."""
    again = play_back(judged.real, real, seed=seed)
    gaps = [
        distance(take(a.observations, rows), take(b.observations, rows)).mean()
        for a, b in zip(judged.real, again, strict=True)
        for rows in [slice(0, min(len(a), len(b)) + 1)]
    ]
    unit = unrelated(concatenate([e.observations for e in judged.real]), np.random.default_rng(0))
    return float(np.mean(gaps)) / unit


def open_loop_curves(loop: OpenLoop) -> dict[str, list[float]]:
    """Mean errors per step ahead, JSON-ready."""
    return {
        "observation": loop.curve(loop.observation),
        "copy_last": loop.curve(loop.copy_last),
        "reward": loop.curve(loop.reward),
        "termination": loop.curve(loop.termination),
        "uncertainty": [] if loop.uncertainty is None else loop.curve(loop.uncertainty),
    }


def _agent_details(tried: Attempts, success: Success) -> dict:
    real, dream = tried.returns()
    passed_real, passed_dream = tried.successes(success)
    return {
        "real_returns": real.tolist(),
        "dream_returns": dream.tolist(),
        "real_success": passed_real.tolist(),
        "dream_success": passed_dream.tolist(),
        "real_lengths": [len(e) for e in tried.real],
        "dream_lengths": [len(e) for e in tried.dream],
    }
