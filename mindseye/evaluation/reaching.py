"""Whether pictured goals are reached, and how well what comes next is predicted."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mindseye.core.batch import Batch
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Agent
from mindseye.core.tree import map_tree
from mindseye.evaluation.pictures import save_pair
from mindseye.models.world.features import FeatureWorldModel
from mindseye.worlds.rules import RulesWorld, place, state_of


def journeys(
    agent: Agent, world: RulesWorld, starts: np.ndarray, goals: np.ndarray, *, steps: int
) -> tuple[np.ndarray, list[float]]:
    """How far the agent is from its goals after every step.

    Args:
        agent: Knows its goals already, one per row.
        world: A started world of `Placeable` rules with a row per goal.
        starts, goals: True states, as `state_of` tells them; the agent's place, two numbers, comes
            first.
        steps: As many for everyone; nothing stops at a goal.

    Returns:
        Distances (steps, rows), and the seconds that every decision took.
    """
    observation, memory = place(world, starts), agent.initial(len(starts))
    apart, seconds = [], []
    for _ in range(steps):
        action, memory, extras = agent.act(observation, memory)
        observation = world.step(np.asarray(action, np.float32))[0]
        apart.append(np.linalg.norm(state_of(world)[:, :2] - goals[:, :2], axis=1))
        if "plan_seconds" in extras:
            seconds.append(float(extras["plan_seconds"][0]) / len(starts))
    return np.stack(apart), seconds


@torch.no_grad()
def next_token_errors(
    model: FeatureWorldModel, data: Batch, *, is_copied: bool = False
) -> list[float]:
    """Mean squared error of the next tokens, by episode; standardised, so 1 is an average guess.

    Args:
        data: Whole episodes, fields as in `core.batch`.
        is_copied: Judge the prediction that nothing changes.
    """
    device = model.device
    errors = []
    for rows in torch.arange(len(data["mask"])).split(16):
        part = {name: x[rows].to(device) for name, x in data.items()}
        with fast_arithmetic(device):
            tokens = model.encode(part["observation"])
            taken = map_tree(lambda x: x[:, 1:], part["action"])
            said = tokens[:, :-1]
            if not is_copied:
                said = model.following(said, taken, part["is_first"][:, :-1])
        errors += _by_episode(said, tokens[:, 1:])
    return errors


@torch.no_grad()
def draw_dream(model: FeatureWorldModel, data: Batch, path: Path, *, row: int = 0) -> None:
    """A recorded episode of frames above, below it what is imagined from its first frame on.

    Args:
        data: Whole episodes, fields as in `core.batch`; observations are pictures.
        path: Of a PNG file.
        row: Which episode.
    """
    seen, taken = data["observation"][row], data["action"][row : row + 1].to(model.device)
    first = seen[None, 0].to(model.device)
    is_first = torch.ones(1, dtype=torch.bool, device=model.device)
    state = model.observe(model.initial(1), taken[:, 0], first, is_first)
    frames = [model.predict(state).observation]
    for t in range(1, len(seen)):
        state = model.imagine(state, taken[:, t])
        frames.append(model.predict(state).observation)
    save_pair(seen.numpy(), torch.cat(frames).cpu().numpy(), path)


def _by_episode(said: Tensor, seen: Tensor) -> list[float]:
    return (said.float() - seen).square().mean((1, 2, 3)).tolist()
