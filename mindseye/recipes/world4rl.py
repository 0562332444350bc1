"""World4RL: a cloned robot policy, refined by rewards inside a frozen diffusion world.

Paper: Wang et al. (2025), "World4RL: Diffusion World Models for Policy Refinement with
    Reinforcement Learning for Robotic Manipulation", arXiv 2509.19080.
Claims: 1) PPO in the frozen dream lifts the success of a cloned policy in reality by 0.2, without a
    step of reality; in a dream of expert data alone it does not. 2) The dream does not say success
    where real actions failed. That the spread of the policy must be capped did not carry over.
Differs: 1) A pushed puck seen as numbers instead of pictures of Meta-World; changes of the numbers
    are denoised. 2) Differences of places are inputs. 3) Fewer experts, so that cloning leaves
    room. 4) One network says reward and end. 5) Dreams begin at any recorded moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import nn

from mindseye.agents.metaworld import MetaWorldExpert
from mindseye.agents.policy import PolicyAgent
from mindseye.agents.random import RandomAgent
from mindseye.agents.scripted import ScriptedPusher
from mindseye.core.card import Card, Claim
from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Agent
from mindseye.core.report import Measure, Report
from mindseye.core.run import Run
from mindseye.evaluation.curves import save_curves
from mindseye.evaluation.fidelity import imagined_success, last_errors
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience import Replay, rollout
from mindseye.learners.imitation import BehaviourCloning
from mindseye.learners.policy_gradient import PPO
from mindseye.models.files import save_model
from mindseye.models.policy.gaussian import GaussianPolicy
from mindseye.models.world.diffusion import DiffusionWorldModel
from mindseye.stages.diffuse import fit_diffusion
from mindseye.stages.refine import refine
from mindseye.worlds import DreamWorld, make, starts_from

CARD = Card(
    slug="world4rl",
    number=17,
    title="World4RL: Diffusion World Models for Policy Refinement",
    paper="arXiv 2509.19080",
    claims=[
        Claim(
            "Refined in the frozen dream, without another real step, a cloned policy succeeds more"
            " often in reality by 0.2; in a dream of expert data alone it does not.",
            method="real/refined",
            baseline="real/cloned",
            ablation="real/expert_only",
            margin=0.2,
        ),
        Claim(
            "Where real actions failed, the dream says success in less than a tenth of cases; a"
            " dream of expert data alone says so more often.",
            method="failure/diffusion",
            baseline="failure/bound",
            ablation="failure/expert_only",
            relation="less",
        ),
    ],
    differs=[
        "a pushed puck seen as numbers instead of pictures of Meta-World and a real arm",
        "changes are denoised; differences of places are inputs, too; 20 experts instead of 50",
        "one small network, no ResNet-18, says reward and end; dreams begin at any moment",
    ],
    numbers={"paper": "Meta-World, 6 tasks: 67.5 % against 51.5 % of cloning; 330 M parameters"},
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options; the defaults are those of the small study."""

    seed: int = 0
    """Of everything random."""
    world: str = "tabletop/push"
    """What to manipulate; "metaworld/TASK" with the extra `metaworld`."""
    observation: Literal["state", "pixels"] = "state"
    """How it is seen."""
    differences: tuple[tuple[int, int], ...] = ((0, 2), (1, 3), (2, 6), (3, 7))
    """Pairs of observed numbers whose difference networks read, too."""
    experts: int = 20
    """Episodes of the scripted expert; all that is cloned."""
    attempts: int = 150
    """Episodes of the cloned policy."""
    chance: int = 30
    """Episodes of random actions."""
    clone_updates: int = 1_500
    """Of the cloned policy."""
    updates: int = 3_000
    """Of the world model; of its rivals half as many."""
    batch: int = 256
    """Transitions per update of the world model."""
    units: int = 192
    """Of the world model."""
    bins: int = 21
    """Of two-hot actions."""
    sampling: int = 5
    """Denoising steps."""
    rounds: int = 4
    """Times that reality is looked at while refining: reported, never learned from."""
    iterations: int = 20
    """Of PPO per round."""
    learning_rate: float = 1e-3
    """Of PPO."""
    dreams: int = 128
    """Side by side."""
    horizon: int = 40
    """Steps of a dream."""
    test_episodes: int = 400
    """By which a policy is judged."""


PRESETS = {
    "smoke": Config(
        experts=2, attempts=3, chance=2, clone_updates=4, updates=4, batch=16, units=16, bins=5,
        sampling=2, rounds=2, iterations=1, dreams=4, horizon=6, test_episodes=8,
    ),
    "cpu": Config(),
    "medium": Config(
        world="metaworld/button-press-v3", differences=(), experts=50, clone_updates=5_000,
        updates=30_000, units=512, rounds=10, iterations=50, horizon=100, learning_rate=3e-4,
        test_episodes=100,
    ),
    "full": Config(
        world="metaworld/coffee-pull-v3", observation="pixels", differences=(), experts=50,
        clone_updates=50_000, updates=500_000, batch=32, sampling=3, rounds=20, iterations=100,
        horizon=200, learning_rate=3e-4, test_episodes=100,
    ),
}  # fmt: skip

NOISE = 0.3
"""Deviation of what is added to the expert's actions."""
LOOSE, LOOSE_CAP = 1.0, 2.0
"""Log-deviation at first, and its cap, of the ablation."""
FAILURE_BOUND, MOST_FAILURES = 0.1, 400
"""Share of failing action sequences that may succeed in the dream, and how many are followed."""
WORLDS = 20
"""Stepped together."""
SPACES = {"tabletop": (8, 2), "metaworld": (39, 4)}
"""Numbers observed and acted with: known without Meta-World."""
STOP = 0.2
"""A dream that promises more than this too much would have stopped the refinement."""
FULL_WIDTHS = (256, 512, 1_024, 1_024)
"""Of the denoiser of pictures: 253 million parameters, the paper's has 330."""


def build(config: Config) -> dict[str, nn.Module]:
    """The world model, its rivals, and the policy."""
    seen, acts = _spaces(config)
    options: dict[str, object] = {"units": config.units, "action_bins": config.bins}
    if config.observation == "pixels":
        options |= {"context": 4, "widths": FULL_WIDTHS, "blocks": 2}
    else:
        options["differences"] = config.differences
    options |= {"reward": "event", "steps": config.sampling}
    model = partial(DiffusionWorldModel, seen, acts, **options)
    models = {"diffusion": model(), "expert_only": model(), "mean": model(is_mean=True)}
    return {**models, "policy": _policy(config)}


def run(config: Config, record: Run) -> Report:
    """Demonstrate, clone, try, fit, refine inside the frozen dream, test in reality."""
    shown = None if config.observation == "state" else config.observation
    world = make(config.world, min(WORLDS, config.experts, config.chance), observation=shown)
    experts, replay, policy = gather(config, record, world)
    record.seed_torch("models")
    models = build(config)
    fitted = {
        name: fit_diffusion(
            record, models[name], experts if name == "expert_only" else replay,
            updates=config.updates if name == "diffusion" else config.updates // 2,
            batch_size=config.batch, rows=models[name].context + 1, stage=name,  # type: ignore[operator]
        )
        for name in ("diffusion", "expert_only", "mean")
    }  # fmt: skip
    options = {} if shown is None else {"observation": shown}
    save_model(record.folder / "model", fitted["diffusion"], world=config.world, options=options)
    test = partial(play, config, record, world, count=config.test_episodes, stage="test")
    cloned = test(PolicyAgent(policy))
    measures = [_success("real/cloned", cloned), *judge(record, fitted, cloned)]
    curves = {}
    for name, data in (("refined", replay), ("loose", replay), ("expert_only", experts)):
        changed = _policy(config, cap=LOOSE_CAP if name == "loose" else 0.0)
        changed.load_state_dict(policy.state_dict())
        if name == "loose":
            changed.log_deviation.data.fill_(LOOSE)
        model = fitted.get(name, fitted["diffusion"])
        curves[name] = polish(config, record, name, changed, model, data, world)
        measures.append(_success(f"real/{name}", test(PolicyAgent(changed))))
        last = curves[name][-1]
        measures += [mean_measure(f"{k}/{name}", [last[k]], "share") for k in ("dream", "gap")]
    save_curves(curves, record.folder / "media" / "refinement.png")
    return Report(
        name=CARD.slug, preset="", seeds=[config.seed], measures=measures, config=asdict(config),
        manifest=record.manifest,
        details={
            "curves": curves,
            "stopped_at": [c["round"] for c in curves["refined"] if c["gap"] < -STOP],
            "real_steps": len(replay),
            "parameters": {n: sum(p.numel() for p in m.parameters()) for n, m in models.items()},
        },
    )  # fmt: skip


def gather(config: Config, record: Run, world: VectorEnv) -> tuple[Replay, Replay, GaussianPolicy]:
    """Demonstrations, a policy cloned from them, and all data: demonstrations, attempts, chance."""
    seen, acts = world.single_observation_space, world.single_action_space
    experts = Replay(record.folder / "experts", seen, acts)
    for _ in record.steps("demonstrate", 1, keep={"replay": experts}):
        expert = _expert(config, world, record.seed_for("expert"))
        experts.add(play(config, record, world, expert, config.experts, "expert"))
    record.seed_torch("policy")
    policy = _policy(config)
    cloning, rng = BehaviourCloning(policy), record.rng("clone")
    for step in record.steps("clone", config.clone_updates, keep={"cloning": cloning, "rng": rng}):
        metrics = cloning.update(experts.sample(16, config.horizon, rng, crossing=False))
        if step % 50 == 0:
            record.log(metrics)
    replay = Replay(record.folder / "episodes", seen, acts)
    for _ in record.steps("attempt", 1, keep={"replay": replay}):
        chance = RandomAgent(acts, record.seed_for("chance"))
        replay.add(experts)
        replay.add(play(config, record, world, PolicyAgent(policy), config.attempts, "cloned"))
        replay.add(play(config, record, world, chance, config.chance, "random"))
    return experts, replay, policy


def judge(record: Run, models: Mapping[str, nn.Module], tried: Sequence[Episode]) -> list[Measure]:
    """Success imagined for real actions that failed, and how far imagined places go astray."""
    measures = [mean_measure("failure/bound", [FAILURE_BOUND], "share")]
    failed = [e for e in tried if not e.terminated]
    for name, model in models.items():
        failures = partial(imagined_success, model, failed[:MOST_FAILURES])
        paid = record.once(f"failure/{name}", failures)
        away = record.once(f"open_loop/{name}", partial(last_errors, model, tried[:MOST_FAILURES]))
        measures.append(mean_measure(f"failure/{name}", paid, "share"))
        measures.append(mean_measure(f"open_loop/{name}", away, "mean error at the end"))
    return measures


def polish(
    config: Config, record: Run, name: str, policy: GaussianPolicy, model: nn.Module,
    replay: Replay, world: VectorEnv,
) -> list[dict]:  # fmt: skip
    """Refine a policy inside the dream; returns success dreamed and real after every round."""
    record.seed_torch(f"{name}/value")
    learner = PPO(
        policy, world.single_observation_space, seed=record.seed_for(name), epochs=4,
        entropy_weight=0.0, learning_rate=config.learning_rate, units=64,
    )  # fmt: skip
    starts = starts_from(replay, context=model.context)
    sizes = {"num_worlds": config.dreams, "horizon": config.horizon}
    dream = DreamWorld(model, starts=starts, stochastic_end=False, **sizes)
    curve: list[dict] = []

    def look(number: int, dreamed: float) -> None:
        real = play(config, record, world, PolicyAgent(policy), config.test_episodes // 4, "look")
        share = _success("look", real).value
        curve.append({"round": number, "dream": dreamed, "real": share, "gap": share - dreamed})

    refine(
        record, policy, learner, dream, rounds=config.rounds, iterations=config.iterations,
        after=look, stage=f"refine_{name}",
    )  # fmt: skip
    return curve


def play(
    config: Config, record: Run, world: VectorEnv, agent: Agent, count: int, stage: str
) -> list[Episode]:
    """Real episodes, exploring: policies act as they were trained to."""
    record.seed_torch(f"play/{stage}")
    origin, seed = Origin("real", config.world, agent=stage), record.seed_for(stage) % 2**30
    return rollout(agent, world, origin=origin, episodes=count, seed=seed, explore=True)


def _expert(config: Config, world: VectorEnv, seed: int) -> Agent:
    if config.world.startswith("metaworld/"):
        return MetaWorldExpert(world, noise=NOISE, seed=seed)
    return ScriptedPusher(seed=seed, noise=NOISE)


def _policy(config: Config, cap: float = 0.0) -> GaussianPolicy:
    pairs = config.differences
    return GaussianPolicy(*_spaces(config), log_deviation=-1.0, cap=cap, differences=pairs)


def _spaces(config: Config) -> tuple[spaces.Box, spaces.Box]:
    numbers, actions = SPACES[config.world.split("/")[0]]
    seen = spaces.Box(-np.inf, np.inf, (numbers,), np.float32)
    if config.observation == "pixels":
        seen = spaces.Box(0, 255, (64, 64, 3), np.uint8)
    return seen, spaces.Box(-1, 1, (actions,), np.float32)


def _success(name: str, episodes: Sequence[Episode]) -> Measure:
    return mean_measure(name, [float(e.terminated) for e in episodes], "share")
