"""`mindseye plan`: act in a world by searching in a model of it, or in its true simulator."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from gymnasium.vector import VectorEnv

from mindseye.agents.planners import Scorer
from mindseye.agents.planning import PlanningAgent
from mindseye.cli.agents import PLANNERS, PlannerName, open_model
from mindseye.cli.folders import check_device
from mindseye.cli.options import chosen, parse
from mindseye.cli.summary import measured
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import WorldModel
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.success import Success, success_from
from mindseye.experience import rollout
from mindseye.stages.judge import reward_threshold
from mindseye.worlds import SimulatorModel, branchable, make

_EXAMPLES = (
    "plan --model runs/train/cartpole-v1-seed0 --world CartPole-v1",
    "plan --world CartPole-v1 --oracle --planner beam --episodes 2",
)


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Play real episodes, searching before every action."""

    world: str
    """Gymnasium id, or one of our own grid/... worlds."""
    model: Path | None = None
    """Folder that train or fit wrote; not needed with --oracle."""
    oracle: bool = False
    """Search in copies of the true simulator instead of a model."""
    planner: PlannerName = "cem"
    """How to search."""
    horizon: int = 12
    """Steps looked ahead."""
    discount: float = 0.99
    """Per step."""
    episodes: int = 10
    """Real episodes played."""
    observation: Literal["default", "pixels", "symbols", "text"] = "default"
    """What the agent sees, where the world offers a choice."""
    seed: int = 0
    """Episode i begins from seed + i."""
    device: str = "cpu"
    """Torch device."""


def main(arguments: Sequence[str]) -> int:
    """Play and say how well and at what cost."""
    options = parse("plan", PlanOptions, arguments, _EXAMPLES)
    _check(options)

    def made(rows: int) -> VectorEnv:
        return make(options.world, rows, observation=chosen(options.observation))

    world = made(options.episodes)
    model: WorldModel
    if options.model is None:
        world = branchable(world)
        model = SimulatorModel(world, made)
    else:
        model = open_model(options.model, world, options.device)
    planner = PLANNERS[options.planner](options.horizon, Scorer(discount=options.discount))
    torch.manual_seed(options.seed)
    began = time.monotonic()
    episodes = rollout(
        PlanningAgent(model, planner),
        world,
        origin=Origin("real", options.world, agent=options.planner),
        episodes=options.episodes,
        seed=options.seed,
        on_progress=lambda done, steps: print(f"{done} of {options.episodes} episodes", flush=True),
    )
    world.close()
    success = success_from(reward_threshold(options.world), episodes)
    print(_summary(episodes, success, time.monotonic() - began))
    return 0


def _check(options: PlanOptions) -> None:
    for name in ("horizon", "episodes"):
        if getattr(options, name) < 1:
            raise ConfigError(f"--{name}: expected at least 1, got {getattr(options, name)}")
    if options.oracle == (options.model is not None):
        raise ConfigError("plan: say either --model FOLDER or --oracle")
    check_device(options.device)


def _summary(episodes: Sequence[Episode], success: Success, seconds: float) -> str:
    returns = mean_measure("return", [e.total_reward for e in episodes])
    passed = mean_measure("success", [success(e) for e in episodes], "share")
    waited = np.concatenate([e.extras["plan_seconds"] for e in episodes])
    steps = np.concatenate([e.extras["plan_model_steps"] for e in episodes])
    known = not str(success).startswith("undefined")
    return "\n".join(
        [
            f"return                    {measured(returns)}",
            f"success                   {measured(passed) if known else success}",
            f"seconds per decision      {waited.mean():.3g}, of {len(episodes)} episodes together",
            f"model steps per decision  {steps.mean():.4g}",
            f"seconds in all            {seconds:.1f}",
        ]
    )
