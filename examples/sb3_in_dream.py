"""Stable-Baselines3's PPO, unmodified, trained inside a learned world and tested in the real one.

For every seed: a random agent plays CartPole, a world model is fitted to what it saw, PPO trains in
the dream and never touches the real world, and is then tested there beside a random agent.

    pip install "mindseye[peers]"
    python examples/sb3_in_dream.py --seeds 0 1 2 3 4 --save results/sb3_in_dream.json
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from stable_baselines3 import PPO

from mindseye.agents.random import RandomAgent
from mindseye.core.card import Claim
from mindseye.core.checkpoint import write_atomic
from mindseye.core.episode import Origin
from mindseye.core.protocols import Agent
from mindseye.core.report import Report
from mindseye.core.run import Run
from mindseye.evaluation.claims import over_seeds
from mindseye.evaluation.statistics import mean_measure
from mindseye.experience import Replay, rollout
from mindseye.stages.collect import collect
from mindseye.stages.loop import LoopConfig, fit_stage
from mindseye.worlds import DreamWorld, as_sb3, make, starts_from

CLAIM = Claim(
    "PPO trained only inside the learned world earns more in reality than a random agent, and than"
    " the same PPO before training.",
    method="real/return",
    baseline="baseline/random",
    ablation="real/untrained",
)


@dataclass
class Args:
    seeds: tuple[int, ...] = (100,)
    """One run each."""
    out: Path = Path("runs/sb3_in_dream")
    """Folder of the runs."""
    save: Path | None = None
    """Where to write the report over all seeds."""
    world: str = "CartPole-v1"
    """Any world with vector observations."""
    steps: int = 5_000
    """Real steps, random."""
    fit_updates: int = 800
    """Of the world model."""
    dream_steps: int = 80_000
    """Of PPO, in the dream."""
    dreams: int = 32
    """Dreams side by side."""
    horizon: int = 100
    """Longest dream."""
    episodes: int = 40
    """Real test episodes."""


class Foreign(Agent):
    """A Stable-Baselines3 model, acting in our worlds."""

    def __init__(self, model: PPO):
        self.model = model

    def initial(self, batch_size):
        return None

    def act(self, observation, memory, *, explore=False):
        return self.model.predict(observation, deterministic=not explore)[0], None, {}


def run_seed(args: Args, run: Run) -> Report:
    config = LoopConfig(world=args.world, size="tiny", fit_updates=args.fit_updates)
    world = make(args.world, 16)
    spaces = world.single_observation_space, world.single_action_space
    replay = Replay(run.folder / "episodes", *spaces)
    explorer = RandomAgent(spaces[1], run.seed_for("explorer"))
    real_steps = collect(run, world, explorer, replay, steps=args.steps, name=args.world)
    model = fit_stage(config, run, replay)

    def train_and_test() -> dict:
        dream = DreamWorld(
            model, args.dreams, starts=starts_from(replay), horizon=args.horizon, seed=run.seed
        )
        ppo = PPO("MlpPolicy", as_sb3(dream), n_steps=64, batch_size=256, seed=run.seed)
        before = returns(args, Foreign(ppo), run)
        ppo.learn(args.dream_steps)
        return {
            "real/untrained": before,
            "real/return": returns(args, Foreign(ppo), run),
            "baseline/random": returns(args, RandomAgent(spaces[1], run.seed_for("random")), run),
        }

    found = run.once("ppo", train_and_test)
    measures = [mean_measure(name, values, "return") for name, values in found.items()]
    measures += [
        mean_measure("cost/real_steps", [real_steps], "steps"),
        mean_measure("cost/dream_steps", [args.dream_steps], "steps"),
        mean_measure("cost/seconds", [run.seconds], "s"),
    ]
    return Report(
        "sb3_in_dream", "example", [run.seed], measures, config=run.config, manifest=run.manifest
    )


def returns(args: Args, agent: Agent, run: Run) -> list[float]:
    world = make(args.world, args.episodes)
    origin, seed = Origin("real", args.world), run.seed_for("test") % 2**30
    episodes = rollout(agent, world, origin=origin, episodes=args.episodes, seed=seed)
    return [episode.total_reward for episode in episodes]


def main(args: Args) -> None:
    torch.set_num_threads(1)
    reports = []
    config = {k: v for k, v in asdict(args).items() if k not in ("seeds", "out", "save")}
    for seed in args.seeds:
        with Run(args.out / f"seed{seed}", name="sb3_in_dream", config=config, seed=seed) as run:
            reports.append(run_seed(args, run))
        shown = {m.name: round(m.value, 1) for m in reports[-1].measures}
        print(f"seed {seed}: {shown}", flush=True)
    report = over_seeds(reports, [CLAIM], command="python " + " ".join(sys.argv))
    verdict = report.claims[0]
    print(f"{'holds' if verdict.holds else 'does not hold'}: {verdict.statement}")
    print("real return", np.round(verdict.method["values"], 1).tolist())
    if args.save is not None:
        write_atomic(args.save, report.to_json())


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
