"""A Gaussian policy whose spread can be capped: what refinement inside a learned world needs."""

import math

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.models.layers import mlp


class Gaussian:
    """Independent Gaussians over the numbers of an action; worlds clip what leaves their box."""

    def __init__(self, mean: Float[Tensor, "*lead size"], log_deviation: Float[Tensor, " size"]):
        self.mean, self.log_deviation = mean, log_deviation

    def sample(self) -> Tensor:
        """From torch's global generator."""
        return self.mean + self.log_deviation.exp() * torch.randn_like(self.mean)

    def mode(self) -> Tensor:
        """Mean."""
        return self.mean

    def log_prob(self, action: Float[Tensor, "*lead size"]) -> Float[Tensor, "*lead"]:
        """Density, summed over numbers."""
        away = (action - self.mean) * (-self.log_deviation).exp()
        density = -0.5 * away.square() - self.log_deviation - 0.5 * math.log(2 * math.pi)
        return density.sum(-1)

    def entropy(self) -> Float[Tensor, "*lead"]:
        """Differential, in nats, summed over numbers."""
        each = self.log_deviation + 0.5 * math.log(2 * math.pi * math.e)
        return each.expand_as(self.mean).sum(-1)


class GaussianPolicy(nn.Module):
    """Dense layers from a Box of numbers to a mean; one deviation per number, for all states.

    Args:
        observation_space, action_space: Boxes of one world; actions have one axis.
        units, layers: Hidden units and layers.
        log_deviation: At first.
        cap: Greatest log-deviation; 0 keeps the policy inside what the data show (Wang et al. 2025,
            2509.19080), 2 is common elsewhere.

    Raises:
        SpecError: If a space is of another kind.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        units: int = 128,
        layers: int = 2,
        log_deviation: float = 0.0,
        cap: float = 0.0,
    ):
        super().__init__()
        if not isinstance(observation_space, spaces.Box):
            raise SpecError(f"policy: expected observations in a Box, got {observation_space}")
        if not isinstance(action_space, spaces.Box) or len(action_space.shape) != 1:
            raise SpecError(f"policy: expected actions in a flat Box, got {action_space}")
        self.shape, self.cap = observation_space.shape, cap
        numbers = int(np.prod(action_space.shape))
        self.net = mlp(int(np.prod(self.shape)), units, layers, numbers)
        self.log_deviation = nn.Parameter(torch.full((numbers,), float(log_deviation)))

    def forward(self, observation: Tensor) -> Gaussian:
        """Distribution for observations with any leading axes."""
        flat = observation.float().flatten(observation.ndim - len(self.shape))
        return Gaussian(self.net(flat), self.log_deviation.clamp(max=self.cap))
