"""Dropout's Dream Land: a controller evolved in dreams, every dream under another dropout mask.

Paper: Wellmer and Kwok (2021), "Dropout's Dream Land: Generalization from Learned Simulators to
    Reality", arXiv 2109.08342.
Claims: 1) What is evolved under dream dropout of 0.1 survives longer in reality than chance, and
    than under 0.5. 2) It survives longer than what is evolved without. 3) The dream promises less
    too much at 0.1 than without.
Differs: 1) A small world of vectors; the nearest fireball is seen, its speed is not. 2) One mixture
    for the whole code. 3) The mixture also reads code and action; reward and continuation are a
    hidden layer on memory and code; masks cover what enters the memory. 4) Noise on vectors while
    fitting. 5) Rewards are predicted, not given. 6) Short sequences begin anywhere; the norm of the
    gradient is clipped, not its values. 7) All candidates of a generation dream from the same
    starts; the best centre of the search is kept. 8) Masks hold for an episode.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import gymnasium
import numpy as np
from gymnasium import Space, spaces
from gymnasium.vector import VectorEnv
from torch import nn

from mindseye.agents.linear import LinearAgent, TrackingAgent, weight_shape
from mindseye.agents.random import RandomAgent
from mindseye.agents.repeating import RepeatingAgent
from mindseye.core.card import Card, Claim
from mindseye.core.episode import Origin
from mindseye.core.errors import MissingExtra
from mindseye.core.protocols import Agent
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience import Replay, rollout
from mindseye.learners.recurrent_fitting import CodeFitting, RecurrentFitting
from mindseye.models.world.dropout import DropoutWorldModel, PictureCode
from mindseye.models.world.mixture import MixtureKind
from mindseye.stages.evolve import dream_inside, evolve, returns
from mindseye.worlds import make, starts_from

CARD = Card(
    slug="dropout_dreamland",
    number=7,
    title="Dropout's Dream Land",
    paper="arXiv 2109.08342",
    claims=[
        Claim(
            "Evolved under dream dropout of 0.1, a controller survives longer in reality than"
            " chance does, and than one evolved under 0.5.",
            method="real/p10",
            baseline="real/random",
            ablation="real/p50",
        ),
        Claim(
            "It survives longer in reality than one evolved without dream dropout.",
            method="real/p10",
            baseline="real/p00",
            ablation="real/p50",
        ),
        Claim(
            "Dropout of 0.1 shrinks what the dream promises beyond reality.",
            method="gap/inflation_p10",
            baseline="gap/inflation_p00",
            ablation="gap/inflation_p50",
            relation="less",
        ),
    ],
    differs=[
        "grid/dodge, one fireball seen as numbers, instead of VizDoom's TakeCover seen as pictures",
        "one mixture for the whole code instead of one per number of it",
        "mixture also reads code and action; reward and end read memory and code; masks as before",
        "noise on vectors while fitting",
        "rewards are predicted, not given as 1 per step",
        "short sequences that begin anywhere; the norm of the gradient is clipped, not its values",
        "all candidates of a generation dream from the same starts; the search's centre is kept",
        "masks hold for an episode; the released code may draw them at every step",
    ],
    numbers={
        "cpu": "2,000 episodes, memory of 64, 50 generations of 16 candidates in 16 dreams each",
        "paper": "10,048 episodes, memory of 512, 2,000 generations of 64 candidates in 16 dreams;"
        " controller of 1,089 parameters; VizDoom 933 ± 552 steps at 0.1, 849 ± 500 without",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    world: str = "grid/dodge"
    """What to survive in; "module:id" names the module that registers the id."""
    observation: Literal["vector", "pixels"] = "vector"
    """How it is seen."""
    world_options: Mapping[str, float] = field(
        default_factory=lambda: {"first_rate": 0.1, "last_rate": 0.1, "num_seen": 1}
    )
    """Of the world's constructor."""
    max_steps: int = 300
    """Steps after which episodes and dreams are truncated."""
    episodes: int = 2_048
    """Real episodes of random actions, each held for 1 to 10 steps."""
    code_size: int = 64
    """Numbers that stand for a picture."""
    width: int = 64
    """Of the memory."""
    mixture: MixtureKind = "joint"
    """One mixture for the whole code, or one per "dimension"."""
    dropout: float = 0.05
    """Share dropped while fitting."""
    rates: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.5)
    """Shares dropped while dreaming, one controller each; claims need 0, 0.1 and 0.5."""
    code_updates: int = 0
    """Of the code of pictures."""
    updates: int = 2_000
    """Of memory and heads."""
    batch: int = 64
    """Segments per update."""
    length: int = 24
    """Rows of a segment."""
    learning_rate: float = 1e-2
    """Of Adam, at first; a twentieth of it at last."""
    population: int = 16
    """Candidates per generation."""
    dreams: int = 16
    """Dreams per candidate."""
    generations: int = 50
    """Of every search."""
    test_episodes: int = 256
    """Episodes by which anything is judged, dreamt or real."""


PRESETS = {
    "smoke": Config(
        max_steps=30, episodes=64, width=16, rates=(0.0, 0.05, 0.1, 0.5), updates=20, batch=8,
        population=4, dreams=2, generations=3, test_episodes=64,
    ),
    "cpu": Config(),
    "full": Config(
        world="vizdoom.gymnasium_wrapper:VizdoomTakeCover-v1", observation="pixels",
        world_options={}, max_steps=2_100, episodes=10_048, width=512, mixture="dimension",
        rates=(0.0, 0.05, 0.1, 0.2, 0.3, 0.5), code_updates=100_000, updates=40_000, batch=100,
        length=500, learning_rate=1e-3, population=64, generations=2_000, test_episodes=1_000,
    ),
}  # fmt: skip

LONGEST_HOLD = 10
"""Steps that a random action is held at most."""
SCALE, NOISE = 5.0, 0.05
"""Of the code of a vector: factor, and deviation of the noise while fitting."""
NUM_WORLDS = 64
"""Stepped together while collecting."""


def build(config: Config) -> dict[str, nn.Module]:
    """The world model, and the controller that a candidate of the search stands for."""
    model = _model(config, 0.0)
    numbers, inputs = weight_shape(model.action_space, model.num_features)
    return {"model": model, "controller": nn.Linear(inputs - 1, numbers)}


def run(config: Config, record: Run) -> Report:
    """Collect, fit one world model, evolve a controller per dream dropout, test all in reality."""
    world = _world(config, NUM_WORLDS)
    replay = collect(config, record, world)
    record.seed_torch("weights")
    model = _model(config, 0.0).to(record.device)
    fit(config, record, model, replay)
    model.requires_grad_(False)
    starts = starts_from(replay, first_only=True)
    chance = RandomAgent(world.single_action_space, record.seed_for("random"))
    measures = [
        mean_measure(f"real/{name}", test(config, record, world, name, agent), "return")
        for name, agent in (("random", chance), ("held", _held(world, record.seed_for("held"))))
    ]
    for rate in config.rates:
        name = f"p{round(100 * rate):02d}"
        dreaming = _model(config, rate)
        dreaming.load_state_dict(model.state_dict())
        weights = evolve(
            record,
            dreaming.to(record.device),
            starts=starts,
            horizon=config.max_steps,
            population=config.population,
            dreams=config.dreams,
            generations=config.generations,
            stage=f"evolve_{name}",
        )
        agent = LinearAgent(model.action_space, weights)
        dream = dream_inside(dreaming, NUM_WORLDS, starts=starts, horizon=config.max_steps)
        real = test(config, record, world, name, TrackingAgent(dreaming, agent))
        measures += judge(config, record, name, agent, dream, real)
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=measures,
        config=asdict(config),
        manifest=record.manifest,
        details={
            "real_steps": len(replay),
            "parameters": {
                n: sum(p.numel() for p in m.parameters()) for n, m in build(config).items()
            },
        },
    )


def collect(config: Config, record: Run, world: VectorEnv) -> Replay:
    """Real episodes of random actions."""
    replay = Replay(
        record.folder / "episodes", world.single_observation_space, world.single_action_space
    )
    seed, origin = record.seed_for("worlds") % 2**30, Origin("real", config.world, agent="held")
    rounds = -(-config.episodes // NUM_WORLDS)
    for index in record.steps("collect", rounds, keep={"replay": replay}):
        agent, first = _held(world, record.seed_for(f"held/{index}")), seed + index * NUM_WORLDS
        replay.add(rollout(agent, world, origin=origin, episodes=NUM_WORLDS, seed=first))
    return replay


def fit(config: Config, record: Run, model: DropoutWorldModel, replay: Replay) -> None:
    """The code of pictures first, then memory and heads."""
    if isinstance(model.code, PictureCode):
        seeing, rng = CodeFitting(model.code), record.rng("pictures")
        for _ in record.steps("code", config.code_updates, keep={"seeing": seeing, "rng": rng}):
            batch = replay.sample(config.batch, 2, rng)
            record.log(seeing.update(to_tensor(batch, record.device)))
    decay = 0.05 ** (1 / config.updates)
    fitting = RecurrentFitting(model, learning_rate=config.learning_rate, decay=decay)
    rng = record.rng("segments")
    for step in record.steps("memory", config.updates, keep={"fitting": fitting, "rng": rng}):
        batch = replay.sample(config.batch, config.length, rng)
        metrics = fitting.update(to_tensor(batch, record.device))
        if step % 20 == 0:
            record.log(metrics)


def judge(
    config: Config, record: Run, name: str, agent: Agent, dream: VectorEnv, real: Sequence[float]
) -> list[Measure]:
    """Return in reality and in the dream, and by how much the dream promises too much."""
    n, seed = config.test_episodes, record.seed_for("dreams") % 2**30
    dreamt = record.once(f"dream/{name}", lambda: returns(agent, dream, episodes=n, seed=seed))
    return [
        mean_measure(f"dream/{name}", dreamt, "return"),
        mean_measure(f"real/{name}", real, "return"),
        mean_measure(f"gap/inflation_{name}", np.subtract(dreamt, real), "return"),
    ]


def test(config: Config, record: Run, world: VectorEnv, name: str, agent: Agent) -> list[float]:
    """Returns in reality, in the same episodes for every agent."""
    n, seed = config.test_episodes, record.seed_for("test") % 2**30
    return record.once(f"real/{name}", lambda: returns(agent, world, episodes=n, seed=seed))


def _held(world: VectorEnv, seed: int) -> Agent:
    space = world.single_action_space
    return RepeatingAgent(RandomAgent(space, seed), space, longest=LONGEST_HOLD, seed=seed)


def _model(config: Config, rate: float) -> DropoutWorldModel:
    return DropoutWorldModel(
        *_spaces(config),
        width=config.width,
        mixture=config.mixture,
        scale=SCALE,
        noise=NOISE,
        code_size=config.code_size,
        dropout=config.dropout,
        dream_dropout=rate,
    )


def _spaces(config: Config) -> tuple[Space, Space]:
    if ":" in config.world:
        # of VizDoom's TakeCover, whose package need not be there to lay out the networks
        return spaces.Box(0, 255, (64, 64, 3), np.uint8), spaces.Discrete(3)
    world = _world(config, 1)
    return world.single_observation_space, world.single_action_space


def _world(config: Config, num_worlds: int) -> VectorEnv:
    options = {"observation": config.observation, "max_steps": config.max_steps}
    if ":" not in config.world:
        return make(config.world, num_worlds, **options, **config.world_options)

    def factory() -> gymnasium.Env:
        try:
            return gymnasium.make(config.world, render_mode="rgb_array", **config.world_options)
        except ModuleNotFoundError as error:
            raise MissingExtra("vizdoom", "doom") from error

    return make(factory, num_worlds, **options)
