"""A Gaussian policy whose spread can be capped: what refinement inside a learned world needs."""

import math
from collections.abc import Sequence

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.models.layers import mlp
from mindseye.models.perception import ObservationEncoder
from mindseye.models.perception.leaves import is_image


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
    """Dense layers from numbers or a picture to a mean; one deviation per number, for all states.

    Args:
        observation_space, action_space: Boxes of one world; actions have one axis.
        units, layers: Hidden units and layers.
        log_deviation: At first.
        differences: Pairs of numbers of an observation whose difference the policy reads, too.
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
        differences: Sequence[tuple[int, int]] = (),
    ):
        super().__init__()
        if not isinstance(observation_space, spaces.Box):
            raise SpecError(f"policy: expected observations in a Box, got {observation_space}")
        if not isinstance(action_space, spaces.Box) or len(action_space.shape) != 1:
            raise SpecError(f"policy: expected actions in a flat Box, got {action_space}")
        self.shape, self.cap = observation_space.shape, cap
        self.differences = [list(side) for side in zip(*differences, strict=True)]
        self.eyes = None
        inputs = int(np.prod(self.shape)) + len(differences)
        if is_image(observation_space):
            self.eyes = ObservationEncoder(observation_space, units=units, depth=32)
            inputs = self.eyes.size
        numbers = int(np.prod(action_space.shape))
        self.net = mlp(inputs, units, layers, numbers)
        self.log_deviation = nn.Parameter(torch.full((numbers,), float(log_deviation)))

    def forward(self, observation: Tensor) -> Gaussian:
        """Distribution for observations with any leading axes."""
        if self.eyes is not None:
            return self._said(self.eyes(observation))
        flat = observation.float().flatten(observation.ndim - len(self.shape))
        if self.differences:
            first, second = (flat[..., side] for side in self.differences)
            flat = torch.cat((flat, first - second), -1)
        return self._said(flat)

    def _said(self, features: Tensor) -> Gaussian:
        return Gaussian(self.net(features), self.log_deviation.clamp(max=self.cap))
