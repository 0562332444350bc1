import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mindseye.core.errors import ModelError, SpecError
from mindseye.worlds.border import action_reader, observation_writer
from mindseye.worlds.noise import uniform

SPACES = [
    spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([2, 300]),
    spaces.MultiBinary(2),
    spaces.Box(-1, 2, (2,), np.float32),
    spaces.Box(np.array([0, -np.inf]), np.array([1, np.inf]), dtype=np.float64),
    spaces.Box(0, 255, (2,), np.uint8),
    spaces.Box(-np.inf, np.inf, (2,), np.float32),
]


@settings(deadline=None, max_examples=60)
@given(
    space=st.sampled_from(SPACES),
    data=st.data(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_whatever_is_predicted_becomes_a_member_of_the_space(space, data, dtype):
    numbers = st.floats(-1e6, 1e6, width=32)
    predicted = data.draw(arrays(dtype, (3, *(space.shape or ())), elements=numbers))
    written = observation_writer(space)(torch.as_tensor(predicted))
    assert all(space.contains(row) for row in written)


def test_members_pass_unchanged():
    for space in SPACES:
        space.seed(0)
        batch = np.stack([space.sample() for _ in range(4)])
        np.testing.assert_array_equal(observation_writer(space)(torch.as_tensor(batch)), batch)


def test_what_is_written_is_the_readers_own():
    predicted = torch.zeros(2, 2)
    written = observation_writer(spaces.Box(-np.inf, np.inf, (2,), np.float32))(predicted)
    written[:] = 7
    assert not predicted.any()


def test_the_first_row_that_is_not_finite_is_named():
    predicted = torch.tensor([[0.0, 1.0], [1.0, float("inf")]])
    with pytest.raises(ModelError, match="observation of row 1 is not finite"):
        observation_writer(spaces.Box(-1, 1, (2,)))(predicted)


def test_actions_of_dicts_become_tensors_part_by_part():
    space = spaces.Dict({"turn": spaces.Discrete(3), "push": spaces.Box(-1, 1, (1,))})
    read = action_reader(space, 2, torch.device("cpu"))
    actions = read({"turn": np.array([0, 2]), "push": np.ones((2, 1))})
    assert actions["turn"].dtype == torch.int64
    assert actions["push"].dtype == torch.float32


def test_batches_of_another_size_are_refused():
    read = action_reader(spaces.Box(-1, 1, (2,)), 8, torch.device("cpu"))
    with pytest.raises(SpecError, match=r"expected actions of shape \(8, 2\) and dtype float32"):
        read(np.zeros(8))


def test_noise_depends_on_key_and_step_alone():
    keys, steps = np.arange(50, dtype=np.uint64), np.arange(50) % 7
    order = np.random.default_rng(0).permutation(50)
    np.testing.assert_array_equal(uniform(keys, steps)[order], uniform(keys[order], steps[order]))


def test_noise_is_uniform_over_keys_and_over_steps():
    for numbers in (
        uniform(np.arange(40_000, dtype=np.uint64), np.zeros(40_000, np.int64)),
        uniform(np.zeros(40_000, np.uint64), np.arange(40_000)),
    ):
        assert 0 <= numbers.min() < numbers.max() < 1
        # Four standard errors of a fraction of 40,000 in ten equal bins.
        shares = np.histogram(numbers, bins=10, range=(0, 1))[0] / 40_000
        assert np.abs(shares - 0.1).max() < 4 * np.sqrt(0.09 / 40_000)
