"""Agents that do not think: uniform actions, or commands."""

import gymnasium
import numpy as np
from gymnasium.vector.utils import batch_space

from mindseye.core.protocols import Agent
from mindseye.core.spaces import commands
from mindseye.core.tree import Tree, batch_size


class RandomAgent(Agent):
    """Samples the action space.

    Args:
        action_space: Of one world.
        seed: Of its own generator.
    """

    def __init__(self, action_space: gymnasium.Space, seed: int):
        self.action_space = action_space
        self._seeds = np.random.default_rng(seed)
        self._batched: dict[int, gymnasium.Space] = {}

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Uniform actions, one per row of the observation."""
        rows = batch_size(observation)
        if rows not in self._batched:
            self._batched[rows] = batch_space(self.action_space, rows)
            self._batched[rows].seed(int(self._seeds.integers(2**31)))
        return self._batched[rows].sample(), None, {}


class RandomReader(Agent):
    """Says one of the commands that the last line of a text lists, all equally likely.

    Args:
        seed: Of its own generator.
    """

    def __init__(self, seed: int):
        self._rng = np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """A command per text; nothing is said where none is listed."""
        listed = [commands(text) or [""] for text in observation]
        return [said[int(self._rng.integers(len(said)))] for said in listed], None, {}
