"""Policies that say one action, and what a guide or a critic needs to know of it."""

import math

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.models.layers import mlp
from mindseye.models.policy.actions import is_bounded


class Certain:
    """One action per row, explored around with Gaussian noise, clipped to the box.

    Args:
        space: Of the actions.
        action: The action, in the space's own form, with any leading axes.
        noise: Deviation of exploration.
    """

    def __init__(self, space: spaces.Box, action: Tensor, noise: float = 0.0):
        self.space, self.action, self.noise = space, action, noise

    def sample(self) -> Tensor:
        """The action and noise from torch's global generator."""
        low, high = (torch.as_tensor(x, device=self.action.device) for x in self._bounds())
        return (self.action + self.noise * torch.randn_like(self.action)).clamp(low, high)

    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self.space.low, self.space.high

    def mode(self) -> Tensor:
        """The action."""
        return self.action

    def log_prob(self, action: Tensor) -> Float[Tensor, "*lead"]:
        """As if the action were the mean of a Gaussian of deviation 1."""
        axes = tuple(range(action.ndim - len(self.space.shape), action.ndim))
        away = (action - self.action).square() + math.log(2 * math.pi)
        return -0.5 * away.sum(axes)


class DeterministicPolicy(nn.Module):
    """Dense layers from a flat Box of observations to one action inside a bounded box.

    Args:
        observation_space, action_space: Of one world.
        units, layers: Hidden units and layers.
        noise: Deviation of exploration, in the unit of the actions.

    Raises:
        SpecError: If the actions have no bounds, or the observations are no numbers.
    """

    low: Tensor
    high: Tensor

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        units: int = 256,
        layers: int = 2,
        noise: float = 0.0,
    ):
        super().__init__()
        if not isinstance(action_space, spaces.Box) or not is_bounded(action_space):
            raise SpecError(f"policy: expected a Box with bounds to act in, got {action_space}")
        if not isinstance(observation_space, spaces.Box):
            raise SpecError(f"policy: expected observations in a Box, got {observation_space}")
        self.space, self.noise, self.shape = action_space, noise, observation_space.shape
        inputs, outputs = (int(np.prod(x.shape)) for x in (observation_space, action_space))
        self.net = mlp(inputs, units, layers, outputs)
        for name, bound in (("low", action_space.low), ("high", action_space.high)):
            self.register_buffer(name, torch.tensor(bound, dtype=torch.float32), persistent=False)

    def forward(self, observation: Tensor) -> Certain:
        """The action for observations with any leading axes."""
        flat = observation.float().flatten(observation.ndim - len(self.shape))
        unit = self.net(flat).tanh().unflatten(-1, self.space.shape)
        return Certain(self.space, self.low + (unit + 1) / 2 * (self.high - self.low), self.noise)
