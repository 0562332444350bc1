"""Policy-Guided Diffusion: windows of episodes, steered to a policy, teach that policy offline.

Paper: Jackson et al. (2024), "Policy-Guided Diffusion", arXiv 2404.06356.
Claims: 1) Guidance draws actions at least five times closer to a target policy's. 2) The error of
    the dynamics at most doubles. 3) TD3+BC learns better with guided than with unguided data.
    4) It learns better than from the real data alone.
Differs: 1) Gymnasium's pendulum instead of D4RL. 2) Actions are clipped to their box, not stretched
    by arctanh. 3) No normalisation in the denoiser, average pooling. 4) Fewer steps of sampling, no
    churn. 5) Half of an agent's transitions stay real; its targets follow faster; alpha is 1.5.
"""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import nn

from mindseye.agents.policy import PolicyAgent
from mindseye.agents.swing_up import SwingUp
from mindseye.core.card import Card, Claim
from mindseye.core.episode import Episode, Origin
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.core.tree import to_numpy
from mindseye.evaluation.pendulum import draw_swings, imagined_errors, motion_errors
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience import Replay, rollout
from mindseye.experience.generation import drawn_episodes
from mindseye.learners.offline import TD3BC
from mindseye.models.critics import ActionCritics
from mindseye.models.diffusion.episodes import EpisodeDiffusion, Guidance
from mindseye.models.policy.deterministic import DeterministicPolicy
from mindseye.models.world.diffusion import DiffusionWorldModel
from mindseye.stages.diffuse import fit_diffusion
from mindseye.stages.evolve import returns
from mindseye.stages.offline_agents import teach_offline
from mindseye.stages.rivals import model_free
from mindseye.worlds import make, starts_from

CARD = Card(
    slug="policy_guided_diffusion",
    number=27,
    title="Policy-Guided Diffusion",
    paper="arXiv 2404.06356",
    claims=[
        Claim(
            "Guided by a policy, drawn actions lie at least five times closer to it.",
            method="off_policy/guided",
            baseline="off_policy/unguided",
            ablation="off_policy/random",
            relation="less",
            margin=0.69897,
        ),
        Claim(
            "Guidance at most doubles the error of the dynamics; raw and early, it does more harm.",
            method="dynamics/guided",
            baseline="dynamics/bound",
            ablation="dynamics/early",
            relation="less",
        ),
        Claim(
            "TD3+BC learns more with guided data than with unguided, or guided by a random policy.",
            method="return/guided",
            baseline="return/unguided",
            ablation="return/random",
        ),
        Claim(
            "TD3+BC learns more with guided data than from real data alone.",
            method="return/guided",
            baseline="return/real",
            ablation="return/unguided",
        ),
    ],
    differs=[
        "Gymnasium's pendulum instead of D4RL; a clumsy, noisy controller wrote the data",
        "actions clipped, not stretched by arctanh; no normalisation in the denoiser",
        "32 second-order steps without churn; gradient at the denoiser's guess, normalised",
        "half of an agent's transitions stay real; alpha is 1.5; its targets follow faster",
    ],
    numbers={"cpu": "100 episodes of 200 steps, windows of 16 steps, 0.3 million parameters"},
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    world: str = "Pendulum-v1"
    """Pendulum-v1, or Hopper-v5, whose data a briefly trained policy writes."""
    episodes: int = 100
    """Real episodes, all that is learned from."""
    teacher_steps: int = 0
    """Real steps by which that policy is trained."""
    rows: int = 17
    """Of a window."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of the denoiser's levels."""
    updates: int = 1_200
    """Of the denoiser."""
    batch: int = 64
    """Windows per update."""
    sampling: int = 32
    """Second-order steps."""
    windows: int = 256
    """Drawn at each refresh, and for each measure."""
    strength: float = 1.0
    """Of guidance."""
    refreshes: int = 4
    """Times that windows are drawn anew for the agent; the first ones are unguided."""
    agent_updates: int = 3_000
    """Of TD3+BC, in all."""
    units: int = 64
    """Of policy and critics."""
    real_share: float = 0.5
    """Of the transitions of an update, where others are drawn."""
    alpha: float = 1.5
    """Weight of the value against staying near the data."""
    discount: float = 0.98
    """Per step."""
    polyak: float = 0.05
    """Share of the networks that flows into their targets per update."""
    test_episodes: int = 50
    """By which an agent is judged."""


PRESETS = {
    "smoke": Config(
        episodes=6, rows=9, widths=(8, 16), updates=8, batch=8, sampling=4, windows=8, refreshes=2,
        agent_updates=8, units=8, test_episodes=2,
    ),
    "cpu": Config(),
    "medium": Config(
        world="Hopper-v5", episodes=500, teacher_steps=200_000, rows=33, widths=(128, 256, 512),
        updates=20_000, windows=1_024, refreshes=10, agent_updates=100_000, units=256,
        discount=0.99, polyak=0.005,
    ),
    "full": Config(
        world="Hopper-v5", episodes=1_000, teacher_steps=1_000_000, rows=33,
        widths=(1_024, 2_048, 4_096), updates=1_000_000, batch=32, sampling=256, windows=8_192,
        refreshes=100, agent_updates=1_000_000, units=256, discount=0.99, polyak=0.005,
    ),
}  # fmt: skip

CLUMSY, NOISE = (0.1, 4.0, 0.5), 1.5
"""Gains and noise of the controller that writes the pendulum's data."""
REWARD_SCALE = 0.1
"""Rewards of the pendulum reach -16."""
SPACES = {"Pendulum-v1": (3, 1, 2.0), "Hopper-v5": (11, 3, 1.0)}
"""Numbers observed, acted with, and their bound: known without MuJoCo."""
AGENTS = ("real", "unguided", "random", "guided")


def build(config: Config) -> dict[str, nn.Module]:
    """The denoiser of windows, and the one-step model it is compared with."""
    seen, acts = _spaces(config)
    return {
        "windows": EpisodeDiffusion(seen, acts, rows=config.rows, widths=config.widths),
        "one_step": DiffusionWorldModel(seen, acts, is_mean=True, reward_limits=(-17.0, 0.0)),
    }


def run(config: Config, record: Run) -> Report:
    """Collect, fit the windows, measure what guidance does, teach agents with and without it."""
    world = make(config.world, min(config.episodes, 50))
    replay = collect(config, record, world)
    record.seed_torch("weights")
    models = build(config)
    shared = {"updates": config.updates, "batch_size": config.batch}
    drawer = fit_diffusion(
        record, models["windows"], replay, rows=config.rows, stage="windows", **shared
    )
    measures = guide(config, record, drawer)
    if config.world == "Pendulum-v1":
        one_step = fit_diffusion(
            record, models["one_step"], replay, rows=2, stage="one_step", **shared
        )
        measures += compare(config, record, one_step, replay)
    for name in AGENTS:
        found = teach(config, record, name, drawer, replay, world)
        measures.append(mean_measure(f"return/{name}", found, "return"))
    measures.append(mean_measure("return/data", [e.total_reward for e in replay], "return"))
    sizes = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    return Report(
        name=CARD.slug, preset="", seeds=[config.seed], measures=measures, config=asdict(config),
        manifest=record.manifest, details={"real_steps": len(replay), "parameters": sizes},
    )  # fmt: skip


def collect(config: Config, record: Run, world: VectorEnv) -> Replay:
    """What a clumsy controller, or a policy trained briefly, does."""
    agent = PolicyAgent(SwingUp(world.single_action_space, noise=NOISE, gains=CLUMSY))
    if config.teacher_steps:
        agent = model_free(record, world, steps=config.teacher_steps, name=config.world)
    seen, acts = world.single_observation_space, world.single_action_space
    replay = Replay(record.folder / "episodes", seen, acts)
    origin, seed = Origin("real", config.world, agent="clumsy"), record.seed_for("data") % 2**30
    play = partial(rollout, agent, world, origin=origin, seed=seed, explore=True)
    for _ in record.steps("collect", 1, keep={"replay": replay}):
        replay.add(play(episodes=config.episodes))
    return replay


def guide(config: Config, record: Run, model: EpisodeDiffusion) -> list[Measure]:
    """How near to a policy guidance draws, at what cost in truth."""
    acts, strength, stranger = _spaces(config)[1], config.strength, _policy(config, record)
    target = SwingUp(acts) if config.world == "Pendulum-v1" else _policy(config, record, "target")
    kinds = {
        "unguided": None,
        "guided": Guidance(target, strength),
        "random": Guidance(stranger, strength),
        "early": Guidance(target, strength, is_early=True, is_normalised=False),
    }
    found, media = {}, record.folder / "media"
    for name, guidance in kinds.items():
        measure = partial(judge, config, model, guidance, target, media / name)
        found[name] = record.once(f"guide/{name}", measure)
    bound = mean_measure("dynamics/bound", [2 * found["unguided"]["dynamics"]], "squared error")
    return [*(_measure(k, name, v) for name, f in found.items() for k, v in f.items()), bound]


def judge(
    config: Config, model: EpisodeDiffusion, guidance: Guidance | None, target: nn.Module,
    picture: Path,
) -> dict[str, float]:  # fmt: skip
    """Distance of drawn actions from a policy's, and of drawn observations from the truth."""
    drawn = model.sample(config.windows, guidance=guidance, steps=config.sampling)
    with torch.no_grad():
        wanted = target(drawn["observation"][:, :-1]).mode()
    away = float((drawn["action"][:, 1:] - wanted).square().mean().log10())
    if config.world != "Pendulum-v1":
        return {"off_policy": away, "dynamics": float("nan"), "drift": float("nan")}
    seen, acted = (to_numpy(drawn[name]).astype(np.float64) for name in ("observation", "action"))
    draw_swings(picture.with_suffix(".png"), seen, acted[:, 1:])
    return {"off_policy": away, **motion_errors(seen, acted[:, 1:])}


def compare(
    config: Config, record: Run, model: DiffusionWorldModel, replay: Replay
) -> list[Measure]:
    """The errors of a one-step model, followed by the target policy from real observations."""
    target = SwingUp(replay.action_space)
    first = starts_from(replay)(config.windows, record.rng("compare"))["observation"][:, 0]
    act, steps = lambda x: target(x).mode(), config.rows - 1
    found = record.once("compare", partial(imagined_errors, model, act, first, steps))
    return [_measure(kind, "one_step", value) for kind, value in found.items()]


def teach(
    config: Config, record: Run, name: str, drawer: EpisodeDiffusion, replay: Replay,
    world: VectorEnv,
) -> list[float]:  # fmt: skip
    """Mean returns of an agent in the second half of its training."""
    policy, stranger = _policy(config, record, "agent"), _policy(config, record)
    critics = ActionCritics(*_spaces(config), units=config.units)
    learner = TD3BC(
        policy, critics, alpha=config.alpha, discount=config.discount, polyak=config.polyak,
        learning_rate=1e-3,
    )  # fmt: skip
    targets, agent = {"guided": policy, "random": stranger}, PolicyAgent(policy)
    seed, scores = record.seed_for("test") % 2**30, []

    def draw(number: int) -> list[Episode]:
        target = targets.get(name) if number else None
        guidance = None if target is None else Guidance(target, config.strength)
        batch = drawer.sample(config.windows, guidance=guidance, steps=config.sampling)
        return drawn_episodes(batch, origin=Origin("imagined", CARD.slug, agent=name))

    def test(number: int) -> None:
        if number >= config.refreshes // 2:
            play = partial(returns, agent, world, episodes=config.test_episodes, seed=seed)
            scores.append(float(np.mean(record.once(f"return/{name}/{number}", play))))

    teach_offline(
        record, learner, list(replay), draw=None if name == "real" else draw, after=test,
        updates=config.agent_updates, rounds=config.refreshes, real_share=config.real_share,
        reward_scale=REWARD_SCALE, stage=f"teach_{name}",
    )  # fmt: skip
    return scores


def _policy(config: Config, record: Run, which: str = "stranger") -> DeterministicPolicy:
    record.seed_torch(which)
    return DeterministicPolicy(*_spaces(config), units=config.units)


def _spaces(config: Config) -> tuple[spaces.Box, spaces.Box]:
    numbers, actions, bound = SPACES[config.world]
    seen = spaces.Box(-np.inf, np.inf, (numbers,), np.float32)
    return seen, spaces.Box(-bound, bound, (actions,), np.float32)


def _measure(kind: str, name: str, value: float) -> Measure:
    unit = "log10 of action units squared" if kind == "off_policy" else "squared error"
    return mean_measure(f"{kind}/{name}", [value], unit)
