"""Life as one unbroken stream: a world acted in and remembered step by step, for online learning.

A `Replay` holds finished episodes. Here every step can be learned from as soon as it was taken, and
an episode need never end.
"""

import numpy as np
import torch
from gymnasium.vector import VectorEnv

from mindseye.core.batch import Batch
from mindseye.core.errors import CheckpointError, ConfigError


class Stream:
    """A world with one row, and everything that happened in it.

        stream = Stream(world, num_steps=1000, seed=0)
        stream.step(action)
        batch = stream.sample(32, rng)

    Going back to a checkpoint acts the recorded actions again, so the world must depend on its seed
    and its actions alone (as `check_world` demands). Observation and action must be one array each.

    Args:
        world: With one row, in `AutoresetMode.DISABLED`; it is reset when an episode is over.
        num_steps: Room, in steps.
        seed: Of the first episode; later ones go on with the world's own numbers.

    Raises:
        ConfigError: If the world has more rows than one.
    """

    def __init__(self, world: VectorEnv, *, num_steps: int, seed: int):
        if world.num_envs != 1:
            raise ConfigError(f"stream: expected a world with 1 row, got {world.num_envs}")
        self.world, self._seed = world, seed
        # every step may end an episode, and so need a second row for the next one's start
        space, rows = world.single_observation_space, 2 * num_steps + 1
        self._observations = np.zeros((rows, *(space.shape or ())), space.dtype)
        self._actions = np.zeros((rows, *(world.single_action_space.shape or ())), np.int64)
        self._rewards = np.zeros(rows, np.float32)
        self._continuations = np.ones(rows, np.float32)
        self._is_first = np.zeros(rows, bool)
        self._begin()

    def __len__(self) -> int:
        """Steps taken."""
        return len(self._arrivals)

    @property
    def observation(self) -> np.ndarray:
        """Where the world stands, with a leading axis of one."""
        return self._observations[self._last : self._last + 1]

    def step(self, action: np.ndarray) -> float:
        """Act, remember, and begin anew where an episode is over; returns the reward."""
        observation, reward, terminated, truncated, _ = self.world.step(action)
        self._write(observation)
        self._actions[self._last] = action[0]
        self._rewards[self._last] = reward[0]
        self._continuations[self._last] = 1.0 - terminated[0]
        self._arrivals.append(self._last)
        if terminated[0] or truncated[0]:
            self._write(self.world.reset()[0])
            self._is_first[self._last] = True
        return float(reward[0])

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """Steps drawn uniformly, as segments of two rows: before and after. Fresh tensors.

        Raises:
            ConfigError: If no step was taken yet.
        """
        if not self._arrivals:
            raise ConfigError("stream: expected a step to sample from, got none; act first")
        chosen = rng.integers(len(self._arrivals), size=batch_size).tolist()
        after = np.array([self._arrivals[i] for i in chosen])
        rows = np.stack((after - 1, after), 1)
        return {
            "observation": torch.from_numpy(self._observations[rows]),
            "action": torch.from_numpy(self._actions[rows]),
            "reward": torch.from_numpy(self._rewards[rows]),
            "continuation": torch.from_numpy(self._continuations[rows]),
            "is_first": torch.from_numpy(self._is_first[rows]),
            "mask": torch.ones(batch_size, 2),
        }

    def state_dict(self) -> dict:
        """The actions taken."""
        return {"actions": self._actions[self._arrivals]}

    def load_state_dict(self, state: dict) -> None:
        """Act them again from the beginning.

        Raises:
            CheckpointError: If there are more than fit.
        """
        actions = np.asarray(state["actions"])
        if 2 * len(actions) + 1 > len(self._is_first):
            raise CheckpointError(
                f"stream: expected at most {len(self._is_first) // 2} steps, got {len(actions)};"
                " it was written with other options"
            )
        self._begin()
        for action in actions:
            self.step(action[None])

    def _begin(self) -> None:
        self._last, self._arrivals = -1, list[int]()
        self._is_first[:] = False
        self._write(self.world.reset(seed=self._seed)[0])
        self._is_first[0] = True

    def _write(self, observation: np.ndarray) -> None:
        self._last += 1
        self._observations[self._last] = observation[0]
