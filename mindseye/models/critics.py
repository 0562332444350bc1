"""Values of states and of continuous actions."""

import itertools
import math

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye.core.errors import SpecError
from mindseye.models.policy import ActionEncoder


class ActionCritics(nn.Module):
    """Two or more independent networks Q(o, a), computed together; the least is the careful guess.

    Source: Fujimoto et al. (2018), 1802.09477, "clipped double Q-learning".

    Args:
        observation_space: A Box of numbers.
        action_space: Of one world.
        units, layers: Hidden units and layers.
        networks: How many.

    Raises:
        SpecError: If the observations are no numbers.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        units: int = 256,
        layers: int = 2,
        networks: int = 2,
    ):
        super().__init__()
        if not isinstance(observation_space, spaces.Box):
            raise SpecError(f"critics: expected observations in a Box, got {observation_space}")
        self.shape = observation_space.shape
        self.action_encoder = ActionEncoder(action_space)
        inputs = int(np.prod(self.shape)) + self.action_encoder.size
        pairs = list(itertools.pairwise([inputs] + [units] * layers + [1]))
        self.weights = nn.ParameterList(torch.empty(networks, *pair) for pair in pairs)
        self.biases = nn.ParameterList(torch.zeros(networks, 1, out) for _, out in pairs)
        for weight in self.weights:
            nn.init.uniform_(
                weight, -1 / math.sqrt(weight.shape[1]), 1 / math.sqrt(weight.shape[1])
            )

    def forward(self, observation: Tensor, action: Tensor) -> Float[Tensor, "networks rows"]:
        """Every network's value, in the unit of the rewards it was trained on."""
        flat = observation.float().flatten(observation.ndim - len(self.shape))
        x = torch.cat((flat, self.action_encoder(action)), -1)
        x = x.expand(len(self.weights[0]), *x.shape)
        last = len(self.weights) - 1
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if index < last:
                x = functional.layer_norm(x, x.shape[-1:])
                x = functional.silu(x)
        return x.squeeze(-1)
