"""Dreamer 4: an agent that only ever practised inside a video world learned from recordings.

Paper: Hafner, Yan and Lillicrap (2025), "Training Agents Inside of Scalable World Models",
    arXiv 2509.24527.
Claims: 1) Practising in the dream beats cloning the same recordings in reality, without one real
    step; in the dream of a world that never saw an action it does not. 2) Four shortcut steps beat
    four of diffusion forcing and come near the finest; one beats one. 3) Actions recorded for a
    small share of the episodes suffice for control.
Differs: 1) Minicraft's plot instead of Minecraft; five achievements instead of diamonds. 2) No
    perceptual loss, whose weights are not at hand. 3) Latent tokens own patches; decoding is per
    frame. 4) The network adds to a guess from the noisy frame and the one before; frames are
    denoised from a past as clear as while dreaming. 5) The agent's token is learned from the first
    update on; Muon moves hidden matrices. 6) The better half of the episodes is cloned, all of
    them teach the world.
"""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.agents.policy import DreamAgent
from mindseye.agents.random import RandomAgent
from mindseye.core.card import Card, Claim
from mindseye.core.protocols import Agent
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.outcomes import (
    Outcomes,
    control,
    copying_scores,
    energy_scores,
    outcomes,
)
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
    learn_video,
    practise,
    record_play,
)
from mindseye.worlds import make

CARD = Card(
    slug="dreamer4",
    number=2,
    title="Training Agents Inside of Scalable World Models",
    paper="arXiv 2509.24527",
    claims=[
        Claim(
            "Practising in the dream beats cloning in reality with zero real steps; in the dream"
            " of a world that never saw an action it does not.",
            method="real/dreamer",
            baseline="real/cloning",
            ablation="real/dreamer_unlabelled",
        ),
        Claim(
            "Four shortcut steps beat four steps of diffusion forcing and come within a tenth of"
            " its finest.",
            method="energy/shortcut_4",
            baseline="energy/forcing_4",
            ablation="energy/forcing_finest_and_a_tenth",
            relation="less",
        ),
        Claim(
            "A single shortcut step beats a single step of diffusion forcing, and itself untold how"
            " long the step is.",
            method="energy/shortcut_1",
            baseline="energy/forcing_1",
            ablation="energy/untold_1",
            relation="less",
        ),
        Claim(
            "Actions known for a small share of episodes give most of the control that all give.",
            method="control/some_labels",
            baseline="control/no_labels",
            ablation="control/half_of_all_labels",
        ),
    ],
    differs=[
        "minicraft's plot instead of Minecraft, five achievements instead of diamonds",
        "no perceptual loss",
        "latent tokens own patches; decoding is per frame",
        "the network adds to a guess; frames are denoised from a clear past",
        "no ramp",
        "the agent's token is learned from the first update on; Muon moves hidden matrices",
        "the better half of the episodes is cloned",
    ],
    numbers={
        "cpu": "1,024 episodes of 20 steps at 20 x 16 pixels, 0.3 M parameters",
        "paper": "2,541 hours at 360 x 640 pixels, 2 B parameters",
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
    """Recorded: half by a noisy script (where there is one), half at random."""
    noise: float = 0.5
    """Share of random actions in the script's episodes."""
    labelled: float = 0.3
    """Share of episodes whose actions are known."""
    size: str = "plot"
    """Of the world model, one of `VIDEO_SIZES`."""
    tokenizer_updates: int = 600
    """Of 16 pairs of frames."""
    updates: int = 1_600
    """Of every dynamics."""
    batch: int = 8
    """Clips per update."""
    length: int = 20
    """Frames per clip."""
    learning_rate: float = 4e-3
    """Of the dynamics; falls to a tenth."""
    dream_updates: int = 100
    """Of the policy, in imagination."""
    dreams: int = 64
    """Dreamed episodes per update."""
    horizon: int = 10
    """Imagined steps per dream."""
    prior_weight: float = 0.1
    """Of the divergence from the cloned policy."""
    test_episodes: int = 512
    """Real episodes per agent."""


PRESETS = {
    "smoke": Config(
        episodes=32, tokenizer_updates=4, updates=4, dream_updates=2, dreams=8,
        horizon=3, test_episodes=16,
    ),
    "cpu": Config(),
    "medium": Config(
        world="crafter", max_steps=1_000, episodes=1_000, size="medium", tokenizer_updates=20_000,
        updates=50_000, batch=16, length=32, learning_rate=3e-4,
        dream_updates=2_000, dreams=256, horizon=32,
    ),
    "full": Config(
        world="crafter", max_steps=10_000, episodes=100_000, size="paper",
        tokenizer_updates=300_000, updates=500_000, batch=64, length=64,
        learning_rate=1e-4, dream_updates=50_000, dreams=1_024, horizon=64, test_episodes=1_000,
    ),
}  # fmt: skip
"""Full: 0.4 B parameters of tokenizer and 1.6 B of dynamics, as in the paper."""
VARIANTS = ("shortcut", "forcing", "all_labels", "no_labels")
"""World models that differ in one thing; "no_labels" is deaf to actions."""
PRACTISED = {"dreamer": "all_labels", "dreamer_unlabelled": "no_labels"}
"""Agents, and in whose dream each practises."""
NUM_WORLDS = 32
STEPS = 4
"""Denoising steps per imagined frame."""
LONG_SHARE = 0.25
"""Share of clips that learn steps longer than the finest."""


def build(config: Config) -> dict[str, VideoWorldModel]:
    """One world model per variant."""
    models = {name: _model(config, is_shortcut=name != "forcing") for name in VARIANTS}
    # starts at zero and stays there
    models["no_labels"].acted.requires_grad_(False)
    return models


def run(config: Config, record: Run) -> Report:
    """Record, tokenize, learn worlds, practise in two of them, test in reality."""
    world = _world(config, NUM_WORLDS)
    replay = record_play(
        record, world, episodes=config.episodes, noise=config.noise, name=config.world
    )
    record.seed_torch("weights")
    models = {name: model.to(record.device) for name, model in build(config).items()}
    tokenizer = models["shortcut"].tokenizer
    fit_tokenizer(record, tokenizer, replay, updates=config.tokenizer_updates)
    latents = encode(record, tokenizer, replay)
    measures: list[Measure] = []
    for name, model in models.items():
        model.tokenizer.load_state_dict(tokenizer.state_dict())
        fit(config, record, name, model, latents)
    coming = outcomes(
        _world(config, 2 * NUM_WORLDS),
        context=CONTEXT,
        rng=record.rng("outcomes"),
        seed=record.seed_for("outcomes") % 2**30,
    )
    measures += judge_sampling(config, record, models, coming)
    measures += judge_control(config, record, models, coming)
    prior = models["all_labels"].policies[0]
    agents: dict[str, Agent] = {
        "random": RandomAgent(prior.space, record.seed_for("random")),
        "cloning": DreamAgent(models["all_labels"], prior),
    }
    for name, source in PRACTISED.items():
        models[source].steps = STEPS
        agents[name] = practise(
            record,
            models[source],
            latents,
            updates=config.dream_updates,
            dreams=config.dreams,
            horizon=config.horizon,
            prior_weight=config.prior_weight,
            stage=name,
        )
    count = config.test_episodes
    real = _world(config, count)
    for name, agent in agents.items():
        found = record.once(f"real/{name}", lambda a=agent: earned(record, a, real, episodes=count))
        measures.append(mean_measure(f"real/{name}", found, "achievements"))
    draw_dream(record, models["all_labels"], replay.episode(0))
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=measures,
        config=asdict(config),
        manifest=record.manifest,
        details={
            "real_steps": len(replay),
            "parameters": {n: sum(p.numel() for p in m.parameters()) for n, m in models.items()},
        },
    )


def fit(config: Config, record: Run, name: str, model: VideoWorldModel, latents: Replay) -> None:
    """Dynamics from encoded clips, and where an agent is to practise, what its token is to know."""
    is_for_agent = name in PRACTISED.values()
    fitting = VideoFitting(
        model,
        learning_rate=config.learning_rate,
        decay=0.1 ** (1 / config.updates),
        long_share=LONG_SHARE if model.is_shortcut else 0.0,
        long_after=config.updates // 3,
        is_ramped=False,
        knows_agent=is_for_agent,
    )
    learn_video(
        record, f"fit_{name}", fitting, latents, record.rng("clips"), updates=config.updates,
        batch=config.batch, length=config.length, share=1.0 if is_for_agent else config.labelled,
    )  # fmt: skip
    model.eval().requires_grad_(False)


def judge_sampling(
    config: Config, record: Run, models: Mapping[str, VideoWorldModel], coming: Outcomes
) -> list[Measure]:
    """How well samples match the possible next frames when the action is not known."""
    deaf, finest = copy.copy(models["shortcut"]), models["forcing"].finest
    deaf.is_shortcut = False
    asked = [(name, steps) for name in ("shortcut", "forcing") for steps in (1, 2, 4, finest)]
    found = {}
    for name, steps in [*asked, ("untold", 1)]:
        model = deaf if name == "untold" else models[name]
        model.steps = steps
        record.seed_torch("energy")
        label = f"{name}_finest" if steps == finest else f"{name}_{steps}"
        found[label] = record.once(
            f"energy/{label}", lambda m=model: energy_scores(m, coming).tolist()
        )
    found["forcing_finest_and_a_tenth"] = np.multiply(found["forcing_finest"], 1.1).tolist()
    found["copying"] = copying_scores(models["forcing"], coming).tolist()
    return [
        mean_measure(f"energy/{name}", values, "latent distance") for name, values in found.items()
    ]


def judge_control(
    config: Config, record: Run, models: Mapping[str, VideoWorldModel], coming: Outcomes
) -> list[Measure]:
    """By how much the action told lowers the error of the next frame, against the others."""
    shares = {"some_labels": "shortcut", "all_labels": "all_labels", "no_labels": "no_labels"}
    found = {}
    for share, name in shares.items():
        models[name].steps = STEPS
        record.seed_torch("control")
        found[share] = record.once(
            f"control/{share}", lambda m=models[name]: control(m, coming).tolist()
        )
    found["half_of_all_labels"] = np.multiply(found["all_labels"], 0.5)
    return [mean_measure(f"control/{n}", values, "share of error") for n, values in found.items()]


def _model(config: Config, *, is_shortcut: bool) -> VideoWorldModel:
    world = _world(config, 1)
    return VideoWorldModel(
        world.single_observation_space,
        world.single_action_space,
        is_shortcut=is_shortcut,
        reward_limits=(-2.0, 3.0),
        **VIDEO_SIZES[config.size],
    )


def _world(config: Config, num_worlds: int) -> VectorEnv:
    return make(config.world, num_worlds, observation="pixels", max_steps=config.max_steps)
