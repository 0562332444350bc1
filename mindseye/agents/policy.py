"""Agents made of a policy: one that looks through a world model's eyes, one that does not."""

import gymnasium
import torch
from gymnasium.vector.utils import create_empty_array
from torch import nn

from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.tree import Tree, batch_size, map_tree, to_numpy, to_tensor
from mindseye.models.perception import ObservationEncoder
from mindseye.models.policy import ActionDistribution, PolicyHead


class DreamAgent(Agent):
    """Tracks a world model's posterior and acts on its features.

    Args:
        model: A world model whose states have features; frozen.
        policy: On these features.
    """

    def __init__(self, model: WorldModel, policy: PolicyHead):
        self.model, self.policy = model, policy

    def initial(self, batch_size: int) -> Tree:
        """Model state, last action, and whether this is the first observation."""
        return {
            "state": self.model.initial(batch_size),
            "action": to_tensor(create_empty_array(self.model.action_space, batch_size)),
            "is_first": torch.ones(batch_size, dtype=torch.bool),
        }

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Observe, then sample when exploring, else take the likeliest action."""
        device = next(self.policy.parameters()).device
        state = self.model.observe(
            memory["state"],
            map_tree(lambda x: x.to(device), memory["action"]),
            to_tensor(observation, device),
            memory["is_first"].to(device),
        )
        said = self.policy(self.model.features(state))  # type: ignore[attr-defined]
        action = said.sample() if explore else said.mode()
        memory = {
            "state": state,
            "action": action,
            "is_first": torch.zeros(batch_size(observation), dtype=torch.bool),
        }
        return to_numpy(action), memory, {"log_prob": to_numpy(said.log_prob(action))}


class PolicyNetwork(nn.Module):
    """Observation encoder and policy: the network of a model-free agent.

    Args:
        observation_space, action_space: Of one world.
        units, depth: Sizes.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        units: int = 128,
        depth: int = 16,
    ):
        super().__init__()
        self.encoder = ObservationEncoder(observation_space, units=units, depth=depth)
        self.policy = PolicyHead(action_space, features=self.encoder.size, units=units, layers=1)

    def forward(self, observation: Tree) -> ActionDistribution:
        """ActionDistribution for a tree of tensors with any leading axes."""
        return self.policy(self.encoder(observation))


class PolicyAgent(Agent):
    """Acts on the present observation alone.

    Args:
        network: Maps observations to an ActionDistribution.
    """

    def __init__(self, network: nn.Module):
        self.network = network

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Sample when exploring, else take the likeliest action."""
        device = next(self.network.parameters()).device
        said = self.network(to_tensor(observation, device))
        action = said.sample() if explore else said.mode()
        return to_numpy(action), None, {"log_prob": to_numpy(said.log_prob(action))}
