"""Windows of episodes drawn whole by diffusion, steered towards a policy while they are drawn.

A row is an arrival (see `core.batch`): the observation, the action that led to it, the reward, and
whether the episode went on. So the action of row t + 1 answers the observation of row t.

Source: Jackson et al. (2024), 2404.06356.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.batch import Batch
from mindseye.core.errors import SpecError
from mindseye.models.diffusion.sequence import SequenceDenoiser
from mindseye.models.policy.actions import is_bounded
from mindseye.ops import diffusion

_HUMP = 0.3
_LEAST_SCALE = 1e-6


@dataclass(frozen=True)
class Guidance:
    """How drawn actions are pulled to a policy.

    The gradient of log π(action | observation) moves actions alone, never observations, by

        λ · [(1 − k/N) + 0.3 sin(π (k + 1) / N)]   in step k of N.
    """

    policy: Callable[[Tensor], Any]
    """Observations to distributions with `log_prob(action)`, both in the world's units."""
    strength: float = 1.0
    """λ; in deviations of the data's actions, over a whole window."""
    is_early: bool = False
    """Take the gradient at the noisy window instead of the denoiser's guess."""
    is_normalised: bool = True
    """Divide the gradient of every window by its norm."""


class EpisodeDiffusion(nn.Module):
    """A distribution over windows of episodes.

        model = EpisodeDiffusion(observation_space, action_space, rows=17)
        model.set_scales(replay.sample(1_000, 17, rng, crossing=False))
        sum(model.losses(batch).values()).backward()
        batch = model.sample(256, guidance=Guidance(policy))

    Noise comes from torch's global generator.

    Args:
        observation_space: A Box.
        action_space: A Box with bounds.
        rows: Observations of a window; it holds one step less.
        widths: Channels of the denoiser's levels.

    Raises:
        SpecError: If a space is of another kind.
    """

    low: Tensor
    high: Tensor
    centre: Tensor
    scale: Tensor

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        rows: int = 33,
        widths: tuple[int, ...] = (48, 96, 192),
    ):
        super().__init__()
        if not isinstance(observation_space, spaces.Box) or len(observation_space.shape) != 1:
            raise SpecError(f"episodes: expected a flat Box to observe, got {observation_space}")
        if not isinstance(action_space, spaces.Box) or not is_bounded(action_space):
            raise SpecError(f"episodes: expected a Box with bounds to act in, got {action_space}")
        self.rows = rows
        self.observations = int(np.prod(observation_space.shape))
        self.actions = int(np.prod(action_space.shape))
        features = self.observations + self.actions + 2
        self.denoiser = SequenceDenoiser(features, widths=widths)
        for name, bound in (("low", action_space.low), ("high", action_space.high)):
            self.register_buffer(name, torch.tensor(bound, dtype=torch.float32), persistent=False)
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    def set_scales(self, batch: Batch) -> None:
        """Measure centre and deviation of every feature, once before fitting."""
        rows = self._features(batch)[~batch["is_first"] & batch["mask"].bool()]
        deviation = rows.std(0)
        self.centre.copy_(rows.mean(0))
        self.scale.copy_(torch.where(deviation > _LEAST_SCALE, deviation, 1.0))

    def losses(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Mean denoising error; 1 before anything is learned.

        Args:
            batch: Whole windows, fields as in `core.batch`; those with padding are left out.
        """
        clean = (self._features(batch) - self.centre) / self.scale
        clean = clean[batch["mask"].bool().all(1)]
        sigma = diffusion.draw_sigmas(len(clean), device=clean.device)
        return {"noise": diffusion.denoising_loss(self.denoiser, clean, sigma, 1.0).mean()}

    def sample(
        self, count: int, *, guidance: Guidance | None = None, steps: int = 32
    ) -> dict[str, Tensor]:
        """Draw windows.

        Args:
            count: Windows.
            guidance: The policy they should be drawn towards; None for the data's own.
            steps: Of second order; twice as many calls of the network.

        Returns:
            observation, action, reward and continuation as arrivals, leaves (count, rows, ...).
            Actions are clipped to their box. What row 0 says beside its observation belongs to the
            step before the window.
        """
        schedule = diffusion.sigma_schedule(steps, low=2e-3, high=80.0)
        with torch.no_grad():
            start = schedule[0] * torch.randn(
                count, self.rows, len(self.centre), device=self.centre.device
            )
            drawn = diffusion.sample(
                diffusion.preconditioned(self.denoiser, 1.0),
                start,
                schedule,
                second_order=True,
                guide=None if guidance is None else self._guide(guidance, steps),
            )
        fields = self._fields(drawn * self.scale + self.centre)
        fields["action"] = fields["action"].clamp(self.low, self.high)
        return fields

    def _guide(self, guidance: Guidance, steps: int) -> diffusion.Guide:
        def guide(noisy: Tensor, clean: Tensor, step: int) -> Tensor:
            weight = 1 - step / steps + _HUMP * math.sin(math.pi * (step + 1) / steps)
            pull = self.pull(noisy if guidance.is_early else clean, guidance)
            return guidance.strength * weight * pull

        return guide

    def pull(self, x: Float[Tensor, "batch rows features"], guidance: Guidance) -> Tensor:
        """Gradient of the log-probability with respect to standardised actions.

        Zero everywhere else, and for the action of row 0, which answers nothing in the window.
        """
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            fields = self._fields(x * self.scale + self.centre)
            observation = fields["observation"][:, :-1].detach()
            total = guidance.policy(observation).log_prob(fields["action"][:, 1:]).sum()
            (gradient,) = torch.autograd.grad(total, x)
        if guidance.is_normalised:
            norm = gradient.flatten(1).norm(dim=1).clamp(min=1e-8)
            gradient = gradient / norm.reshape(-1, 1, 1)
        return gradient

    def _features(self, batch: Batch) -> Float[Tensor, "batch rows features"]:
        unit = 2 * (batch["action"].float() - self.low) / (self.high - self.low) - 1
        rest = torch.stack((batch["reward"], batch["continuation"]), -1)
        return torch.cat((batch["observation"].float(), unit, rest), -1)

    def _fields(self, x: Float[Tensor, "batch rows features"]) -> dict[str, Tensor]:
        observation, unit, rest = x.split((self.observations, self.actions, 2), -1)
        return {
            "observation": observation,
            "action": self.low + (unit + 1) / 2 * (self.high - self.low),
            "reward": rest[..., 0],
            "continuation": (rest[..., 1] > 0.5).float(),
        }
