"""Agents by the words of a command line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from gymnasium.vector import VectorEnv

from mindseye.agents.planners import BeamPlanner, GradientPlanner, Scorer, cem, icem, mppi
from mindseye.agents.planning import PlanningAgent
from mindseye.agents.policy import DreamAgent
from mindseye.agents.random import RandomAgent
from mindseye.core.errors import CheckpointError, ConfigError
from mindseye.core.protocols import Agent, Planner
from mindseye.models.files import CARD, SavedModel, load_model, load_policy

PlannerName = Literal["cem", "icem", "mppi", "gradient", "beam"]
PLANNERS: Mapping[str, Callable[[int, Scorer], Planner]] = {
    "cem": lambda horizon, scorer: cem(horizon, scorer=scorer),
    "icem": lambda horizon, scorer: icem(horizon, scorer=scorer),
    "mppi": lambda horizon, scorer: mppi(horizon, scorer=scorer),
    "gradient": lambda horizon, scorer: GradientPlanner(horizon, scorer=scorer),
    "beam": lambda horizon, scorer: BeamPlanner(horizon, scorer=scorer),
}
"""Planners by name, from a horizon and a scorer."""


def model_folder(folder: Path) -> Path:
    """Where the model is: the folder itself, or its `model`, as `train` and `fit` write it."""
    return folder if (folder / CARD).exists() else folder / "model"


def open_model(folder: Path, world: VectorEnv, device: str) -> SavedModel:
    """A model that fits a world.

    Raises:
        CheckpointError: If there is none.
        ConfigError: If it was made for other spaces.
    """
    if not folder.exists():
        raise CheckpointError(f"{folder}: no such folder; train or fit writes one")
    model = load_model(model_folder(folder)).to(device)
    for name in ("observation_space", "action_space"):
        found, expected = getattr(model, name), getattr(world, f"single_{name}")
        if found != expected:
            raise ConfigError(
                f"{folder}: its {name.replace('_', ' ')} is {found}, the world's is {expected}; "
                "name the world and the observation it was made for"
            )
    return model


def agent_of(run_folder: Path, model: SavedModel, device: str) -> DreamAgent:
    """The agent that `train` left in a run's folder, on its model.

    Raises:
        CheckpointError: If there is none.
    """
    policy = load_policy(run_folder / "policy", model.action_space)
    return DreamAgent(model, policy.to(device))


def named_agent(
    name: str,
    *,
    model: SavedModel,
    folder: Path,
    world: VectorEnv,
    seed: int,
    device: str,
) -> Agent:
    """An agent by name: random, dream, a planner, or a folder that `train` wrote.

    Args:
        name: As typed.
        model: Planners search in it.
        folder: Of the model; "dream" is the policy beside it.
        world: The agent must fit it.

    Raises:
        ConfigError: If the name means nothing.
        CheckpointError: If a folder holds no agent.
    """
    if name == "random":
        return RandomAgent(model.action_space, seed)
    if name == "dream":
        return agent_of(folder, model, device)
    if name in PLANNERS:
        return PlanningAgent(model, PLANNERS[name](12, Scorer()))
    if Path(name).is_dir():
        return agent_of(Path(name), open_model(Path(name), world, device), device)
    raise ConfigError(
        f"--agents: no agent {name!r}; say random, dream, {', '.join(PLANNERS)}, or a folder that "
        "train wrote"
    )
