"""The loop by default: experience, world model, dream-trained agent, truth report.

What `mindseye train` runs. Every stage is resumable on its own and can be called alone.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import gymnasium

from mindseye.agents.policy import DreamAgent
from mindseye.agents.random import RandomAgent
from mindseye.core.card import Claim
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.core.report import Report
from mindseye.core.run import Run
from mindseye.evaluation.success import success_from
from mindseye.experience import Replay
from mindseye.learners.imagination import ImaginationActorCritic
from mindseye.learners.model_fitting import ModelFitting
from mindseye.models.files import save_model, save_policy
from mindseye.models.policy import PolicyHead
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES, SizeName
from mindseye.stages.collect import collect
from mindseye.stages.dream import train_in_dream
from mindseye.stages.fit import fit, longest, reward_limits
from mindseye.stages.judge import judge, reward_threshold, step_limit
from mindseye.stages.offline import hold_out, judge_offline
from mindseye.stages.rivals import clone, model_free
from mindseye.worlds import make


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Options of the default loop. The defaults are the demonstration."""

    world: str = "MiniGrid-DoorKey-6x6-v0"
    """Gymnasium id, or one of our own grid/... worlds."""
    observation: Literal["default", "pixels", "symbols", "text"] = "default"
    """What the agent sees, where the world offers a choice."""
    steps: int = 30_000
    """Real steps collected with a random policy. Nothing later touches the real world but tests."""
    backbone: Literal["gru", "transformer", "s4", "rssm"] = "gru"
    """Memory of the world model."""
    size: SizeName = "small"
    """Size of the world model."""
    fit_updates: int = 1_200
    """Gradient steps of the world model."""
    dream_updates: int = 800
    """Improvements of the policy inside the dream."""
    batch: int = 32
    """Segments per gradient step."""
    length: int = 24
    """Rows per segment."""
    starts: int = 256
    """Imagined segments per improvement."""
    horizon: int = 15
    """Imagined steps per segment."""
    discount: float = 0.98
    """Per step, inside the dream."""
    entropy: float = 1e-2
    """Weight of the policy's entropy, per nat."""
    success_share: float = 0.5
    """Of segments drawn from successful episodes, while there are any."""
    clone_updates: int = 300
    """Gradient steps of the imitation rival."""
    episodes: int = 50
    """Test episodes per agent, in reality and in the dream each."""


CLAIMS = (
    Claim(
        "Trained only in its dream, the agent earns more in reality than learning without a model"
        " from as many real steps, and than cloning the data's successes.",
        method="real/return",
        baseline="baseline/model_free",
        ablation="baseline/imitation",
    ),
    Claim(
        "It passes more often than learning without a model, and than a random agent.",
        method="real/success",
        baseline="baseline/model_free_success",
        ablation="baseline/random_success",
    ),
)
"""What the demonstration is held to over seeds."""

NUM_WORLDS = 16
"""Worlds stepped side by side while collecting: small enough that rounds stay short."""


def run_loop(config: LoopConfig, run: Run) -> Report:
    """Collect, fit, dream, test.

    Raises:
        WorldError: If the world is unknown.
        SpecError: If its spaces cannot be modelled.
    """
    options: dict[str, Any] = (
        {} if config.observation == "default" else {"observation": config.observation}
    )
    world = make(config.world, NUM_WORLDS, **options)
    spaces = world.single_observation_space, world.single_action_space
    check_model(config, *spaces)
    replay = Replay(run.folder / "episodes", *spaces)
    explorer = RandomAgent(spaces[1], run.seed_for("explorer"))
    real_steps = collect(run, world, explorer, replay, steps=config.steps, name=config.world)
    model = fit_stage(config, run, replay)
    agents = dream_stage(config, run, replay, model)
    rivals: dict[str, Agent] = {
        "random": RandomAgent(spaces[1], run.seed_for("random")),
        "imitation": clone(run, replay, updates=config.clone_updates),
        "model-free": model_free(run, world, steps=real_steps, name=config.world),
    }
    world.close()
    return judge(
        run,
        {**agents, **rivals},
        main="dream",
        world=config.world,
        world_options=options,
        model=model,
        success=success_from(reward_threshold(config.world), replay),
        episodes=config.episodes,
        horizon=max(longest(replay), step_limit(config.world)),
        steps_ahead=max(1, min(30, longest(replay) - 5)),
        costs=costs(config, model, real_steps),
        preset="default",
    )


def run_offline(config: LoopConfig, run: Run, replay: Replay) -> Report:
    """The loop on recorded data alone: everything but the real test."""
    check_model(config, replay.observation_space, replay.action_space)
    seen, held_out = hold_out(replay, run.folder)
    model = fit_stage(config, run, seen)
    agents = dream_stage(config, run, seen, model)
    return judge_offline(
        run,
        {**agents, "imitation": clone(run, seen, updates=300)},
        main="dream",
        model=model,
        held_out=held_out,
        success=success_from(None, seen),
        episodes=config.episodes,
        horizon=longest(seen),
        costs=costs(config, model, len(seen)),
    )


def check_model(
    config: LoopConfig, observation_space: gymnasium.Space, action_space: gymnasium.Space
) -> None:
    """Refuse impossible options and spaces before any work is done.

    Raises:
        ConfigError: If a count is not positive.
        SpecError: If a space cannot be modelled or acted in.
    """
    for name, value in asdict(config).items():
        if isinstance(value, int) and value < 1:
            raise ConfigError(f"--{name.replace('_', '-')}: expected at least 1, got {value}")
    LatentWorldModel(observation_space, action_space, **SIZES["tiny"].arguments())
    PolicyHead(action_space, features=8, units=8, layers=1)


def build_model(config: LoopConfig, replay: Replay) -> LatentWorldModel:
    """The model that a config and the data's spaces and rewards ask for."""
    return LatentWorldModel(
        replay.observation_space,
        replay.action_space,
        backbone=config.backbone,
        reward_limits=reward_limits(replay),
        **SIZES[config.size].arguments(),
    )


def fit_stage(config: LoopConfig, run: Run, replay: Replay) -> LatentWorldModel:
    """Fit a new model to a replay."""
    run.seed_torch("model")
    model = build_model(config, replay).to(run.device)
    fit(
        run,
        ModelFitting(model),
        replay,
        updates=config.fit_updates,
        batch_size=config.batch,
        length=config.length,
        success_share=config.success_share,
    )
    save_model(run.folder / "model", model)
    return model.eval()


def dream_stage(
    config: LoopConfig, run: Run, replay: Replay, model: LatentWorldModel
) -> dict[str, Agent]:
    """Train a policy inside the model; returns the agent "dream" and earlier selves of it."""
    run.seed_torch("policy")
    policy = new_policy(model).to(run.device)
    low, high = reward_limits(replay)
    most = max(-low, high) * min(longest(replay), 1 / (1 - config.discount))
    learner = ImaginationActorCritic(
        model,
        policy,
        horizon=config.horizon,
        discount=config.discount,
        entropy_weight=config.entropy,
        value_limits=(-most, most),
    )
    earlier = train_in_dream(
        run,
        learner,
        replay,
        updates=config.dream_updates,
        starts=config.starts,
        batch_size=config.batch,
        length=config.length,
        success_share=config.success_share,
    )
    save_policy(run.folder / "policy", policy)
    agents: dict[str, Agent] = {"dream": DreamAgent(model, policy)}
    for share, weights in earlier.items():
        past = new_policy(model).to(run.device)
        past.load_state_dict(weights)
        agents[f"dream at {float(share):.0%}"] = DreamAgent(model, past)
    return agents


def new_policy(model: LatentWorldModel) -> PolicyHead:
    """An untrained policy on a model's features."""
    return PolicyHead(model.action_space, features=model.num_features, units=256, layers=2)


def costs(config: LoopConfig, model: LatentWorldModel, real_steps: int) -> dict[str, float]:
    """What the run spent, in units of its own."""
    return {
        "real_steps": real_steps,
        "dream_steps": config.dream_updates * config.starts * config.horizon,
        "parameters": sum(p.numel() for p in model.parameters()),
    }
