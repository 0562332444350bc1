"""Model-based generalization: Q-learning from a learned model's experience, against replay.

Paper: Young, Ramesh, Kirsch and Schmidhuber (2022), "The Benefits of Model-Based Generalization in
    Reinforcement Learning", arXiv 2211.02222.
Claims: 1) At equal compute, experience from a learned model teaches more than replay of the data
    the model was learned from, 2) and sooner. 3) The advantage comes from the world being made of
    independent parts: it is gone when the world, or only its model, sees these mixed.
Differs: 1) PanFlute and the observation model only. 2) Layer normalisation and SiLU in the action
    values; AdamW with a second decay of 0.999; gradients clipped at a norm of 100. 3) Imagined bits
    are drawn with the predicted probabilities; the official code passes logits as probabilities.
    4) Imagined steps are always weighted by the predicted continuation. 5) One learning rate and
    temperature for all learners; the paper tunes both for each. 6) The ablations are ours.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from mindseye.agents.value import ValueAgent
from mindseye.core.batch import Batch
from mindseye.core.card import Card, Claim
from mindseye.core.report import Report
from mindseye.core.run import Run
from mindseye.core.tree import Tree
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience.stream import Stream
from mindseye.learners.optimiser import Optimiser
from mindseye.learners.q_learning import QLearning
from mindseye.models.value import ActionValueNetwork
from mindseye.models.world.bits import BitsModel
from mindseye.worlds.grids import build as build_world
from mindseye.worlds.grids.pan_flute import PanFlute, PanFluteState
from mindseye.worlds.rules.randomness import Draws

CARD = Card(
    slug="mb_generalization",
    number=16,
    title="The Benefits of Model-Based Generalization in Reinforcement Learning",
    paper="arXiv 2211.02222",
    claims=[
        Claim(
            "Experience from a learned model earns more per step than replay at equal compute.",
            method="reward/model",
            baseline="reward/replay",
            ablation="reward/model_mixed",
            margin=0.03,
        ),
        Claim(
            "It learns sooner: reward per step, averaged over the run.",
            method="area/model",
            baseline="area/replay",
            ablation="area/model_mixed",
            margin=0.01,
        ),
        Claim(
            "The advantage over replay is gone when the world, or its model, sees parts mixed.",
            method="advantage/model",
            baseline="advantage/model_entangled",
            ablation="advantage/model_mixed",
            margin=0.03,
        ),
    ],
    differs=[
        "PanFlute and the observation model only; the paper adds two worlds and latent models",
        "layer normalisation and SiLU in the action values; AdamW with 0.999; gradients clipped",
        "imagined bits drawn with predicted probabilities; the official code passes logits",
        "imagined steps always weighted by the predicted continuation",
        "one learning rate and temperature for all learners; the paper tunes both for each",
        "ablations added: mixed worlds, mixed models, one imagined step with recorded actions",
    ],
    numbers={
        "cpu": "3,600 real steps, 3 layers of 64",
        "paper": "learning curves of 1,000,000 and 100,000 real steps, 3 layers of 200, 30 seeds",
    },
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are the paper's in the regime of much data."""

    seed: int = 0
    """Of everything random."""
    num_pipes: int = 5
    """Pipes of the flute, also the number of actions."""
    steps: int = 1_000_000
    """Real steps of every learner; one update follows each."""
    warmup: int = 1_000
    """Real steps before the first update."""
    updates_per_step: int = 1
    """Updates of values and model after each real step."""
    starts: int = 32
    """Real observations from which imagination begins, per update; also the model's batch."""
    horizon: int = 10
    """Imagined steps from each; starts · horizon pairs of steps per update for every learner."""
    discount: float = 0.9
    """Per step."""
    temperature: float = 0.1
    """Of the softmax over action values that explores, in reward units."""
    learning_rate: float = 1e-4
    """Of the action values."""
    model_learning_rate: float = 2e-4
    """Of the model."""
    weight_decay: float = 1e-6
    """Of both."""
    target_period: int = 100
    """Updates between copies of the values into their target."""
    units: int = 200
    """Hidden units of every layer."""
    layers: int = 3
    """Hidden layers of every network, at least 2."""
    evaluate_every: int = 10_000
    """Real steps between greedy evaluations."""
    evaluation_worlds: int = 64
    """Parallel worlds of an evaluation."""
    evaluation_steps: int = 200
    """Steps in each of them."""


PRESETS = {
    "smoke": Config(
        steps=150, warmup=100, units=16, evaluate_every=75, evaluation_worlds=4, evaluation_steps=20
    ),
    "cpu": Config(
        steps=3_600,
        temperature=0.3,
        learning_rate=4e-4,
        model_learning_rate=1e-3,
        units=64,
        evaluate_every=400,
    ),
    "full": Config(),
}

ENTANGLED = ("replay_entangled", "model_entangled")
LEARNERS = ("replay", "model", "perfect", "one_step", "model_mixed", *ENTANGLED)
"""Where transitions come from. Mixed: the model sees its bits through a fixed invertible mixing;
entangled: everyone does."""

OneStep = Callable[[Tree, Tensor], Tree]
"""From a state of a `BitsModel` and actions to the next."""


def build(config: Config, mixing: int | None = None) -> dict[str, nn.Module]:
    """Every network of a learner; `mixing` as in BitsModel."""
    flute = PanFlute(config.num_pipes)
    spaces = flute.observation_space, flute.action_space
    # the encoder of bits has two of the hidden layers
    values = ActionValueNetwork(*spaces, units=config.units, layers=config.layers - 2)
    model = BitsModel(*spaces, units=config.units, layers=config.layers, mixing=mixing)
    return {"values": values, "model": model}


def run(config: Config, record: Run) -> Report:
    """All learners for one seed."""
    rates, curves = {}, {}
    for name in LEARNERS:
        rates[name], curves[name] = learn(config, record, name)
    measures = [mean_measure(f"reward/{name}", rates[name], "reward per step") for name in LEARNERS]
    measures += [mean_measure(f"area/{name}", curves[name], "reward per step") for name in LEARNERS]
    for name in (name for name in LEARNERS if not name.startswith("replay")):
        rival = "replay_entangled" if name.endswith("_entangled") else "replay"
        ahead = np.array(rates[name]) - np.array(rates[rival])
        measures.append(mean_measure(f"advantage/{name}", ahead, "reward per step"))
    return Report(
        name=CARD.slug,
        preset="",
        seeds=[config.seed],
        measures=measures,
        config=asdict(config),
        manifest=record.manifest,
        details={"curves": curves, "evaluate_every": config.evaluate_every},
    )


def learn(config: Config, record: Run, name: str) -> tuple[list[float], list[float]]:
    """One learner's life; its final reward per step in each world, and its learning curve."""

    def world(rows: int) -> VectorEnv:
        seed = record.seed_for("mixing") if name.endswith("_entangled") else None
        return build_world(f"grid/pan-flute-{config.num_pipes}", rows, entangle=seed)

    record.seed_torch("weights")
    mixing = record.seed_for("mixing") if name == "model_mixed" else None
    networks = build(config, mixing)
    values, model = networks["values"], networks["model"]
    agent = ValueAgent(values, temperature=config.temperature)
    learner = QLearning(
        values,
        discount=config.discount,
        learning_rate=config.learning_rate,
        target_period=config.target_period,
        double=False,
        weight_decay=config.weight_decay,
    )
    fitting = Optimiser(
        model.parameters(),
        learning_rate=config.model_learning_rate,
        weight_decay=config.weight_decay,
    )
    stream = Stream(world(1), num_steps=config.steps, seed=record.seed_for("world"))
    rng, judges = record.rng(name), world(config.evaluation_worlds)
    one_step = _true_rules(config, rng) if name == "perfect" else model.imagine
    keep = {"stream": stream, "learner": learner, "rng": rng, "model": model, "fitting": fitting}
    for step in record.steps(name, config.steps, keep=keep):
        stream.step(agent.act(stream.observation, None, explore=True)[0])
        for _ in range(config.updates_per_step if step >= config.warmup else 0):
            if name.startswith(("model", "one_step")):
                losses = model.losses(stream.sample(config.starts, rng))
                fitting.step(torch.stack(list(losses.values())).sum(), "bits model")
            if name.startswith("replay"):
                batch = stream.sample(config.starts * config.horizon, rng)
            elif name == "one_step":
                batch = relive(one_step, stream.sample(config.starts * config.horizon, rng))
            else:
                start = stream.sample(config.starts, rng)["observation"][:, 0].float()
                batch = imagine(one_step, agent, start, config.horizon)
            learner.update(batch)
        if (step + 1) % config.evaluate_every == 0:
            rates = evaluate(agent, judges, config.evaluation_steps, record.seed_for("curve"))
            record.log({"real/reward_rate": rates.mean()})
    seed = record.seed_for("evaluation")
    rates = record.once(
        f"{name}/final", lambda: evaluate(agent, judges, config.evaluation_steps, seed).tolist()
    )
    rows = [row for row in record.metrics() if row["stage"] == name]
    return rates, [row["real/reward_rate"] for row in rows]


@torch.no_grad()
def imagine(one_step: OneStep, agent: ValueAgent, start: Tensor, horizon: int) -> Batch:
    """Segments of a softmax policy, from real observations, through a model."""
    states, actions = [{"observation": start}], []
    for _ in range(horizon):
        actions.append(agent.choose(states[-1]["observation"], explore=True))
        states.append(one_step(states[-1], actions[-1]))
    return segments(states, actions)


@torch.no_grad()
def relive(one_step: OneStep, batch: Batch) -> Batch:
    """Real starts and real actions, but the model's outcome: nothing new is tried."""
    start = {"observation": batch["observation"][:, 0].float()}
    action = batch["action"][:, 1]
    return segments([start, one_step(start, action)], [action])


def segments(states: list[Tree], actions: list[Tensor]) -> Batch:
    """Imagined steps as a batch; `weight` is the probability that a step is reached at all."""
    rows = states[0]["observation"].new_zeros(len(actions[0]))
    ones = torch.ones_like(rows)
    continuation = torch.stack([ones, *(state["continuation"] for state in states[1:])], 1)
    reached = continuation[:, :-1].cumprod(1)
    return {
        "observation": torch.stack([state["observation"] for state in states], 1),
        "action": torch.stack([torch.zeros_like(actions[0]), *actions], 1),
        "reward": torch.stack([rows, *(state["reward"] for state in states[1:])], 1),
        "continuation": continuation,
        "is_first": torch.zeros_like(continuation, dtype=torch.bool),
        "mask": torch.ones_like(continuation),
        "weight": torch.cat((ones.unsqueeze(1), reached), 1),
    }


@torch.no_grad()
def evaluate(agent: ValueAgent, world: VectorEnv, steps: int, seed: int) -> np.ndarray:
    """Greedy reward per step in each row."""
    observation, _ = world.reset(seed=seed)
    total = np.zeros(world.num_envs)
    for _ in range(steps):
        observation, reward, _, _, _ = world.step(agent.act(observation, None)[0])
        total += reward
    return total / steps


def _true_rules(config: Config, rng: np.random.Generator) -> OneStep:
    rules = PanFlute(config.num_pipes)

    def one_step(state: Tree, action: Tensor) -> Tree:
        keys = rng.integers(2**63, size=len(action)).astype(np.uint64)
        draws = Draws(keys, np.zeros(len(action), np.int64))
        flute = PanFluteState(state["observation"].numpy().astype(np.int8))
        after, reward, terminated = rules.transition(flute, action.numpy(), draws)
        return {
            "observation": torch.from_numpy(after.bits).float(),
            "reward": torch.from_numpy(reward),
            "continuation": 1.0 - torch.from_numpy(terminated).float(),
        }

    return one_step
