"""DWS: a frozen model of video without actions becomes a world that can be steered.

Paper: He, Zhang, Lin, Xu and Pan (2025), "Pre-Trained Video Generative Models as World Simulators",
    arXiv 2502.07825.
Claims: 1) An adapter of a scale and a shift per block, learned from a few labelled episodes, gives
    control over a frozen video model; without it there is none, and the same episodes do not
    suffice to begin from nothing. 2) A loss that weighs what moves lowers the error on what moves.
    3) A policy that practised in the steered world from prioritised starts beats cloning in
    reality, and practising from uniform starts.
Differs: 1) The video model is small and learned here, from minicraft's plot with actions hidden.
    2) It denoises latents frame by frame. 3) Motion is measured on latents; its weight has mean 1.
    4) The policy learns from the sign of the advantage, held to a cloned one, instead of by PPO.
    5) Prioritised starts are not corrected for.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gymnasium.vector import VectorEnv

from mindseye.agents.policy import DreamAgent
from mindseye.agents.random import RandomAgent
from mindseye.core.card import Card, Claim
from mindseye.core.protocols import Agent
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.outcomes import Outcomes, control, moved_errors, outcomes
from mindseye.experience import Replay
from mindseye.learners.video_fitting import VideoFitting
from mindseye.models.world.sizes import VIDEO_SIZES
from mindseye.models.world.video import VideoWorldModel
from mindseye.stages.video import (
    CONTEXT,
    draw_dream,
    earned,
    encode,
    fit_tokenizer,
    labelled,
    learn_video,
    practise,
    record_play,
)
from mindseye.worlds import make

CARD = Card(
    slug="dws",
    number=1,
    title="Pre-Trained Video Generative Models as World Simulators",
    paper="arXiv 2502.07825",
    claims=[
        Claim(
            "An adapter gives control over a frozen video model; the same labelled episodes do"
            " not suffice to begin from nothing.",
            method="control/adapted",
            baseline="control/frozen",
            ablation="control/from_nothing",
        ),
        Claim(
            "A loss that weighs what moves lowers the error on what moves, below copying, too.",
            method="moved/adapted",
            baseline="moved/adapted_plainly",
            ablation="moved/copy_last",
            relation="less",
        ),
        Claim(
            "Practising in the steered world from prioritised starts beats cloning in reality, and"
            " practising from uniform starts.",
            method="real/prioritised",
            baseline="real/cloning",
            ablation="real/uniform",
        ),
    ],
    differs=[
        "a small video model, learned here from play whose actions are hidden",
        "latents are denoised frame by frame",
        "motion is measured on latents; its weight has mean 1",
        "the policy learns from the sign of the advantage instead of by PPO",
        "prioritised starts are not corrected for",
    ],
    numbers={
        "cpu": "1,024 episodes without actions, 15 of them labelled; 20 x 16 pixels",
        "paper": "Open-Sora and others; BAIR, Procgen, Atari",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    world: str = "minicraft/plot"
    """Shown as pixels."""
    max_steps: int = 20
    """Of an episode."""
    episodes: int = 1_024
    """Watched: half by a noisy script (where there is one), half at random."""
    noise: float = 0.5
    """Share of random actions in the script's episodes."""
    labelled: float = 0.015
    """Share of episodes whose actions are known when adapting."""
    size: str = "plot"
    """Of the world model, one of `VIDEO_SIZES`."""
    tokenizer_updates: int = 600
    """Of 16 pairs of frames."""
    watching: int = 1_600
    """Updates of the video model, without actions."""
    adapting: int = 500
    """Updates with actions."""
    batch: int = 8
    """Clips per update."""
    length: int = 20
    """Frames per clip."""
    learning_rate: float = 4e-3
    """Falls to a tenth in each phase."""
    motion: float = 0.5
    """Strength of the motion-reinforced loss."""
    dream_updates: int = 80
    """Of the policy, in imagination."""
    dreams: int = 64
    """Dreamed episodes per update."""
    horizon: int = 10
    """Imagined steps per dream."""
    prior_weight: float = 0.3
    """Of the divergence from the cloned policy."""
    test_episodes: int = 256
    """Real episodes per agent."""


PRESETS = {
    "smoke": Config(
        episodes=64, labelled=0.1, tokenizer_updates=4, watching=4, adapting=4, length=10,
        dream_updates=2, dreams=8, horizon=3, test_episodes=16,
    ),
    "cpu": Config(),
    "medium": Config(
        world="CarRacing-v3", max_steps=1_000, episodes=400, size="medium", batch=16, length=24,
        tokenizer_updates=20_000, watching=50_000, adapting=10_000, learning_rate=3e-4,
        dream_updates=1_000, dreams=128, horizon=16,
    ),
    "full": Config(
        world="CarRacing-v3", max_steps=1_000, episodes=50_000, size="paper", batch=64, length=64,
        tokenizer_updates=300_000, watching=500_000, adapting=50_000, learning_rate=1e-4,
        dream_updates=10_000, dreams=512, horizon=32, test_episodes=1_000,
    ),
}  # fmt: skip
ADAPTED = {"adapted": True, "adapted_plainly": True, "from_nothing": False}
"""Whether each begins from the frozen video model."""
NUM_WORLDS = 32
STEPS = 4
"""Denoising steps per imagined frame."""


def build(config: Config) -> dict[str, VideoWorldModel]:
    """The video model that only watched, and those steered by an adapter."""
    world = _world(config, 1)
    spaces = world.single_observation_space, world.single_action_space
    return {
        name: VideoWorldModel(
            *spaces,
            is_adapted=True,
            steps=STEPS,
            reward_limits=(-2.0, 3.0),
            **VIDEO_SIZES[config.size],
        )
        for name in ("frozen", *ADAPTED)
    }


def run(config: Config, record: Run) -> Report:
    """Watch, freeze, adapt, practise, test in reality."""
    world = _world(config, NUM_WORLDS)
    replay = record_play(
        record, world, episodes=config.episodes, noise=config.noise, name=config.world
    )
    record.seed_torch("weights")
    models = {name: model.to(record.device) for name, model in build(config).items()}
    frozen = models["frozen"]
    fit_tokenizer(record, frozen.tokenizer, replay, updates=config.tokenizer_updates)
    latents = encode(record, frozen.tokenizer, replay)
    fit(config, record, "frozen", frozen, latents, share=0.0, updates=config.watching)
    few = labelled(record, latents, config.labelled)
    for name, is_pretrained in ADAPTED.items():
        adapt(config, record, name, models[name], frozen, few, is_pretrained=is_pretrained)
    for model in models.values():
        model.eval().requires_grad_(False)
    coming = outcomes(
        _world(config, 2 * NUM_WORLDS),
        context=CONTEXT,
        rng=record.rng("outcomes"),
        seed=record.seed_for("outcomes") % 2**30,
    )
    measures = judge(record, models, coming)
    count = config.test_episodes
    real = _world(config, count)
    for name, agent in train(config, record, models["adapted"], latents).items():
        found = record.once(f"real/{name}", lambda a=agent: earned(record, a, real, episodes=count))
        measures.append(mean_measure(f"real/{name}", found, "achievements"))
    draw_dream(record, models["adapted"], replay.episode(0))
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=measures,
        config=asdict(config),
        manifest=record.manifest,
        details={
            "real_steps": len(replay),
            "parameters": sum(p.numel() for p in frozen.parameters()),
            "adapter": sum(p.numel() for p in (frozen.adapter or frozen).parameters()),
        },
    )


def adapt(
    config: Config,
    record: Run,
    name: str,
    model: VideoWorldModel,
    video: VideoWorldModel,
    latents: Replay,
    *,
    is_pretrained: bool,
) -> None:
    """Teach actions, rewards and what to copy; all but the adapter stays as the video model is."""
    model.tokenizer.load_state_dict(video.tokenizer.state_dict())
    if is_pretrained:
        model.load_state_dict(video.state_dict())
        model.requires_grad_(False)
        learned = [model.adapter, model.acted, model.reward, model.continuation, model.policies]
        # nothing else reads the agent's token
        for part in [*learned, model.agent]:
            part.requires_grad_(True)
    motion = 0.0 if name == "adapted_plainly" else config.motion
    fit(
        config, record, name, model, latents,
        share=config.labelled, updates=config.adapting, motion=motion,
    )  # fmt: skip


def fit(
    config: Config,
    record: Run,
    name: str,
    model: VideoWorldModel,
    latents: Replay,
    *,
    share: float,
    updates: int,
    motion: float = 0.0,
) -> None:
    """Shortcut forcing of encoded clips; episodes below the share of labels have actions."""
    fitting = VideoFitting(
        model,
        learning_rate=config.learning_rate,
        decay=0.1 ** (1 / updates),
        long_after=updates // 4,
        motion=motion,
        is_ramped=False,
        knows_agent=share > 0,
    )
    learn_video(
        record, f"fit_{name}", fitting, latents, record.rng(f"clips/{name}"), updates=updates,
        batch=config.batch, length=config.length, share=share,
    )  # fmt: skip


def judge(record: Run, models: Mapping[str, VideoWorldModel], coming: Outcomes) -> list[Measure]:
    """Control over the next frame, and the error on what moves."""
    measures = []
    for name, model in models.items():
        record.seed_torch("judge")
        found = record.once(f"control/{name}", lambda m=model: control(m, coming).tolist())
        measures.append(mean_measure(f"control/{name}", found, "share of error"))
        errors, copied = record.once(f"moved/{name}", lambda m=model: moved_errors(m, coming))
        measures.append(mean_measure(f"moved/{name}", errors, "squared latent error"))
    return [*measures, mean_measure("moved/copy_last", copied, "squared latent error")]


def train(config: Config, record: Run, model: VideoWorldModel, latents: Replay) -> dict[str, Agent]:
    """Agents by name: chance, the clone, and it after practice."""
    agents: dict[str, Agent] = {
        "random": RandomAgent(model.action_space, record.seed_for("random")),
        "cloning": DreamAgent(model, model.policies[0]),  # type: ignore[arg-type]
    }
    for name in ("uniform", "prioritised"):
        agents[name] = practise(
            record,
            model,
            latents,
            updates=config.dream_updates,
            dreams=config.dreams,
            horizon=config.horizon,
            prior_weight=config.prior_weight,
            is_prioritised=name == "prioritised",
            stage=name,
        )
    return agents


def _world(config: Config, num_worlds: int) -> VectorEnv:
    options = {"continuous": False} if config.world.startswith("CarRacing") else {}
    return make(
        config.world, num_worlds, observation="pixels", max_steps=config.max_steps, **options
    )
