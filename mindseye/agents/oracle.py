"""An agent that knows the truth: it acts by the shortest way, now and then at random."""

import numpy as np

from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree
from mindseye.worlds.rules import RulesWorld
from mindseye.worlds.rules.solve import Solution


class OracleAgent(Agent):
    """Demonstrates in one small world, whose true state it reads instead of the observation.

    Where no reward can be reached any more it acts at random.

    Args:
        world: Deterministic; the one it will act in, already reset.
        noise: Probability of a random action.
        seed: Of its own generator.
    """

    def __init__(self, world: RulesWorld, *, noise: float, seed: int):
        self.world, self.noise = world, noise
        self._rng = np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """The first action of a shortest way, or chance."""
        states = self.world.save().state
        solution = Solution(self.world.rules, states)
        number = solution.numbers(states)
        rows, actions = len(number), int(self.world.single_action_space.n)  # type: ignore[union-attr]
        astray = ~np.isfinite(solution.distance[number]) | (self._rng.random(rows) < self.noise)
        by_chance = self._rng.integers(actions, size=rows)
        return np.where(astray, by_chance, solution.action[number]), None, {}
