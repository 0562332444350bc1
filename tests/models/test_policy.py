import math

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import SpecError
from mindseye.core.spaces import Words
from mindseye.models.policy import ActionEncoder, PolicyHead


def head(space):
    torch.manual_seed(0)
    policy = PolicyHead(space, features=3, units=8, layers=1)
    torch.nn.init.normal_(policy.net[-1].weight)
    return policy


def test_a_new_policy_over_choices_is_uniform():
    said = PolicyHead(spaces.Discrete(4), features=3, units=8, layers=1)(torch.randn(2, 3))
    assert torch.allclose(said.entropy(), torch.full((2,), math.log(4)), atol=1e-5)


def test_probabilities_of_all_choices_sum_to_one():
    said = head(spaces.MultiDiscrete([2, 3]))(torch.randn(1, 3))
    pairs = torch.tensor([[a, b] for a in range(2) for b in range(3)])
    total = sum(said.log_prob(pair.unsqueeze(0)).exp().item() for pair in pairs)
    assert math.isclose(total, 1.0, rel_tol=1e-5)


def test_choices_that_do_not_start_at_zero_keep_their_numbers():
    space = spaces.Discrete(3, start=5)
    said = head(space)(torch.randn(50, 3))
    assert all(int(a) in space for a in said.sample())
    assert torch.isfinite(said.log_prob(said.sample())).all()


def test_a_bounded_density_integrates_to_one_in_the_units_of_the_box():
    said = head(spaces.Box(-2, 6, (1,), np.float32))(torch.randn(1, 3))
    grid = torch.linspace(-2, 6, 4001).unsqueeze(1)
    density = torch.stack([said.log_prob(x.unsqueeze(0)) for x in grid]).exp()
    assert math.isclose(density.mean().item() * 8, 1.0, abs_tol=0.02)


def test_bounded_samples_stay_inside():
    space = spaces.Box(np.float32([-1, 0]), np.float32([1, 9]))
    sample = head(space)(torch.randn(500, 3)).sample()
    assert all(x in space for x in sample.numpy())


def test_the_action_at_the_very_edge_has_a_finite_density():
    said = head(spaces.Box(-1, 1, (1,), np.float32))(torch.randn(1, 3))
    assert torch.isfinite(said.log_prob(torch.tensor([[1.0]]))).all()


def test_text_cannot_be_acted():
    with pytest.raises(SpecError, match="cannot act"):
        PolicyHead(Words(), features=3, units=8, layers=1)


def test_actions_are_encoded_as_one_hot_and_scaled_numbers():
    space = spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Box(0, 4, (1,), np.float32)})
    out = ActionEncoder(space)({"a": torch.tensor([2]), "b": torch.tensor([[3.0]])})
    assert out.tolist() == [[0, 0, 1, 0.5]]


def test_one_hot_floats_pass_through_the_encoder():
    hot = torch.tensor([[0.0, 1.0]], requires_grad=True)
    assert ActionEncoder(spaces.Discrete(2))(hot) is not None
    assert ActionEncoder(spaces.Discrete(2))(hot).requires_grad
