"""Do dreams obey actions? Two ways to ask that need no state of the world."""

from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from mindseye.core.errors import DataError, SpecError
from mindseye.core.protocols import WorldModel
from mindseye.core.report import Measure
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.clips import CHUNK, check_clips, dream_clips

_SEEN = 3
"""Frames from which an action is read: before, at and after it."""


@dataclass(frozen=True)
class ShuffleRatio:
    """Errors of a dream under the true actions and under those of other clips, shape (clips,)."""

    true: np.ndarray
    """Root mean square difference to the real frames, of 255."""
    shuffled: np.ndarray

    @property
    def ratio(self) -> float:
        """Above 1: the dream listens to its actions. 1: it does not."""
        return float(self.shuffled.mean() / max(self.true.mean(), 1e-9))

    def measures(self, name: str) -> list[Measure]:
        """The ratio clip by clip, and both errors."""
        each = self.shuffled / np.maximum(self.true, 1e-9)
        return [
            mean_measure(f"action_ratio/{name}", each),
            mean_measure(f"error/{name}", self.true, "of 255"),
            mean_measure(f"error_shuffled/{name}", self.shuffled, "of 255"),
        ]


def action_shuffle_ratio(
    model: WorldModel,
    clips: np.ndarray,
    actions: np.ndarray,
    *,
    context: int,
    rng: np.random.Generator,
    device: str = "cpu",
) -> ShuffleRatio:
    """Dream real clips under their own actions and under those of other clips.

    Args:
        model: Over pictures.
        clips: Real clips, two or more.
        actions: As of `dream_clips`.
        context: Real frames seen first, with their true actions.
        rng: Which clip gets whose actions; no clip gets its own.

    Raises:
        DataError: If there is only one clip.
    """
    if len(clips) < 2:
        raise DataError("shuffle: expected two clips or more; give more")
    order = rng.permutation(len(clips))
    giver = np.empty_like(order)
    giver[order] = np.roll(order, 1)
    other = np.concatenate((actions[:, : context - 1], actions[giver, context - 1 :]), 1)
    errors = []
    for taken in (actions, other):
        dreamt, _ = dream_clips(model, clips, taken, context=context, device=device)
        errors.append(_error(dreamt[:, context:], clips[:, context:]))
    return ShuffleRatio(*errors)


def _error(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    pairs = zip(first, second, strict=True)
    return np.array([np.sqrt(np.square(a.astype(np.float32) - b).mean()) for a, b in pairs])


class InverseDynamics(nn.Module):
    """Reads actions off three successive frames; three, because a velocity needs two.

    Args:
        action_space: `Discrete`, or `Box` of one axis.
        shape: Height and width of frames.
        depth: Channels of the first stage.

    Raises:
        SpecError: If the space is another one.
    """

    def __init__(self, action_space: gymnasium.Space, shape: tuple[int, int], depth: int = 24):
        super().__init__()
        self.is_discrete = isinstance(action_space, spaces.Discrete)
        if isinstance(action_space, spaces.Discrete):
            self.numbers = int(action_space.n)
        elif isinstance(action_space, spaces.Box) and len(action_space.shape) == 1:
            self.numbers = action_space.shape[0]
        else:
            raise SpecError(
                f"inverse dynamics: expected Discrete or Box, got {action_space}; use such a world"
            )
        layers: list[nn.Module] = []
        channels, size = 3 * _SEEN, shape
        for after in (depth, 2 * depth, 2 * depth):
            layers += [nn.Conv2d(channels, after, 4, 2, 1), nn.SiLU()]
            channels, size = after, (size[0] // 2, size[1] // 2)
        flat = channels * size[0] * size[1]
        layers += [nn.Flatten(), nn.Linear(flat, 64), nn.SiLU(), nn.Linear(64, self.numbers)]
        self.net = nn.Sequential(*layers)

    def forward(self, frames: Tensor) -> Tensor:
        """Logits or values of the action between the last two of (rows, 3, height, width, 3)."""
        x = frames.float() / 255
        middle = x[:, 1]
        # motion is what counts, so its difference is laid out and not left to be found
        stacked = torch.cat((middle - x[:, 0], x[:, 2] - middle, middle - 0.5), -1)
        return self.net(stacked.permute(0, 3, 1, 2))


@dataclass(frozen=True)
class ActionAgreement:
    """How far the actions read off clips are those that were given."""

    agreement: np.ndarray
    """Share of actions that agree, or 1 − error over variance; shape (clips,)."""

    def measures(self, name: str) -> list[Measure]:
        """Mean over clips."""
        return [mean_measure(f"inverse_agreement/{name}", self.agreement)]


def fit_inverse_dynamics(
    network: InverseDynamics,
    clips: np.ndarray,
    actions: np.ndarray,
    *,
    updates: int = 300,
    batch: int = 64,
    learning_rate: float = 2e-3,
    rng: np.random.Generator,
) -> None:
    """Train in place on real clips.

    Args:
        network: What is trained.
        clips: Real clips of three frames or more.
        actions: Between their frames, (clips, frames - 1, ...).
    """
    check_clips(clips)
    frames, given = torch.from_numpy(clips), torch.from_numpy(actions)
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)
    window = torch.arange(_SEEN)
    for _ in range(updates):
        rows = torch.from_numpy(rng.integers(len(clips), size=batch))
        at = torch.from_numpy(rng.integers(clips.shape[1] - _SEEN + 1, size=batch))
        said = network(frames[rows[:, None], at[:, None] + window])
        meant = given[rows, at + 1]
        if network.is_discrete:
            loss = functional.cross_entropy(said, meant.long())
        else:
            loss = functional.mse_loss(said, meant.float())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()


@torch.inference_mode()
def inverse_agreement(
    network: InverseDynamics, clips: np.ndarray, actions: np.ndarray, *, first: int = 0
) -> ActionAgreement:
    """Read the actions of clips and compare them with those that were given.

    Args:
        network: Trained on real clips.
        clips: Dreamed clips.
        actions: What the dream was given, (clips, frames - 1, ...).
        first: Actions before this one are not asked for: those that led into the context.
    """
    check_clips(clips)
    frames = torch.from_numpy(clips)
    triples = frames.unfold(1, _SEEN, 1).movedim(-1, 2).flatten(0, 1)
    said = torch.cat([network(part) for part in triples.split(CHUNK)])
    said = said.unflatten(0, (len(clips), -1))
    start = max(0, first - 1)
    meant = torch.from_numpy(actions)[:, 1 + start :]
    said = said[:, start:]
    if network.is_discrete:
        return ActionAgreement((said.argmax(-1) == meant).double().mean(1).numpy())
    spread = (meant - meant.mean((0, 1))).square().mean().clamp(min=1e-9)
    error = (said - meant).square().mean((1, 2))
    return ActionAgreement((1 - error / spread).double().numpy())
