"""An agent that does what a world's own solver advises: a demonstrator where we have no script."""

import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.core.spaces import commands
from mindseye.core.tree import Tree
from mindseye.worlds.advice import Advises
from mindseye.worlds.vectorise import SerialWorlds


class Advised(Agent):
    """Asks the world it acts in, row by row; the solver sees more than texts tell.

        world = make("alfworld/any", 8)
        episodes = rollout(Advised(world, noise=0.2), world, origin=origin, episodes=64, seed=0)

    Args:
        world: The one it acts in, made of environments that advise.
        noise: Probability of saying anything that is listed instead.
        seed: Of its own generator.

    Raises:
        ConfigError: If the world has nobody to ask.
    """

    def __init__(self, world: VectorEnv, *, noise: float = 0.0, seed: int = 0):
        if not isinstance(world, SerialWorlds):
            raise ConfigError(f"advised: expected a serial world, got {type(world).__name__}")
        self._advisers = [env for env in world.envs if isinstance(env, Advises)]
        if len(self._advisers) != world.num_envs:
            raise ConfigError(f"advised: {world.name} advises nobody; use another agent")
        self.noise, self._rng = noise, np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """What is advised, or chance."""
        said = []
        for adviser, text in zip(self._advisers, observation, strict=True):
            if self._rng.random() < self.noise:
                listed = commands(text)
                said.append(listed[int(self._rng.integers(len(listed)))])
            else:
                said.append(adviser.advice())
        return said, None, {}
