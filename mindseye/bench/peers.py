"""Rivals, where they are installed."""

from collections.abc import Callable

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv


def dummy_worlds(
    make: Callable[[], gymnasium.Env], count: int, actions: np.ndarray
) -> Callable[[], object]:
    """A step of Stable-Baselines3's in-process vectoriser."""
    worlds = DummyVecEnv([make] * count)
    worlds.reset()
    return lambda: worlds.step(actions)
