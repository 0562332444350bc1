"""Worlds of rules whose actions are vectors."""

from dataclasses import dataclass

import numpy as np
import pytest
from gymnasium.spaces import Box

from mindseye.core.errors import WorldError
from mindseye.worlds.rules import Rules, RulesWorld


@dataclass(frozen=True)
class Place:
    place: np.ndarray


class Walk(Rules):
    observation_space = Box(-99, 99, (2,), np.float64)
    action_space = Box(-1, 1, (2,), np.float32)
    max_steps = None

    def start(self, draws):
        return Place(np.zeros((len(draws.keys), 2)))

    def transition(self, state, action, draws):
        nothing = np.zeros(len(action), np.float32)
        return Place(state.place + action), nothing, nothing.astype(bool)

    def observe(self, state):
        return state.place.copy()

    def measure(self, state):
        return {}

    def picture(self, state):
        return np.zeros((len(state.place), 8, 8, 3), np.uint8)


@pytest.fixture
def world():
    world = RulesWorld(Walk(), 2)
    world.reset(seed=0)
    return world


def test_vectors_reach_the_rules(world):
    seen = world.step(np.array([[0.5, 0], [0, -1]], np.float32))[0]
    assert seen.tolist() == [[0.5, 0], [0, -1]]


def test_vectors_are_clipped_to_their_bounds(world):
    assert world.step(np.array([[3.0, 0], [0, -2]]))[0].tolist() == [[1, 0], [0, -1]]


def test_an_action_that_is_not_finite_is_refused(world):
    with pytest.raises(WorldError, match="not finite"):
        world.step(np.array([[np.nan, 0], [0, 0]]))


def test_actions_without_their_batch_axis_are_refused(world):
    with pytest.raises(WorldError, match=r"expected actions of shape \(2, 2\)"):
        world.step(np.zeros(2))
