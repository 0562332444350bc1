"""Action values for discrete actions."""

import gymnasium
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.models.layers import mlp
from mindseye.models.perception import ObservationEncoder


class ActionValueNetwork(nn.Module):
    """Q(o, ·): one value per action.

    Args:
        observation_space, action_space: Of one world.
        units, layers, depth: Sizes.

    Raises:
        SpecError: If the action space is not Discrete.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        units: int = 128,
        layers: int = 2,
        depth: int = 16,
    ):
        super().__init__()
        if not isinstance(action_space, spaces.Discrete):
            raise SpecError(f"action values: expected a Discrete action space, got {action_space}")
        self.start = int(action_space.start)
        self.encoder = ObservationEncoder(observation_space, units=units, depth=depth)
        self.head = mlp(self.encoder.size, units, layers, int(action_space.n))

    def forward(self, observation: Tree) -> Float[Tensor, "*lead actions"]:
        """Values of all actions, in the world's reward unit."""
        return self.head(self.encoder(observation))

    def of(self, observation: Tree, action: Tensor) -> Float[Tensor, "*lead"]:
        """Values of the given actions."""
        index = (action.long() - self.start).unsqueeze(-1)
        return torch.gather(self(observation), -1, index).squeeze(-1)
