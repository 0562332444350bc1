"""Meta-World's scripted experts, as agents; extra `metaworld`."""

import warnings

import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.core.errors import MissingExtra, SpecError
from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree


class MetaWorldExpert(Agent):
    """Solves a task by a script that reads the true state, whatever the world shows.

    Args:
        world: Made by name, "metaworld/TASK"; the one it will act in.
        noise: Deviation of what is added to its actions, which span [-1, 1].
        seed: Of the noise.

    Raises:
        MissingExtra: If Meta-World is not installed.
        SpecError: If there is no script for the world.
    """

    def __init__(self, world: VectorEnv, *, noise: float, seed: int):
        try:
            from metaworld.policies import ENV_POLICY_MAP
        except ImportError as error:
            raise MissingExtra("metaworld", "metaworld") from error
        self.envs = world.unwrapped.envs  # type: ignore[attr-defined]
        task = self.envs[0].get_wrapper_attr("task")
        if task not in ENV_POLICY_MAP:
            raise SpecError(f"metaworld expert: no script for {task!r}; choose another task")
        self.script, self.noise = ENV_POLICY_MAP[task](), noise
        self._rng = np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Velocities of the hand and the effort of the gripper, float32 (rows, 4)."""
        states = [env.get_wrapper_attr("state") for env in self.envs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            actions = np.stack([self.script.get_action(state) for state in states])
        actions = actions + self.noise * self._rng.normal(size=actions.shape)
        return np.clip(actions, -1, 1).astype(np.float32), None, {}
