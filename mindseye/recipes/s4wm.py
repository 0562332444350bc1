"""S4WM: a world model whose memory is a state-space model recalls what it saw long ago.

Paper: Deng, Park and Ahn (2023), "Facing Off World Model Backbones: RNNs, Transformers, and S4",
    arXiv 2307.02064.
Claims: 1) Imagining open loop, a state-space memory recalls the past better than a recurrent one
    of equal size after equally many updates; without memory nothing is recalled. 2) The time of a
    training update grows more slowly with the length of sequences than that of a recurrent
    state-space model (RSSM), whose posterior must wait for its memory.
Differs: 1) A ring of colours instead of rooms in 3-D: symbols, no images. 2) Diagonal layers (S4D)
    without HiPPO's low-rank part. 3) One learning rate for all parameters; the paper's line of work
    trains the state-space parameters more slowly. 4) The training of recurrent models is not
    truncated, which favours them here; a model trained on short segments is reported beside.
    5) Free nats well below the log of the number of colours, which is all there is to recall.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Discrete

from mindseye.core.batch import Batch
from mindseye.core.card import Card, Claim
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.core.tree import take
from mindseye.evaluation.statistics import mean_measure
from mindseye.learners.model_fitting import ModelFitting
from mindseye.models.world.latent import BackboneName, LatentWorldModel
from mindseye.worlds.grids import Ring
from mindseye.worlds.grids import build as build_world

CARD = Card(
    slug="s4wm",
    number=13,
    title="Facing Off World Model Backbones: RNNs, Transformers, and S4",
    paper="arXiv 2307.02064",
    claims=[
        Claim(
            "A state-space memory recalls what a recurrent one forgets, imagining open loop.",
            method="recall/s4",
            baseline="recall/gru",
            ablation="recall/s4_without_memory",
            margin=0.2,
        ),
        Claim(
            "Training time grows more slowly with length than for a recurrent state-space model.",
            method="growth/s4",
            baseline="growth/rssm",
            ablation="growth/s4_stepwise",
            relation="less",
        ),
    ],
    differs=[
        "a ring of colours instead of rooms in 3-D; symbols instead of images",
        "diagonal state-space layers (S4D) without the low-rank part",
        "one learning rate for all parameters",
        "recurrent models train through whole sequences; one on short segments is reported beside",
        "free nats well below the log of the number of colours",
    ],
    numbers={
        "cpu": "ring of 48 cells, 192 rows, half of them imagined",
        "paper": "rooms in 3-D, sequences of up to 2,000 steps",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    num_cells: int = 48
    """Cells of the ring: how far back a colour must be remembered, in steps."""
    length: int = 192
    """Rows of an episode."""
    context: int = 96
    """Rows seen before imagination begins, at least num_cells."""
    episodes: int = 2_000
    """Episodes to learn from."""
    test_episodes: int = 128
    """Held-out episodes to recall."""
    updates: int = 350
    """Of every model."""
    batch: int = 16
    """Episodes per update."""
    learning_rate: float = 1e-3
    """Of AdamW."""
    units: int = 64
    """Of every dense layer."""
    width: int = 64
    """Of the state-space model and the transformer."""
    gru_width: int = 114
    """Of the recurrent unit; gives it as many parameters."""
    rssm_width: int = 176
    """Of the recurrent state-space model; gives it as many parameters."""
    variables: int = 4
    """Categorical latents."""
    classes: int = 8
    """Values of each."""
    layers: int = 2
    """Of the state-space model and the transformer."""
    modes: int = 32
    """Complex modes per channel of a state-space layer."""
    segment: int = 24
    """Rows that the model trained on short segments sees at a time; must divide length."""
    free_nats: float = 0.1
    """Divergence of posterior and prior that costs nothing."""
    repeats: int = 3
    """Timed updates per length; the fastest counts."""


PRESETS = {
    "smoke": Config(
        num_cells=6, length=24, context=12, episodes=16, test_episodes=8, updates=3, batch=4,
        units=16, width=16, gru_width=24, rssm_width=24, modes=4, segment=6, repeats=1,
    ),
    "cpu": Config(),
    "full": Config(
        num_cells=500, length=2_000, context=1_000, episodes=10_000, test_episodes=1_000,
        updates=100_000, batch=8, learning_rate=1e-4, units=512, width=512, gru_width=1_520,
        rssm_width=2_744, variables=32, classes=32, layers=6, modes=128, segment=100,
    ),
}  # fmt: skip

KL_BALANCE = 0.8
"""Share of the divergence that moves the prior; the rest moves the posterior."""
TRAINED = ("s4", "gru", "gru_short", "transformer")
TIMED = ("s4", "s4_stepwise", "gru", "transformer", "rssm")


def build(config: Config) -> dict[str, LatentWorldModel]:
    """One world model per name, of nearly equal size."""
    ring = Ring(config.num_cells)
    spaces = ring.observation_space, ring.action_space
    s4 = {"layers": config.layers, "modes": config.modes}
    attention = {"layers": config.layers, "window": config.length}
    return {
        "s4": _model(config, spaces, "s4", config.width, s4),
        "s4_stepwise": _model(config, spaces, "s4", config.width, {**s4, "is_parallel": False}),
        "gru": _model(config, spaces, "gru", config.gru_width, {}),
        "gru_short": _model(config, spaces, "gru", config.gru_width, {}),
        "transformer": _model(config, spaces, "transformer", config.width, attention),
        "rssm": _model(config, spaces, "rssm", config.rssm_width, {}),
    }


def _model(
    config: Config,
    spaces: tuple[Discrete, Discrete],
    backbone: BackboneName,
    width: int,
    memory: Mapping[str, Any],
) -> LatentWorldModel:
    return LatentWorldModel(
        *spaces,
        backbone=backbone,
        width=width,
        units=config.units,
        variables=config.variables,
        classes=config.classes,
        doubters=0,
        memory=memory,
    )


def run(config: Config, record: Run) -> Report:
    """Train every model on the same episodes, then let it recall; time one update of each."""
    record.seed_torch("weights")
    models = build(config)
    data = walk(config, config.episodes, record.seed_for("episodes"))
    test = walk(config, config.test_episodes, record.seed_for("test"))
    recalled: dict[str, list[list[float]]] = {}
    for name in TRAINED:
        train(config, record, name, models[name], data)
        recalled[name] = record.once(
            f"{name}/recall", lambda n=name: recall(config, models[n], test)
        )
    recalled["s4_without_memory"] = record.once(
        "s4/forget", lambda: recall(config, models["s4"], test, forget=True)
    )
    measures = [
        mean_measure(f"recall/{name}", np.mean(right, 1), "share of imagined steps")
        for name, right in recalled.items()
    ]
    for name in TIMED:
        added = record.once(f"{name}/growth", lambda n=name: grow(config, models[n], data))
        measures.append(Measure(f"growth/{name}", added, added, added, config.repeats, "s per row"))
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=measures,
        config=asdict(config),
        manifest=record.manifest,
        details={
            "recall_by_step": {n: np.mean(right, 0).tolist() for n, right in recalled.items()},
            "chance": 1 / Ring(config.num_cells).num_colours,
            "parameters": {n: sum(p.numel() for p in m.parameters()) for n, m in models.items()},
        },
    )


def walk(config: Config, episodes: int, seed: int) -> Batch:
    """Episodes of walking on and on, fields as in `core.batch`."""
    world = build_world(f"grid/ring-{config.num_cells}", episodes, max_steps=config.length)
    seen = [world.reset(seed=seed)[0]]
    onwards = np.ones(episodes, np.int64)
    seen += [world.step(onwards)[0] for _ in range(config.length - 1)]
    first = torch.zeros(episodes, config.length, dtype=torch.bool)
    first[:, 0] = True
    return {
        "observation": torch.from_numpy(np.stack(seen, 1)),
        "action": (~first).long(),
        "reward": torch.zeros(first.shape),
        "continuation": torch.ones(first.shape),
        "is_first": first,
        "mask": torch.ones(first.shape),
    }


def train(config: Config, record: Run, name: str, model: LatentWorldModel, data: Batch) -> None:
    """Fit a model; every model sees the same number of rows per update."""
    fitting, rng = _fitting(config, model), record.rng("batches")
    for step in record.steps(name, config.updates, keep={"fitting": fitting, "rng": rng}):
        batch = take(data, rng.integers(config.episodes, size=config.batch))
        if name == "gru_short":
            batch = {field: rows.reshape(-1, config.segment) for field, rows in batch.items()}
        metrics = fitting.update(batch)
        if step % 10 == 0:
            record.log(metrics)


@torch.no_grad()
def recall(
    config: Config, model: LatentWorldModel, test: Batch, *, forget: bool = False
) -> list[list[float]]:
    """Whether each imagined observation was right, by episode and step.

    Args:
        forget: Empty the memory before every imagined step.
    """
    episodes = len(test["mask"])
    context = take(test, (slice(None), slice(config.context)))
    rows = torch.arange(episodes)
    state = model.posteriors(context).state_at(rows, torch.full_like(rows, config.context - 1))
    right = []
    for t in range(config.context, config.length):
        if forget:
            state = {**state, "memory": model.initial(episodes)["memory"]}
        state = model.imagine(state, test["action"][:, t])
        right.append(model.predict(state).observation == test["observation"][:, t])
    return torch.stack(right, 1).float().tolist()


def grow(config: Config, model: LatentWorldModel, data: Batch) -> float:
    """Processor seconds that one more row per episode adds to a training update."""
    fitting, few, many = _fitting(config, model), config.length // 4, config.length
    return (_seconds(config, fitting, data, many) - _seconds(config, fitting, data, few)) / (
        many - few
    )


def _seconds(config: Config, fitting: ModelFitting, data: Batch, rows: int) -> float:
    batch = take(data, (slice(config.batch), slice(rows)))
    found = []
    for _ in range(config.repeats + 1):
        began = time.process_time()
        fitting.update(batch)
        found.append(time.process_time() - began)
    # the first one allocates
    return min(found[1:])


def _fitting(config: Config, model: LatentWorldModel) -> ModelFitting:
    return ModelFitting(
        model,
        learning_rate=config.learning_rate,
        dynamics_weight=KL_BALANCE,
        representation_weight=1 - KL_BALANCE,
        free_nats=config.free_nats,
    )
