"""Dreamer 4: an agent that only ever practised inside a video world learned from recordings.

Paper: Hafner, Yan and Lillicrap (2025), "Training Agents Inside of Scalable World Models",
    arXiv 2509.24527.
Claims: 1) Practising in the dream beats cloning the same recordings in reality, without one real
    step; in the dream of a world that never saw an action it does not. 2) Four shortcut steps beat
    four of diffusion forcing and come near the finest. 3) Actions recorded for a small share of
    the episodes suffice for control.
Differs: 1) Minicraft's yard instead of Minecraft; five achievements instead of diamonds. 2) No
    perceptual loss, whose weights are not at hand. 3) Latent tokens own patches; decoding is per
    frame. 4) The network adds to a guess from the noisy frame and the one before; frames are
    denoised from a past as clear as while dreaming. 5) The agent's token is learned from the first
    update on. 6) The better half of the episodes is cloned, all of them teach the world.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from gymnasium.vector import VectorEnv

from mindseye.agents.crafting import ScriptedCrafter
from mindseye.agents.policy import DreamAgent
from mindseye.agents.random import RandomAgent
from mindseye.core.card import Card, Claim
from mindseye.core.episode import Origin
from mindseye.core.protocols import Agent
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.outcomes import Outcomes, control, energy_scores, outcomes
from mindseye.experience import Replay, rollout
from mindseye.learners.preference import PreferenceImagination
from mindseye.learners.video_fitting import TokenizerFitting, VideoFitting
from mindseye.models.world.sizes import VIDEO_SIZES
from mindseye.models.world.video import VideoWorldModel
from mindseye.stages.encode import LABELLED, encode
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
            "Actions known for a small share of episodes give most of the control that all give.",
            method="control/some_labels",
            baseline="control/no_labels",
            ablation="control/half_of_all_labels",
        ),
    ],
    differs=[
        "minicraft's yard instead of Minecraft, five achievements instead of diamonds",
        "no perceptual loss",
        "latent tokens own patches; decoding is per frame",
        "the network adds to a guess; frames are denoised from a clear past",
        "the agent's token is learned from the first update on",
        "the better half of the episodes is cloned",
    ],
    numbers={
        "cpu": "384 episodes of 30 steps at 24 x 20 pixels, 0.7 M parameters",
        "paper": "2,541 hours at 360 x 640 pixels, 2 B parameters",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    world: str = "minicraft/yard"
    """Shown as pixels."""
    max_steps: int = 30
    """Of an episode."""
    episodes: int = 384
    """Recorded: half by a noisy script (where there is one), half at random."""
    noise: float = 0.6
    """Share of random actions in the script's episodes."""
    labelled: float = 0.3
    """Share of episodes whose actions are known."""
    size: str = "yard"
    """Of the world model, one of `VIDEO_SIZES`."""
    tokenizer_updates: int = 300
    """Of 16 pairs of frames."""
    updates: int = 2_000
    """Of every dynamics."""
    batch: int = 8
    """Clips per update."""
    length: int = 10
    """Frames per clip."""
    learning_rate: float = 2e-3
    """Of the dynamics; falls to a tenth."""
    dream_updates: int = 120
    """Of the policy, in imagination."""
    dreams: int = 64
    """Dreamed episodes per update."""
    horizon: int = 12
    """Imagined steps per dream."""
    test_episodes: int = 128
    """Real episodes per agent."""


PRESETS = {
    "smoke": Config(
        episodes=32, tokenizer_updates=4, updates=4, dream_updates=2, dreams=8, horizon=3,
        test_episodes=16,
    ),
    "cpu": Config(),
    "medium": Config(
        world="crafter", max_steps=1_000, episodes=1_000, size="medium", tokenizer_updates=20_000,
        updates=50_000, batch=16, length=32, learning_rate=3e-4, dream_updates=2_000, dreams=256,
        horizon=32,
    ),
    "full": Config(
        world="crafter", max_steps=10_000, episodes=100_000, size="paper",
        tokenizer_updates=300_000, updates=500_000, batch=64, length=64, learning_rate=1e-4,
        dream_updates=50_000, dreams=1_024, horizon=64, test_episodes=1_000,
    ),
}  # fmt: skip
"""Full: 0.4 B parameters of tokenizer and 1.6 B of dynamics, as in the paper."""
VARIANTS = {"shortcut": None, "forcing": None, "all_labels": 1.0, "no_labels": 0.0}
"""Share of labelled episodes where it is not the configured one."""
NUM_WORLDS = 32
CONTEXT = 4
"""Frames seen before imagination begins."""
STEPS = 4
"""Denoising steps per imagined frame."""


def build(config: Config) -> dict[str, VideoWorldModel]:
    """One world model per variant."""
    return {name: _model(config, is_shortcut=name != "forcing") for name in VARIANTS}


def run(config: Config, record: Run) -> Report:
    """Record, tokenize, learn worlds, practise in two of them, test in reality."""
    replay = collect(config, record)
    record.seed_torch("weights")
    models = {name: model.to(record.device) for name, model in build(config).items()}
    tokenizer = models["shortcut"].tokenizer
    fit_tokenizer(config, record, tokenizer, replay)
    latents = encode(record, tokenizer, replay, record.folder / "latents")
    measures: list[Measure] = []
    for name, model in models.items():
        model.tokenizer.load_state_dict(tokenizer.state_dict())
        fit(config, record, name, model, latents)
        model.eval().requires_grad_(False)
    coming = outcomes(
        _world(config, 2 * NUM_WORLDS),
        context=CONTEXT,
        rng=record.rng("outcomes"),
        seed=record.seed_for("outcomes") % 2**30,
    )
    measures += judge_sampling(config, record, models, coming)
    measures += judge_control(config, record, models, coming)
    prior = models["shortcut"].policies[0]
    agents: dict[str, Agent] = {
        "random": RandomAgent(prior.space, record.seed_for("random")),
        "cloning": DreamAgent(models["shortcut"], prior),
    }
    for name, told in (("dreamer", "shortcut"), ("dreamer_unlabelled", "no_labels")):
        agents[name] = practise(config, record, name, models[told], latents)
    for name, agent in agents.items():
        earned = record.once(f"real/{name}", lambda a=agent: test(config, record, a))
        measures.append(mean_measure(f"real/{name}", earned, "achievements"))
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


def collect(config: Config, record: Run) -> Replay:
    """Real episodes; which actions are known, and which episodes are worth cloning, are extras."""
    world = _world(config, NUM_WORLDS)
    replay = Replay(
        record.folder / "episodes", world.single_observation_space, world.single_action_space
    )
    rounds, first = -(-config.episodes // (2 * NUM_WORLDS)), record.seed_for("worlds") % 2**30
    chance = RandomAgent(world.single_action_space, record.seed_for("chance"))
    for index in record.steps("collect", rounds, keep={"replay": replay}):
        seed = first + 2 * NUM_WORLDS * index
        world.reset(seed=seed)
        script = _script(config, world, record.seed_for(f"script/{index}")) or chance
        episodes = [
            episode
            for turn, agent in enumerate((script, chance))
            for episode in rollout(
                agent,
                world,
                origin=Origin("real", config.world),
                episodes=NUM_WORLDS,
                seed=seed + turn * NUM_WORLDS,
            )
        ]
        middle = np.median([episode.total_reward for episode in episodes])
        hidden = record.rng(f"labels/{index}").permutation(len(episodes)) / len(episodes)
        replay.add(
            replace(
                episode,
                extras={
                    "weight": np.full(len(episode), episode.total_reward > middle, np.float32),
                    LABELLED: np.full(len(episode), hidden[number], np.float32),
                },
            )
            for number, episode in enumerate(episodes)
        )
    return replay


def fit_tokenizer(config: Config, record: Run, tokenizer, replay: Replay) -> None:
    """Masked autoencoding of pairs of frames."""
    decay = 0.05 ** (1 / config.tokenizer_updates)
    fitting = TokenizerFitting(tokenizer, learning_rate=6e-3, decay=decay)
    rng = record.rng("frames")
    keep = {"fitting": fitting, "rng": rng}
    for _ in record.steps("tokenizer", config.tokenizer_updates, keep=keep):
        batch = replay.sample(16, 2, rng)
        record.log(fitting.update(to_tensor(batch, record.device)))


def fit(config: Config, record: Run, name: str, model: VideoWorldModel, latents: Replay) -> None:
    """Dynamics and agent token from encoded clips, some of them without actions."""
    fitting = VideoFitting(
        model,
        learning_rate=config.learning_rate,
        decay=0.1 ** (1 / config.updates),
        long_share=0.25 if model.is_shortcut else 0.0,
        long_after=config.updates // 4,
        knows_agent=True,
    )
    share = VARIANTS[name]
    share = config.labelled if share is None else share
    rng = record.rng("clips")
    keep = {"fitting": fitting, "rng": rng}
    for step in record.steps(f"fit_{name}", config.updates, keep=keep):
        batch = latents.sample(config.batch, config.length, rng)
        batch = {**batch, LABELLED: (batch[LABELLED] < share).float()}
        metrics = fitting.update(to_tensor(batch, record.device))
        if step % 20 == 0:
            record.log(metrics)


def judge_sampling(
    config: Config, record: Run, models: Mapping[str, VideoWorldModel], coming: Outcomes
) -> list[Measure]:
    """How well samples match the possible next frames when the action is not known."""
    finest = models["forcing"].finest
    measures, scores = [], []
    for name in ("shortcut", "forcing"):
        for steps in (1, 2, 4, finest):
            models[name].steps = steps
            record.seed_torch("energy")
            scores = record.once(
                f"energy/{name}_{steps}", lambda m=models[name]: energy_scores(m, coming).tolist()
            )
            label = "finest" if steps == finest else str(steps)
            measures.append(mean_measure(f"energy/{name}_{label}", scores, "latent distance"))
    nearly = np.multiply(scores, 1.1)
    return [*measures, mean_measure("energy/forcing_finest_and_a_tenth", nearly, "latent distance")]


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


def practise(
    config: Config, record: Run, name: str, model: VideoWorldModel, latents: Replay
) -> Agent:
    """Improve the cloned policy inside the dream."""
    record.seed_torch(name)
    model.steps = STEPS
    learner = PreferenceImagination(
        model, model.policies[0], horizon=config.horizon, passes=4, value_limits=(-2.0, 8.0)
    )
    rng = record.rng("starts")
    keep = {"learner": learner, "rng": rng}
    for _ in record.steps(name, config.dream_updates, keep=keep):
        batch = to_tensor(
            latents.sample(config.dreams, CONTEXT, rng, crossing=False), record.device
        )
        with torch.no_grad():
            state = model.initial(config.dreams)
            for t in range(CONTEXT):
                first = batch["is_first"][:, t] | (t == 0)
                action, seen = batch["action"][:, t], batch["observation"][:, t]
                state = model.remember(state, action, seen, first)
        record.log(learner.update(state))
    return DreamAgent(model, learner.policy)


def test(config: Config, record: Run, agent: Agent) -> list[float]:
    """Real returns, in the same episodes for every agent."""
    record.seed_torch("test")
    found = rollout(
        agent,
        _world(config, config.test_episodes),
        origin=Origin("real", config.world),
        episodes=config.test_episodes,
        seed=record.seed_for("test") % 2**30,
        explore=True,
    )
    return [episode.total_reward for episode in found]


def _script(config: Config, world: VectorEnv, seed: int) -> Agent | None:
    if not config.world.startswith("minicraft/"):
        return None
    return ScriptedCrafter(world, noise=config.noise, seed=seed)


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
