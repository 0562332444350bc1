"""Each learner on a problem whose answer is known, with a threshold and a fixed seed."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.agents.policy import PolicyAgent, PolicyNetwork
from mindseye.agents.value import ValueAgent
from mindseye.core.errors import LearnerError
from mindseye.learners.imagination import ImaginationActorCritic
from mindseye.learners.imitation import BehaviourCloning
from mindseye.learners.model_fitting import ModelFitting
from mindseye.learners.policy_gradient import PPO
from mindseye.learners.q_learning import QLearning
from mindseye.models.policy import PolicyHead
from mindseye.models.value import ActionValueNetwork
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES

SYMBOLS, ACTIONS = spaces.Discrete(4), spaces.Discrete(4)


def identity_batch(rng, policy=None, rows=64, steps=6):
    """Observations are random symbols; acting out the symbol pays 1. Arrival rows."""
    observation = torch.from_numpy(rng.integers(4, size=(rows, steps)))
    batch = {"observation": observation, "mask": torch.ones(rows, steps)}
    if policy is None:
        action = torch.from_numpy(rng.integers(4, size=(rows, steps - 1)))
        log_prob = torch.full((rows, steps - 1), -np.log(4.0))
    else:
        with torch.no_grad():
            said = policy(observation[:, :-1])
            action = said.sample()
            log_prob = said.log_prob(action)
    reward = (action == observation[:, :-1]).float()
    zero = torch.zeros(rows, 1)
    batch["action"] = torch.cat((zero.long(), action), 1)
    batch["log_prob"] = torch.cat((zero, log_prob.float()), 1)
    batch["reward"] = torch.cat((zero, reward), 1)
    batch["continuation"] = torch.ones(rows, steps)
    batch["is_first"] = torch.cat((torch.ones(rows, 1), torch.zeros(rows, steps - 1)), 1).bool()
    return batch


def share_right(agent):
    symbols = np.arange(4).repeat(8)
    return float(np.mean(agent.act(symbols, agent.initial(32))[0] == symbols))


def test_ppo_learns_to_repeat_the_symbol():
    torch.manual_seed(0)
    rng, network = np.random.default_rng(0), PolicyNetwork(SYMBOLS, ACTIONS, units=32)
    learner = PPO(network, SYMBOLS, seed=0, units=32)
    for _ in range(15):
        learner.update(identity_batch(rng, network))
    assert share_right(PolicyAgent(network)) == 1.0


def test_q_learning_learns_to_repeat_the_symbol_from_random_play():
    torch.manual_seed(0)
    rng, network = np.random.default_rng(0), ActionValueNetwork(SYMBOLS, ACTIONS, units=32)
    learner = QLearning(network, discount=0.0, learning_rate=3e-3)
    for _ in range(120):
        learner.update(identity_batch(rng))
    assert share_right(ValueAgent(network, temperature=0.0)) == 1.0


def test_cloning_copies_the_expert_of_the_data():
    torch.manual_seed(0)
    rng, network = np.random.default_rng(0), PolicyNetwork(SYMBOLS, ACTIONS, units=32)
    learner = BehaviourCloning(network)
    for _ in range(80):
        batch = identity_batch(rng)
        batch["action"][:, 1:] = (batch["observation"][:, :-1] + 1) % 4
        learner.update(batch)
    said = network(torch.arange(4)).mode()
    assert said.tolist() == [1, 2, 3, 0]


def test_q_learning_values_a_chain_by_hand():
    """Three states in a row, the last step pays 1 and ends: values are γ², γ, 1."""
    torch.manual_seed(0)
    network = ActionValueNetwork(spaces.Discrete(4), spaces.Discrete(1), units=32)
    learner = QLearning(network, discount=0.5, learning_rate=3e-3, target_period=20)
    batch = {
        "observation": torch.tensor([[0, 1, 2, 3]]),
        "action": torch.zeros(1, 4, dtype=torch.long),
        "reward": torch.tensor([[0.0, 0.0, 0.0, 1.0]]),
        "continuation": torch.tensor([[1.0, 1.0, 1.0, 0.0]]),
        "is_first": torch.tensor([[True, False, False, False]]),
        "mask": torch.ones(1, 4),
    }
    for _ in range(400):
        learner.update(batch)
    values = network(torch.arange(3)).squeeze(-1)
    assert torch.allclose(values, torch.tensor([0.25, 0.5, 1.0]), atol=0.03)


def counting_batch(rng, rows=16, steps=8):
    """A world that counts: action 1 adds one modulo 4, action 0 stays; reaching 0 again pays 1."""
    state = np.zeros((rows, steps), np.int64)
    action = rng.integers(2, size=(rows, steps))
    reward = np.zeros((rows, steps), np.float32)
    state[:, 0] = rng.integers(4, size=rows)
    action[:, 0] = 0
    for t in range(1, steps):
        state[:, t] = (state[:, t - 1] + action[:, t]) % 4
        reward[:, t] = (state[:, t] == 0) & (action[:, t] == 1)
    return {
        "observation": torch.from_numpy(state),
        "action": torch.from_numpy(action),
        "reward": torch.from_numpy(reward),
        "continuation": torch.ones(rows, steps),
        "is_first": torch.zeros(rows, steps, dtype=torch.bool),
        "mask": torch.ones(rows, steps),
    }


@pytest.fixture(scope="module")
def counting_model():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = LatentWorldModel(
        SYMBOLS, spaces.Discrete(2), reward_limits=(0, 1), **SIZES["tiny"].arguments()
    )
    learner = ModelFitting(model, learning_rate=3e-3)
    for _ in range(250):
        learner.update(counting_batch(rng))
    return model.eval()


def test_a_fitted_model_counts_on_open_loop(counting_model):
    torch.manual_seed(1)
    model, symbols = counting_model, torch.arange(4).repeat(32)
    zero, one = torch.zeros(128, dtype=torch.long), torch.ones(128, dtype=torch.long)
    state = model.observe(model.initial(128), zero, symbols, one.bool())
    for ahead in range(1, 5):
        state = model.imagine(state, one)
        with torch.no_grad():
            said = model.predict(state)
        truth = (symbols + ahead) % 4
        assert (said.observation == truth).float().mean() > 0.85
        assert (said.reward.round() == (truth == 0)).float().mean() > 0.85


def test_a_policy_trained_in_the_dream_keeps_counting(counting_model):
    torch.manual_seed(0)
    model, rng = counting_model, np.random.default_rng(1)
    policy = PolicyHead(spaces.Discrete(2), features=model.num_features, units=32, layers=1)
    learner = ImaginationActorCritic(model, policy, horizon=8, units=32, value_limits=(-10, 10))
    for _ in range(40):
        seen = model.posteriors(counting_batch(rng))
        learner.update(seen.state_at(torch.arange(16), torch.full((16,), 7)))
    said = policy(model.features(seen.state_at(torch.arange(16), torch.full((16,), 7))))
    assert said.mode().float().mean() > 0.9


def test_imagination_leaves_the_model_untouched(counting_model):
    before = {k: v.clone() for k, v in counting_model.state_dict().items()}
    policy = PolicyHead(spaces.Discrete(2), features=counting_model.num_features, units=8, layers=1)
    learner = ImaginationActorCritic(counting_model, policy, horizon=3, units=8)
    learner.update(counting_model.initial(4))
    after = counting_model.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_an_update_that_is_not_finite_stops_and_names_the_learner():
    network = PolicyNetwork(spaces.Box(-1, 1, (2,), np.float32), ACTIONS, units=8)
    batch = identity_batch(np.random.default_rng(0), rows=2)
    batch["observation"] = torch.full((2, 6, 2), torch.nan)
    before = [p.clone() for p in network.parameters()]
    with pytest.raises(LearnerError, match="behaviour cloning"):
        BehaviourCloning(network).update(batch)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
