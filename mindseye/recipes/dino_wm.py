"""DINO-WM: predict frozen visual features instead of pixels, and plan to the features of a picture.

Paper: Zhou, Pan, LeCun and Pinto (2024), "DINO-WM: World Models on Pre-trained Visual Features
    enable Zero-shot Planning", arXiv 2411.04983.
Claims: 1) Planning in a world of patch features reaches pictures of goals, with no reward and no
    policy ever learned, more often than in a world of pixels, and than in one of pooled features.
    2) More often than chance; not if actions are shuffled in training.
    3) It predicts better than that nothing changes; not if actions are shuffled.
Differs: 1) Unless an encoder is named, the features come from a small vision transformer that
    learned from hidden patches of the same recorded frames. 2) Features are standardised, and
    changes of them are predicted. 3) A command is held for all steps of an action. 4) The distance
    to the goal counts at every step of a plan. 5) iCEM; one action is executed per plan.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from mindseye.agents.goals import GoalPolicyAgent, GoalReaching
from mindseye.agents.planners import GradientPlanner, Scorer, icem
from mindseye.agents.planning import PlanningAgent
from mindseye.agents.random import RandomAgent
from mindseye.core.batch import Batch
from mindseye.core.card import Card, Claim
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Agent
from mindseye.core.report import Report
from mindseye.core.run import Run
from mindseye.evaluation.reaching import draw_dream, journeys, next_token_errors
from mindseye.evaluation.statistics import mean_measure
from mindseye.models.files import save_model
from mindseye.models.perception.encoders import FrameEncoder, Pooled, RawPatches
from mindseye.models.perception.transformers import TransformersEncoder
from mindseye.models.perception.vision import PatchTransformer
from mindseye.models.world.features import FeatureWorldModel
from mindseye.stages.features import clone_goals, fit_features, learn_to_see, wander
from mindseye.worlds import SimulatorModel, make
from mindseye.worlds.rules import show
from mindseye.worlds.tabletop import errands

CARD = Card(
    slug="dino_wm",
    number=40,
    title="DINO-WM",
    paper="arXiv 2411.04983",
    claims=[
        Claim(
            "Planning in a world of patch features reaches pictured goals more often than in a"
            " world of pixels; pooled features do not do.",
            method="reached/features",
            baseline="reached/pixels",
            ablation="reached/pooled",
            margin=0.1,
        ),
        Claim(
            "It reaches them more often than chance does; what actions do must have been learned.",
            method="reached/features",
            baseline="reached/random",
            ablation="reached/shuffled",
            margin=0.2,
        ),
        Claim(
            "The next features are predicted better than by copying the last.",
            method="error/features",
            baseline="error/copy",
            ablation="error/shuffled",
            relation="less",
            margin=0.2,
        ),
    ],
    differs=[
        "features learned from hidden patches of the same frames, unless an encoder is named",
        "standardised features; changes are predicted; attention over space and time in turns",
        "one command held for all steps of an action; the distance counts at every step of a plan",
        "iCEM instead of CEM; one action executed per plan; as many plans for every method",
    ],
    numbers={"cpu": "wall world, 32 px", "paper": "Wall .96, pooled (CLS) .58; PushT .90, .44"},
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    world: str = "tabletop/wall"
    """One of `NEAR`."""
    size: int = 32
    """Pixels per side of a frame."""
    patch: int = 8
    """Pixels per side of a patch."""
    repeat: int = 5
    """Steps that a command is held."""
    episodes: int = 800
    """Of random actions, to learn from; 40 more to measure errors."""
    steps: int = 12
    """Actions per episode."""
    encoder: str = ""
    """Folder or name of an encoder for the transformers library; none: one is learned."""
    features: int = 48
    """Per patch, of the learned encoder."""
    encoder_layers: int = 2
    """Of the learned encoder."""
    encoder_updates: int = 1_000
    """Of the learned encoder, 32 frames each."""
    width: int = 64
    """Of the predictor."""
    layers: int = 2
    """Of the predictor."""
    window: int = 1
    """Frames the predictor reads."""
    updates: int = 1_400
    """Of every predictor."""
    batch: int = 32
    """Segments per update."""
    learning_rate: float = 6e-3
    """Of AdamW, of encoder and predictors, at first; it falls to a twentieth."""
    goals: int = 32
    """Pairs of starts and goals, half of them in different rooms."""
    attempts: int = 10
    """Actions to reach a goal with."""
    horizon: int = 5
    """Actions planned ahead."""
    samples: int = 32
    """Candidates in the first round of a search."""
    iterations: int = 4
    """Rounds of a search."""


PRESETS = {
    "smoke": Config(
        size=16, patch=8, episodes=8, steps=3, features=16, encoder_layers=1, encoder_updates=2,
        width=16, layers=1, updates=2, batch=4, goals=4, attempts=2, horizon=2, samples=8,
        iterations=2,
    ),
    "cpu": Config(),
    "medium": Config(
        world="control/point_mass-easy", size=64, patch=16, repeat=40, episodes=1_600,
        encoder_updates=2_500, layers=4, window=2, updates=2_500, samples=64,
    ),
    "full": Config(
        size=196, patch=14, episodes=1_920, steps=10, encoder="facebook/dinov2-small",
        features=384, encoder_layers=12, encoder_updates=0, width=512, layers=6, window=3,
        updates=60_000, batch=32, learning_rate=5e-5, goals=50, attempts=20, samples=300,
        iterations=10,
    ),
}  # fmt: skip

HEADS, CLIMBS = 4, 3
"""Attention heads; restarts of the climber."""
NEAR = {"tabletop/wall": (0.14, 0.4), "control/point_mass-easy": (0.04, 0.12)}
"""How near is there, and how far away goals are at least, in units of the world."""
BLURS = (1 / 16, 3 / 16)
"""Scales of what hidden patches look like, relative to the frame."""
ACTIONS = spaces.Box(-1, 1, (2,), np.float32)


def build(config: Config) -> dict[str, FeatureWorldModel]:
    """Worlds of patch features, of pooled features and of pixels, their predictors alike."""
    return _worlds(config, _encoder(config))


def _encoder(config: Config) -> PatchTransformer:
    return PatchTransformer(
        (config.size, config.size, 3), patch=config.patch, features=config.features,
        layers=config.encoder_layers, heads=HEADS,
    )  # fmt: skip


def _worlds(config: Config, encoder: FrameEncoder) -> dict[str, FeatureWorldModel]:
    eyes: dict[str, FrameEncoder] = {"features": encoder, "shuffled": encoder}
    eyes |= {
        "pooled": Pooled(encoder),
        "pixels": RawPatches((config.size, config.size, 3), patch=config.patch),
    }
    pictures = spaces.Box(0, 255, (config.size, config.size, 3), np.uint8)
    return {
        name: FeatureWorldModel(
            pictures, ACTIONS, eye, width=config.width, layers=config.layers, heads=HEADS,
            window=config.window,
        )
        for name, eye in eyes.items()
    }  # fmt: skip


def _world(config: Config, num_worlds: int) -> Any:
    return make(config.world, num_worlds, **_face(config))


def _face(config: Config) -> dict[str, Any]:
    face = {"observation": "pixels", "size": config.size, "repeat": config.repeat}
    return {**face, "max_steps": 10_000}


def run(config: Config, record: Run) -> Report:
    """Wander, learn to see, learn to predict in four ways, then go where pictures say."""
    data, unseen = (
        wander(_world(config, rows), config.steps, seed=record.seed_for(name) % 2**30)
        for name, rows in (("wander", config.episodes), ("unseen", min(40, config.episodes)))
    )
    encoder = see(config, record, data)
    many = _world(config, 40 * config.goals)
    seed, least = record.seed_for("goals") % 2**30, NEAR[config.world][1]
    task = errands(many, config.goals, seed=seed, least=least)
    record.seed_torch("weights")
    worlds, found, errors = _worlds(config, encoder), {}, {}
    for name, model in worlds.items():
        fit_features(
            record, name, model, data, updates=config.updates, batch_size=config.batch,
            learning_rate=config.learning_rate, is_shuffled=name == "shuffled",
        )  # fmt: skip
        errors[name] = record.once(f"error/{name}", lambda m=model: next_token_errors(m, unseen))
    best = worlds["features"]
    draw_dream(best, unseen, record.folder / "media" / "imagined.png")
    if not config.encoder:
        save_model(record.folder / "model", best, world=config.world, options=_face(config))
    copied = record.once("error/copy", lambda: next_token_errors(best, unseen, is_copied=True))
    errors["copy"] = copied
    policy = clone_goals(record, best, data, updates=config.updates, longest=config.steps // 2)
    for name in (*worlds, "gradient", "simulator", "cloning", "random"):
        model = worlds.get(name, best)
        found[name] = record.once(
            f"reached/{name}", lambda n=name, m=model: go(config, n, m, policy, task)
        )
    return report(config, record, found, errors)


def report(config: Config, record: Run, found: dict, errors: dict) -> Report:
    """Shares of goals reached at any time, and at the end; errors; seconds per decision."""
    reach = NEAR[config.world][0]
    near = {name: np.array(journey["apart"]) < reach for name, journey in found.items()}
    measures = [mean_measure(f"reached/{n}", x.any(0), "of goals") for n, x in near.items()]
    measures += [mean_measure(f"stayed/{n}", x[-1], "of goals") for n, x in near.items()]
    measures += [mean_measure(f"error/{n}", e, "variance") for n, e in errors.items()]
    measures += [mean_measure(f"time/{n}", x["seconds"], "s") for n, x in found.items()]
    across = np.arange(config.goals) >= config.goals // 2
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=[measure for measure in measures if measure.n],
        config=asdict(config),
        manifest=record.manifest,
        details={
            "distance_by_step": {n: np.mean(x["apart"], 1).tolist() for n, x in found.items()},
            "reached_across": {n: float(x[:, across].any(0).mean()) for n, x in near.items()},
        },
    )


def see(config: Config, record: Run, data: Batch) -> FrameEncoder:
    """The named encoder, or one that learns from the recorded frames."""
    if config.encoder:
        return TransformersEncoder(config.encoder, download=True).to(record.device)
    record.seed_torch("encoder")
    encoder, blurs = _encoder(config), [share * config.size for share in BLURS]
    frames = data["observation"].flatten(0, 1)
    rate, updates = config.learning_rate, config.encoder_updates
    learn_to_see(record, encoder, frames, blurs=blurs, updates=updates, learning_rate=rate)
    return encoder


def go(config: Config, name: str, model: FeatureWorldModel, policy: object, task: tuple) -> dict:
    """Distances to the goals after every action, and seconds per decision."""
    world = _world(config, config.goals)
    world.reset(seed=0)
    agent = _agent(config, name, model, policy, world, show(world, task[1]))
    with fast_arithmetic(model.device):
        apart, seconds = journeys(agent, world, *task, steps=config.attempts)
    return {"apart": apart.tolist(), "seconds": seconds}


def _agent(
    config: Config, name: str, model: FeatureWorldModel, policy: object, world: Any, pictures
) -> Agent:
    if name == "random":
        return RandomAgent(ACTIONS, seed=config.seed)
    goals = model.encode(torch.from_numpy(pictures).to(model.device))
    if name == "cloning":
        return GoalPolicyAgent(model.encode, policy, goals)
    reaching = GoalReaching(model, model.tokens, goals, on_the_way=1.0)
    if name == "simulator":
        true = SimulatorModel(world, lambda rows: _world(config, rows))
        reaching = GoalReaching(true, lambda s: model.encode(s["observation"]), goals, on_the_way=1)
    scorer, rounds = Scorer(discount=1.0, value=reaching.nearness), config.iterations
    planner = icem(config.horizon, samples=config.samples, iterations=rounds, scorer=scorer)
    if name == "gradient":
        planner = GradientPlanner(config.horizon, CLIMBS, 2 * rounds, scorer=scorer)
    return PlanningAgent(reaching, planner)
