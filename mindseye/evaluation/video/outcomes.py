"""What may come next, by trying every action in the real world, against what a dream says."""

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium.spaces import Discrete
from gymnasium.vector import VectorEnv
from torch import Tensor

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.models.world.video import VideoWorldModel
from mindseye.worlds import branchable


@dataclass(frozen=True)
class Outcomes:
    """Clips of random play, and the frames that each action would lead to from their ends."""

    frames: np.ndarray
    """uint8, (clips, context, height, width, channels)."""
    actions: np.ndarray
    """That led to the frames, (clips, context); the first is not to be used."""
    following: np.ndarray
    """uint8, (clips, actions, height, width, channels)."""


def outcomes(world: VectorEnv, *, context: int, rng: np.random.Generator, seed: int) -> Outcomes:
    """One clip per row of a world of pictures and discrete actions.

    Raises:
        SpecError: If actions are not discrete.
    """
    space = world.single_action_space
    if not isinstance(space, Discrete):
        raise SpecError(f"outcomes: expected discrete actions, got {space}")
    world, rows, count = branchable(world), np.arange(world.num_envs), int(space.n)
    frames, actions = [world.reset(seed=seed)[0]], [np.zeros(len(rows), np.int64)]
    for _ in range(2 * context):
        actions.append(rng.integers(count, size=len(rows)))
        frames.append(world.step(actions[-1])[0])
    moment, following = world.save(), []  # type: ignore[attr-defined]
    for action in range(count):
        world.load(moment, rows)  # type: ignore[attr-defined]
        following.append(world.step(np.full(len(rows), action))[0])
    return Outcomes(
        np.stack(frames[-context:], 1), np.stack(actions[-context:], 1), np.stack(following, 1)
    )


@torch.no_grad()
def energy_scores(model: VideoWorldModel, coming: Outcomes, *, samples: int = 4) -> np.ndarray:
    """How well samples, told no action, match all that may come next; (clips,), less is better.

    The mean distance to what may come, minus half the mean distance between samples: least for a
    sampler that draws from the truth, worse for blur and for always saying the same.

    Source: Gneiting and Raftery (2007), "Strictly proper scoring rules", section 4.2.
    """
    state, truth = _seen(model, coming)
    nobody = torch.zeros(len(coming.frames), dtype=torch.bool, device=truth.device)
    told = model.condition_on(torch.zeros_like(nobody).long(), nobody)
    said = torch.stack([model.unfold(state, told)["latents"] for _ in range(samples)])
    near = _apart(said.unsqueeze(1), truth.unsqueeze(0)).mean((0, 1))
    spread = _apart(said.unsqueeze(1), said.unsqueeze(0)).sum((0, 1)) / (samples * (samples - 1))
    return (near - spread / 2).cpu().numpy()


@torch.no_grad()
def copying_scores(model: VideoWorldModel, coming: Outcomes) -> np.ndarray:
    """The same of saying that nothing changes."""
    state, truth = _seen(model, coming)
    return _apart(state["latents"], truth).mean(0).cpu().numpy()


@torch.no_grad()
def control(model: VideoWorldModel, coming: Outcomes) -> np.ndarray:
    """By what share the error falls when a prediction is told the right action; (clips,).

    0: actions do not matter to the model; negative: they mislead it.
    """
    state, truth = _seen(model, coming)
    shape = truth.shape[1:2]
    said = torch.stack(
        [
            model.imagine(state, torch.full(shape, action, device=truth.device))["latents"]
            for action in range(len(truth))
        ]
    )
    apart = _apart(said.unsqueeze(1), truth.unsqueeze(0))
    own = apart.diagonal().mean(1)
    return (1 - own / apart.mean((0, 1))).cpu().numpy()


@torch.no_grad()
def moved_errors(model: VideoWorldModel, coming: Outcomes) -> tuple[list[float], list[float]]:
    """Mean squared error on the tenth of latent numbers that change most, per clip.

    Averaged over the actions; beside it the same for copying the last frame.
    """
    state, truth = _seen(model, coming)
    last, shape = state["latents"], truth.shape[1:2]
    change = (truth - last).abs()
    edge = change.movedim(1, 0).flatten(1).quantile(0.9, dim=1).view(1, -1, 1)
    moved = change >= edge
    moved &= change > 0
    counts = moved.sum((0, 2)).clamp(min=1)

    def mean(guess: Tensor) -> list[float]:
        return ((moved * (guess - truth).square()).sum((0, 2)) / counts).tolist()

    said = [
        model.imagine(state, torch.full(shape, action, device=last.device))["latents"]
        for action in range(len(truth))
    ]
    return mean(torch.stack(said)), mean(last.expand_as(truth))


def _seen(model: VideoWorldModel, coming: Outcomes) -> tuple[Tree, Tensor]:
    """State after the clips, and latents of all that may follow: (actions, clips, size)."""
    device = model.slots.device
    frames, actions, following = (
        torch.from_numpy(x).to(device) for x in (coming.frames, coming.actions, coming.following)
    )
    state = model.initial(len(frames))
    for t in range(frames.shape[1]):
        is_first = torch.full((len(frames),), t == 0, device=device)
        state = model.observe(state, actions[:, t], frames[:, t], is_first)
    truth = [model.tokenizer.encode_step(x, state["seen"])[0] for x in following.unbind(1)]
    return state, torch.stack(truth)


def _apart(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).square().mean(-1).sqrt()
