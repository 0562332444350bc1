"""Another agent's actions, each held for a while: exploration that gets somewhere."""

import gymnasium
import numpy as np
from gymnasium.vector.utils import create_empty_array

from mindseye.core import tree
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree


class RepeatingAgent(Agent):
    """Holds every action of another agent for 1 to `longest` steps, uniformly.

    Args:
        agent: Chooses; asked at every step, heeded when a row's action has run out.
        action_space: Of one world.
        longest: Steps.
        seed: Of the lengths.

    Raises:
        ConfigError: If longest is not positive.
    """

    def __init__(self, agent: Agent, action_space: gymnasium.Space, *, longest: int, seed: int):
        if longest < 1:
            raise ConfigError(f"repeating agent: expected longest of at least 1, got {longest}")
        self.agent, self.action_space, self.longest = agent, action_space, longest
        self._rng = np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing is held."""
        return {
            "agent": self.agent.initial(batch_size),
            "left": np.zeros(batch_size, np.int64),
            "held": create_empty_array(self.action_space, batch_size),
        }

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """The held action, or a new one."""
        action, inner, extras = self.agent.act(observation, memory["agent"], explore=explore)
        is_new = memory["left"] == 0
        action = tree.where(is_new, action, memory["held"])
        lengths = self._rng.integers(1, self.longest + 1, size=len(is_new))
        left = np.where(is_new, lengths, memory["left"]) - 1
        return action, {"agent": inner, "left": left, "held": action}, extras
