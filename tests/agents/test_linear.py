import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.agents.linear import LinearAgent, TrackingAgent, weight_shape
from mindseye.agents.random import RandomAgent
from mindseye.agents.repeating import RepeatingAgent
from mindseye.core.errors import ConfigError, SpecError
from mindseye.models.world.dropout import DropoutWorldModel

THREE = spaces.Discrete(3, start=5)


def test_a_choice_is_one_number_and_a_vector_is_many():
    assert weight_shape(THREE, 10) == (1, 11)
    assert weight_shape(spaces.Box(-1, 1, (2, 2), np.float32), 10) == (4, 11)


def test_unbounded_actions_are_refused():
    with pytest.raises(SpecError):
        weight_shape(spaces.Box(-np.inf, np.inf, (2,), np.float32), 3)


def test_the_interval_is_cut_into_equal_parts():
    agent = LinearAgent(THREE, torch.tensor([[1.0, 0.0]]))
    action, _, _ = agent.act(np.array([[-9.0], [-0.3], [0.3], [9.0]], np.float32), None)
    assert action.tolist() == [5, 6, 6, 7]


def test_the_bias_counts():
    action, _, _ = LinearAgent(THREE, torch.tensor([[0.0, 9.0]])).act(np.zeros((1, 1), "f4"), None)
    assert action.tolist() == [7]


def test_every_row_may_have_its_own_weights():
    weights = torch.tensor([[[9.0, 0.0]], [[-9.0, 0.0]]])
    action, _, _ = LinearAgent(THREE, weights).act(np.ones((2, 1), np.float32), None)
    assert action.tolist() == [7, 5]


def test_vectors_are_stretched_to_their_bounds():
    space = spaces.Box(np.array([-2, 0], "f4"), np.array([2, 1], "f4"))
    weights = torch.tensor([[99.0, 0.0], [0.0, 0.0]])
    action, _, _ = LinearAgent(space, weights).act(np.ones((1, 1), np.float32), None)
    assert action.tolist() == [[2.0, 0.5]]
    assert action[0] in space


def test_a_tracking_agent_remembers_what_it_did():
    torch.manual_seed(0)
    model = DropoutWorldModel(spaces.Box(-1, 1, (1,), np.float32), spaces.Discrete(2), width=8)
    features = model.num_features
    agents = [
        TrackingAgent(model, LinearAgent(model.action_space, bias))
        for bias in (torch.zeros(1, features + 1) + 9, torch.zeros(1, features + 1) - 9)
    ]
    observation, memories = np.zeros((1, 1), np.float32), []
    for agent in agents:
        _, memory, _ = agent.act(observation, agent.initial(1))
        _, memory, _ = agent.act(observation, memory)
        memories.append(memory["state"]["hidden"])
    assert not torch.equal(*memories)


def test_an_action_is_held_for_at_most_as_long_as_said():
    space = spaces.Discrete(1_000)
    agent = RepeatingAgent(RandomAgent(space, 0), space, longest=4, seed=0)
    memory, actions = agent.initial(1), []
    for _ in range(400):
        action, memory, _ = agent.act(np.zeros((1, 1)), memory)
        actions.append(int(action[0]))
    changes = np.flatnonzero(np.diff(actions)) + 1
    lengths = np.diff([0, *changes])
    assert set(lengths.tolist()) == {1, 2, 3, 4}


def test_no_time_to_hold_is_refused():
    with pytest.raises(ConfigError):
        RepeatingAgent(RandomAgent(THREE, 0), THREE, longest=0, seed=0)
