"""Hand-written world models whose every number is known."""

import math

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.protocols import Prediction, WorldModel


class CartPoleModel(WorldModel):
    """CartPole's own equations; the state is the observation, kept in float64."""

    observation_space = gymnasium.make("CartPole-v1").observation_space
    action_space = spaces.Discrete(2)

    def initial(self, batch_size):
        return {"x": torch.zeros(batch_size, 4, dtype=torch.float64)}

    def observe(self, state, action, observation, is_first):
        return {"x": observation.double()}

    def imagine(self, state, action):
        x, v, angle, spin = state["x"].unbind(1)
        force = action * 20.0 - 10.0
        cos, sin = torch.cos(angle), torch.sin(angle)
        temp = (force + 0.05 * spin**2 * sin) / 1.1
        twist = (9.8 * sin - cos * temp) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / 1.1))
        push = temp - 0.05 * twist * cos / 1.1
        step = [x + 0.02 * v, v + 0.02 * push, angle + 0.02 * spin, spin + 0.02 * twist]
        return {"x": torch.stack(step, 1)}

    def predict(self, state):
        x, _, angle, _ = state["x"].unbind(1)
        fallen = (x.abs() > 2.4) | (angle.abs() > 12 * 2 * math.pi / 360)
        return Prediction(
            observation=state["x"].float(),
            reward=torch.ones(len(x)),
            continuation=1.0 - fallen.float(),
        )


class CountModel(WorldModel):
    """Adds the action to a count; doubts as much as it counts; pays the count."""

    observation_space = spaces.Discrete(6)
    action_space = spaces.Discrete(3)
    continuation = 1.0
    reward_scale = 1.0

    def initial(self, batch_size):
        return {"count": torch.zeros(batch_size), "seen": torch.zeros(batch_size)}

    def observe(self, state, action, observation, is_first):
        seen = torch.where(is_first, torch.zeros_like(state["seen"]), state["seen"])
        return {"count": observation.float(), "seen": seen + 1}

    def imagine(self, state, action):
        return {"count": state["count"] + action, "seen": state["seen"]}

    def predict(self, state):
        return Prediction(
            observation=state["count"] + 0.3,
            reward=state["count"] * self.reward_scale,
            continuation=torch.full_like(state["count"], self.continuation),
            uncertainty=state["count"],
        )


def cart_starts(n, rng):
    """Starts as CartPole draws them."""
    return {
        "observation": rng.uniform(-0.05, 0.05, (n, 1, 4)).astype(np.float32),
        "action": np.zeros((n, 1), np.int64),
        "is_first": np.ones((n, 1), np.bool_),
    }


def count_starts(n, rng):
    """Counts from 0 to 2."""
    return {
        "observation": rng.integers(3, size=(n, 1)),
        "action": np.zeros((n, 1), np.int64),
        "is_first": np.ones((n, 1), np.bool_),
    }


@pytest.fixture
def cart_model():
    return CartPoleModel()


@pytest.fixture
def count_model():
    return CountModel()


@pytest.fixture(name="cart_starts")
def _cart_starts():
    return cart_starts


@pytest.fixture(name="count_starts")
def _count_starts():
    return count_starts
