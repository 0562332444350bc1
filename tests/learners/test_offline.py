"""Offline learners on a one-step choice whose best action is known."""

import copy

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.learners.offline import IQL, TD3BC, side_by_side
from mindseye.models.critics import ActionCritics
from mindseye.models.layers import mlp
from mindseye.models.policy.deterministic import DeterministicPolicy
from mindseye.models.policy.gaussian import GaussianPolicy

SEEN, PUSH = spaces.Box(-1, 1, (1,), np.float32), spaces.Box(-2, 2, (1,), np.float32)


def batch(rows=128):
    """Random actions pay −(a − o)² and end the episode."""
    before, action = 2 * torch.rand(rows, 1) - 1, 4 * torch.rand(rows, 1) - 2
    reward = -(action - before).square().squeeze(-1)
    zero = torch.zeros(rows)
    return {
        "observation": torch.stack((before, torch.zeros_like(before)), 1),
        "action": torch.stack((torch.zeros_like(action), action), 1),
        "reward": torch.stack((zero, reward), 1),
        "continuation": torch.stack((zero + 1, zero), 1),
        "is_first": torch.tensor([True, False]).expand(rows, 2),
        "mask": torch.ones(rows, 2),
    }


def td3bc(**options):
    torch.manual_seed(0)
    policy, critics = DeterministicPolicy(SEEN, PUSH, units=32), ActionCritics(SEEN, PUSH, units=32)
    return TD3BC(policy, critics, learning_rate=3e-3, **options)


def iql(**options):
    torch.manual_seed(0)
    policy, critics = GaussianPolicy(SEEN, PUSH, units=32), ActionCritics(SEEN, PUSH, units=32)
    return IQL(policy, critics, mlp(1, 32, 1, 1), learning_rate=3e-3, polyak=0.05, **options)


def error(learner):
    seen = torch.linspace(-1, 1, 50).unsqueeze(-1)
    with torch.no_grad():
        return (learner.policy(seen).mode() - seen).square().mean().sqrt().item()


def test_td3bc_finds_the_best_action():
    learner = td3bc(alpha=20.0)
    for _ in range(400):
        learner.update(batch())
    assert error(learner) < 0.2


def test_without_value_td3bc_clones():
    learner = td3bc(alpha=0.0)
    for _ in range(300):
        data = batch()
        data["action"][:, 1] = -data["observation"][:, 0]
        learner.update(data)
    seen = torch.linspace(-1, 1, 50).unsqueeze(-1)
    torch.testing.assert_close(learner.policy(seen).mode(), -seen, rtol=0, atol=0.15)


def test_iql_prefers_the_better_half_of_the_data():
    learner = iql(temperature=3.0)
    for _ in range(400):
        learner.update(batch())
    assert error(learner) < 0.3


@pytest.mark.parametrize("build", [td3bc, iql])
def test_a_restored_learner_goes_on_equally(build):
    first, second = build(), build()
    for _ in range(3):
        first.update(batch())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    results = []
    for learner in (first, second):
        torch.manual_seed(1)
        results.append([learner.update(batch()) for _ in range(2)])
    assert results[0] == results[1]


def test_the_end_of_an_episode_stops_the_bootstrap():
    learner = td3bc(discount=1.0)
    pairs = {
        "reward": torch.tensor([2.0, 2.0]),
        "continuation": torch.tensor([0.0, 1.0]),
        "after": torch.zeros(2, 1),
    }
    target = learner._target(pairs)
    assert target[0] == 2.0
    assert target[1] != 2.0


def test_the_careful_critic_is_the_least():
    learner = td3bc(discount=1.0, noise=0.0)
    pairs = {"reward": torch.zeros(1), "continuation": torch.ones(1), "after": torch.zeros(1, 1)}
    policy, critics = learner.targets
    both = critics(pairs["after"], policy(pairs["after"]).mode())
    assert learner._target(pairs).item() == pytest.approx(both.min().item())


def test_pairs_do_not_cross_episodes_or_padding():
    data = {
        "observation": torch.arange(5.0).reshape(1, 5, 1),
        "action": torch.zeros(1, 5, 1),
        "reward": torch.arange(5.0).reshape(1, 5),
        "continuation": torch.ones(1, 5),
        "is_first": torch.tensor([[True, False, True, False, False]]),
        "mask": torch.tensor([[1.0, 1, 1, 1, 0]]),
    }
    pairs = side_by_side(data)
    assert pairs["reward"].tolist() == [[0.0, 1.0], [2.0, 3.0]]


def test_a_gaussian_says_its_density_and_keeps_its_cap():
    policy = GaussianPolicy(SEEN, PUSH, units=8, log_deviation=1.0, cap=0.0)
    said = policy(torch.zeros(3, 1))
    expected = torch.distributions.Normal(said.mean, 1.0)
    torch.testing.assert_close(said.log_prob(said.mean + 1), expected.log_prob(said.mean + 1)[:, 0])
    torch.testing.assert_close(said.entropy(), expected.entropy()[:, 0])


def test_critics_computed_together_equal_each_alone():
    torch.manual_seed(0)
    critics = ActionCritics(SEEN, PUSH, units=8, networks=3)
    seen, action = torch.randn(5, 1), torch.rand(5, 1)
    together = critics(seen, action)
    for parameters in (critics.weights, critics.biases):
        for parameter in parameters:
            parameter.data = parameter.data[1:2]
    torch.testing.assert_close(critics(seen, action)[0], together[1])
