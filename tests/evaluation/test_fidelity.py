import numpy as np
import pytest
import torch

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.core.protocols import Prediction
from mindseye.evaluation.fidelity import follow, imagined_success, last_errors


class Adder:
    """Adds up actions; pays the sum."""

    def initial(self, batch_size):
        return torch.zeros(batch_size, 1)

    def observe(self, state, action, observation, is_first):
        return torch.where(is_first[:, None], observation, observation + state)

    def imagine(self, state, action):
        return state + action

    def predict(self, state):
        return Prediction(state, state[:, 0], torch.ones(len(state)))


def episode(first, *actions):
    steps = len(actions)
    return Episode(
        observations=np.full((steps + 1, 1), first, np.float32),
        actions=np.array(actions, np.float32).reshape(steps, 1),
        rewards=np.zeros(steps, np.float32),
        terminated=False,
        truncated=True,
        origin=Origin("real", "adder"),
    )


def test_actions_are_followed_from_the_first_observation():
    seen, paid = follow(Adder(), [episode(5.0, 1, 2, 3), episode(0.0, 1, 1, 1)])
    assert seen[..., 0].tolist() == [[6, 8, 11], [1, 2, 3]]
    assert paid.tolist() == [[6, 8, 11], [1, 2, 3]]


def test_nothing_is_paid_after_the_end_of_an_episode():
    _, paid = follow(Adder(), [episode(0.0, 1, 1, 1), episode(0.0, 1)])
    assert paid.tolist() == [[1, 2, 3], [1, 0, 0]]


def test_nothing_to_follow_is_refused():
    with pytest.raises(DataError, match="follow"):
        follow(Adder(), [])


def test_success_is_one_step_that_pays_enough():
    found = imagined_success(Adder(), [episode(0.0, 1, -1), episode(0.0, -1, -1)], least_reward=1.0)
    assert found == [True, False]
    assert imagined_success(Adder(), []) == []


def test_errors_are_taken_at_the_own_end_of_every_episode():
    assert last_errors(Adder(), [episode(5.0, 1, 2, 3), episode(0.0, 2)]) == [6.0, 2.0]
