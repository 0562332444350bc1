"""Linear controllers: one layer and a squashing, on features of a world model."""

import math

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector.utils import create_empty_array
from jaxtyping import Float
from torch import Tensor

from mindseye.core.errors import SpecError
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.tree import Tree, batch_size, leaves, to_tensor


def weight_shape(action_space: gymnasium.Space, num_features: int) -> tuple[int, int]:
    """Shape of one controller's weights: (numbers of an action, features and a bias).

    A choice among n is one number: its interval is cut into n equal parts.

    Raises:
        SpecError: If actions are neither a choice nor a bounded vector.
    """
    if isinstance(action_space, spaces.Discrete):
        return 1, num_features + 1
    if isinstance(action_space, spaces.Box) and action_space.is_bounded():
        return math.prod(action_space.shape), num_features + 1
    raise SpecError(f"linear controller: cannot choose from {action_space}; use Discrete or Box")


class LinearAgent(Agent):
    """Acts by tanh(W [x, 1]) on a vector x; every row may have weights of its own.

    Args:
        action_space: Of one world.
        weights: One controller (numbers, features + 1), or one per row of the batch
            (rows, numbers, features + 1).

    Source: the controller of Ha and Schmidhuber (2018), arXiv 1803.10122.
    """

    def __init__(self, action_space: gymnasium.Space, weights: Float[Tensor, "*rows numbers _"]):
        self.action_space, self.weights = action_space, weights
        weight_shape(action_space, weights.shape[-1] - 1)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """The same action for the same vector, exploring or not."""
        x = torch.as_tensor(observation, device=self.weights.device)
        matrix, bias = self.weights[..., :-1], self.weights[..., -1]
        said = ((matrix @ x.unsqueeze(-1)).squeeze(-1) + bias).tanh()
        return self._action(said.cpu().numpy()), None, {}

    def _action(self, said: np.ndarray) -> np.ndarray:
        space, share = self.action_space, (said + 1) / 2
        if isinstance(space, spaces.Discrete):
            choice = np.minimum((share[:, 0] * space.n).astype(np.int64), space.n - 1)
            return space.start + choice
        assert isinstance(space, spaces.Box)
        action = space.low + share.reshape(-1, *space.shape) * (space.high - space.low)
        return action.astype(space.dtype)


class TrackingAgent(Agent):
    """Tracks the world with a world model, and lets another agent act on the model's features.

    Args:
        model: A world model with features; its `observe` follows what happens.
        agent: Acts on features.
    """

    def __init__(self, model: WorldModel, agent: Agent):
        self.model, self.agent = model, agent

    def initial(self, batch_size: int) -> Tree:
        """Model state, last action, whether this is the first observation, the agent's memory."""
        return {
            "state": self.model.initial(batch_size),
            "action": to_tensor(create_empty_array(self.model.action_space, batch_size)),
            "is_first": torch.ones(batch_size, dtype=torch.bool),
            "agent": self.agent.initial(batch_size),
        }

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Observe, then act on features."""
        device = leaves(memory["state"])[0].device
        seen = (memory["action"], observation, memory["is_first"])
        state = self.model.observe(memory["state"], *(to_tensor(x, device) for x in seen))
        features = self.model.features(state).cpu().numpy()  # type: ignore[attr-defined]
        action, inner, extras = self.agent.act(features, memory["agent"], explore=explore)
        memory = {
            "state": state,
            "action": to_tensor(action),
            "is_first": torch.zeros(batch_size(observation), dtype=torch.bool),
            "agent": inner,
        }
        return action, memory, extras
