"""Ctrl-World: a world of several cameras in which robot policies are ranked and one is improved.

Paper: Guo et al. (2025), "Ctrl-World: A Controllable Generative World Model for Robot
    Manipulation", arXiv 2510.10125.
Claims: 1) The dream ranks policies as reality does; a dream that mixes up actions, or one that
    remembers only the present frame, ranks them worse. 2) Tuning a cloned policy on the successes
    it had in the dream raises its real success; tuning on all its dreams raises it less.
Differs: 1) A puck on a table, two cameras of 16x16 pixels, no language. 2) Pictures are coded as a
    few points instead of by Stable Video Diffusion's autoencoder; 0.5 million weights from scratch
    draw one frame at a time, as a change, in one step. 3) Memory is looked up by the nearest pose.
    4) A network, not a person, judges success. 5) What is cloned is half good and half bad.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box, Dict
from PIL import Image

from mindseye.agents.policy import PolicyNetwork
from mindseye.agents.scripted import Manner, ScriptedPusher
from mindseye.agents.seeing import Find, SeeingAgent
from mindseye.core.batch import Batch
from mindseye.core.card import Card, Claim
from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.core.tree import Tree, map_tree, stack
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.cameras import camera_scores, camera_sheet, shown_under
from mindseye.experience import collate, rollout
from mindseye.models.world.keypoints import Eyes
from mindseye.models.world.misheard import MisheardWorldModel
from mindseye.models.world.views import MultiViewWorldModel
from mindseye.stages.finding import arrived, fit_finder
from mindseye.stages.rehearsal import agreement, rehearse, tune
from mindseye.stages.views import fit_eyes, fit_views
from mindseye.worlds import make

CARD = Card(
    slug="ctrl_world",
    number=25,
    title="Ctrl-World: A Controllable Generative World Model for Robot Manipulation",
    paper="arXiv 2510.10125",
    claims=[
        Claim(
            "The dream ranks policies as reality does.",
            method="policies/kendall/joint",
            baseline="policies/kendall/misheard",
            ablation="policies/kendall/forgetful",
        ),
        Claim(
            "Tuning a cloned policy on its imagined successes raises its real success.",
            method="success/tuned",
            baseline="success/cloned",
            ablation="success/unfiltered",
        ),
    ],
    differs=[
        "a puck on a table and two cameras of 16x16 pixels; no language",
        "pictures coded as 8 points per camera; 0.5 million weights from scratch",
        "one frame at a time, drawn as a change in one step",
        "memory is looked up by the nearest pose, not by attention",
        "a network that finds puck and goal decides about success, not a person",
        "what is improved is a clone of a good and a bad teacher",
    ],
    numbers={"paper": "three cameras of 192x320 pixels, 1.5 billion weights, 95,000 episodes"},
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    size: int = 16
    """Pixels per side of a camera's picture."""
    horizon: int = 24
    """Steps of an episode."""
    pictures: int = 4_000
    """Real pictures with known places, for the network that finds things."""
    finder_updates: int = 400
    """Of that network."""
    episodes: int = 200
    """Real ones per kind of pusher that the worlds learn from."""
    points: int = 8
    """In which the worlds code what a camera shows."""
    eye_updates: int = 700
    """Of the networks that code it, per camera."""
    updates: int = 6_000
    """Of each world."""
    batch: int = 192
    """Steps per update."""
    learning_rate: float = 2e-3
    """Of the worlds."""
    ahead: int = 12
    """Steps in a row of which a world makes its own past while learning."""
    memory: int = 12
    """Frames a world remembers."""
    recent: int = 2
    """Of these the last ones, always looked at."""
    retrieved: int = 1
    """Older ones looked up by their pose."""
    units: int = 384
    """Of the denoiser's layers."""
    layers: int = 3
    """Of the denoiser."""
    imagined: int = 128
    """Imagined episodes per policy that is ranked."""
    tested: int = 256
    """Real episodes per policy."""
    demonstrations: int = 24
    """Real episodes of each demonstrator that are cloned."""
    cloning_updates: int = 1_500
    """Of the cloned policy, and as many of the tuned ones."""
    dreams: int = 512
    """Imagined episodes of the cloned policy."""


PRESETS = {
    "smoke": Config(
        horizon=6, pictures=64, finder_updates=4, episodes=2, points=2, eye_updates=2, updates=4,
        batch=6, ahead=2, memory=4, units=16, layers=2, imagined=3, tested=6, demonstrations=2,
        cloning_updates=3, dreams=6,
    ),
    "cpu": Config(),
    "full": Config(
        size=256, horizon=100, pictures=100_000, finder_updates=20_000, episodes=12_000, points=64,
        eye_updates=100_000, updates=500_000, batch=64, learning_rate=1e-5, memory=72, recent=5,
        retrieved=6, units=12_800, layers=10, imagined=256, tested=1_024, demonstrations=100,
        cloning_updates=10_000, dreams=400,
    ),
}  # fmt: skip

CAMERAS = ("top", "wrist")
"""What the worlds see."""
TEACHERS: list[tuple[Manner, float]] = [
    ("well", 0.0), ("well", 0.6), ("well", 1.2), ("well", 2.0), ("well", 4.0),
    ("short", 0.5), ("astray", 0.5), ("idle", 0.5),
]  # fmt: skip
"""Manner and noise of the pushers that the worlds learn from."""
RANKED: list[tuple[Manner, float]] = [
    ("well", 0.0), ("well", 0.4), ("well", 0.8), ("well", 1.4), ("well", 2.2), ("short", 0.3),
]  # fmt: skip
"""Those that are ranked."""
DEMONSTRATORS: list[tuple[Manner, float]] = [("well", 0.3), ("astray", 0.3)]
"""Those that are cloned, a good one and a bad one."""
COMPARED: tuple[Manner, float] = ("well", 0.4)
AHEAD, NUMBERS, PAIRS = 10, 8, 128
"""Steps compared with real ones; numbers a policy reads; steps of an update of it."""


def build(config: Config) -> dict[str, MultiViewWorldModel]:
    """The world and one without memory, both with the same eyes."""
    world = _world(config, 1)
    seen = {name: world.single_observation_space[name] for name in (*CAMERAS, "pose")}
    eyes = Eyes(Dict(seen), points=config.points)
    looks = {"memory": config.memory, "recent": config.recent, "retrieved": config.retrieved}
    present = {"memory": 1, "recent": 1, "retrieved": 0}
    sizes = {"units": config.units, "layers": config.layers}
    return {
        name: MultiViewWorldModel(eyes, world.single_action_space, **look, **sizes)
        for name, look in (("joint", looks), ("forgetful", present))
    }


def _world(config: Config, rows: int) -> Any:
    options = {"observation": "views", "size": config.size, "max_steps": config.horizon}
    return make("tabletop/push", rows, **options)


def run(config: Config, record: Run) -> Report:
    """Learn the worlds, rank policies in them, improve one."""
    world = _world(config, 1)
    find, away = fit_finder(record, world, pictures=config.pictures, updates=config.finder_updates)
    data = collect(config, record, find)
    record.seed_torch("weights")
    worlds = train(config, record, build(config), data)
    compared = record.once("compared", lambda: compare(config, record, worlds, find))
    ranked = record.once("ranked", lambda: rank(config, record, worlds, find))
    improved = record.once("improved", lambda: improve(config, record, worlds["joint"], find))
    measures = [Measure(**m) for m in (*compared, *ranked["measures"])]
    measures += [mean_measure(f"success/{n}", x, "share") for n, x in improved.items()]
    measures.append(mean_measure("finder/error", away, "of half the table"))
    details, options = {"success": ranked["success"]}, asdict(config)
    return Report(CARD.slug, "", [config.seed], measures, (), options, record.manifest, details)


def collect(config: Config, record: Run, find: Find) -> Batch:
    """Real episodes of good and bad pushers, side by side."""
    episodes = []
    for kind in TEACHERS:
        agent = _pusher(record, kind, find)
        episodes += play(config, record, agent, f"collect/{kind}", config.episodes)
    batch = collate(episodes)
    batch["observation"] = {n: batch["observation"][n] for n in (*CAMERAS, "pose")}
    return batch


def _pusher(record: Run, kind: tuple[Manner, float], find: Find) -> Agent:
    manner, noise = kind
    pusher = ScriptedPusher(seed=record.seed_for(f"pusher/{kind}"), noise=noise, manner=manner)
    return SeeingAgent(pusher, find, camera="top")


def play(config: Config, record: Run, agent: Agent, purpose: str, count: int) -> list[Episode]:
    """Real episodes, from starts of that purpose."""
    origin, seed = Origin("real", "tabletop/push"), record.seed_for(purpose) % 2**30
    return rollout(agent, _world(config, count), origin=origin, episodes=count, seed=seed)


def train(
    config: Config, record: Run, worlds: dict[str, MultiViewWorldModel], data: Batch
) -> dict[str, MultiViewWorldModel]:
    """Fit the eyes, then every world; returns those of averaged weights."""
    seen = fit_eyes(record, worlds["joint"].eyes, data, updates=config.eye_updates)
    options = {"updates": config.updates, "batch": config.batch, "ahead": config.ahead}
    options["learning_rate"] = config.learning_rate
    return {n: fit_views(record, n, m, seen, **options) for n, m in worlds.items()}


def compare(
    config: Config, record: Run, worlds: dict[str, MultiViewWorldModel], find: Find
) -> list[dict]:
    """Likeness to real episodes under the same actions, camera by camera; draws one of them."""
    agent, ahead = _pusher(record, COMPARED, find), min(AHEAD, config.horizon)
    played = play(config, record, agent, "compare", config.tested // 2)
    real = [e for e in played if len(e) >= ahead]
    seen = stack([map_tree(lambda x: torch.tensor(x[: ahead + 1]), e.observations) for e in real])
    actions = torch.from_numpy(np.stack([e.actions[:ahead] for e in real]))
    shown = {name: shown_under(model, seen, actions) for name, model in worlds.items()}
    shown["copied"] = map_tree(lambda x: x[:, :1].expand_as(x), seen)
    (record.folder / "media").mkdir(exist_ok=True)
    sheet = camera_sheet(shown["joint"], seen, CAMERAS)
    Image.fromarray(sheet).save(record.folder / "media" / "views.png")
    scores = [camera_scores(name, views, seen, CAMERAS) for name, views in shown.items()]
    return [asdict(measure) for part in scores for measure in part]


def rank(config: Config, record: Run, worlds: dict[str, MultiViewWorldModel], find: Find) -> dict:
    """Real and imagined success of every pusher, and how well their orders agree."""
    dreams: dict[str, WorldModel] = {n: worlds[n] for n in ("joint", "forgetful")}
    dreams["misheard"] = MisheardWorldModel(worlds["joint"])
    first = _firsts(config, record, "ranked/dreams", config.imagined)
    won: dict[str, list[np.ndarray]] = {name: [] for name in ("real", "seen", *dreams)}
    for kind in RANKED:
        real = play(config, record, _pusher(record, kind, find), "ranked", config.tested)
        won["real"].append(np.array([e.terminated for e in real]))
        won["seen"].append(arrived(find, real))
        for name, model in dreams.items():
            agent = _pusher(record, kind, find)
            imagined = rehearse(model, agent, first, horizon=config.horizon)
            won[name].append(arrived(find, imagined))
    table = {name: np.stack(rows) for name, rows in won.items()}
    agreed = mean_measure("judge/right", (table["real"] == table["seen"]).mean(0), "share")
    measures = [asdict(agreed), *agreement(table["real"], {n: table[n] for n in dreams})]
    return {"measures": measures, "success": {n: x.mean(1).tolist() for n, x in table.items()}}


def improve(config: Config, record: Run, model: WorldModel, find: Find) -> dict[str, list[float]]:
    """Successes of a cloned policy, imagined and real, and of it tuned on what it dreamed."""
    shown: list[Episode] = []
    for kind in DEMONSTRATORS:
        agent = _pusher(record, kind, find)
        shown += play(config, record, agent, f"shown/{kind}", config.demonstrations)
    network = PolicyNetwork(Box(-1, 1, (NUMBERS,), np.float32), model.action_space)
    options = {"updates": config.cloning_updates, "batch": PAIRS, "rng": record.rng("improve")}
    agent = SeeingAgent(tune(network, shown, **options), find, camera="top", is_relative=True)
    cloned = {name: x.clone() for name, x in network.state_dict().items()}
    first = _firsts(config, record, "improve/dreams", config.dreams)
    dreams = rehearse(model, agent, first, horizon=config.horizon, explore=True)
    is_good = arrived(find, dreams)
    good = [e for e, passed in zip(dreams, is_good, strict=True) if passed]
    lessons = {"cloned": [], "tuned": good, "unfiltered": dreams[: max(1, len(good))]}
    won = {"imagined": is_good.astype(float).tolist()}
    for name, lesson in lessons.items():
        network.load_state_dict(cloned)
        if lesson:
            tune(network, lesson, **options)
        real = play(config, record, agent, "improved", 2 * config.tested)
        won[name] = [float(e.terminated) for e in real]
    return won


def _firsts(config: Config, record: Run, purpose: str, count: int) -> Tree:
    """First observations of real episodes."""
    return _world(config, count).reset(seed=record.seed_for(purpose) % 2**30)[0]
