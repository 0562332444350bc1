import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.agents.policy import PolicyNetwork
from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Prediction
from mindseye.core.run import Run
from mindseye.stages.finding import arrived, fit_finder
from mindseye.stages.rehearsal import agreement, examples, rehearse, tune
from mindseye.worlds import make


class Walk:
    """The place moves as told."""

    observation_space = spaces.Dict({"place": spaces.Box(-9, 9, (1,), np.float32)})
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def initial(self, batch_size):
        return torch.zeros(batch_size, 1)

    def observe(self, state, action, observation, is_first):
        return observation["place"]

    def imagine(self, state, action):
        return state + action

    def predict(self, state):
        rows = torch.zeros(len(state))
        return Prediction({"place": state}, rows, rows + 1)


class Onwards:
    def initial(self, batch_size):
        return None

    def act(self, observation, memory, *, explore=False):
        return np.ones_like(observation["place"]), None, {"numbers": observation["place"]}


def test_rehearsals_begin_at_the_given_observations_in_order():
    first = {"place": np.array([[0.0], [5.0]], np.float32), "unknown": np.zeros(2)}
    played = rehearse(Walk(), Onwards(), first, horizon=3)
    assert [e.observations["place"][:, 0].tolist() for e in played] == [[0, 1, 2, 3], [5, 6, 7, 8]]
    assert all(e.truncated and e.origin.kind == "imagined" for e in played)


def test_a_dream_without_differences_ranks_nobody():
    real = np.array([[1, 1], [0, 1], [0, 0]])
    found = {m["name"]: m["value"] for m in agreement(real, {"same": real, "flat": 0 * real})}
    assert found["policies/kendall/same"] == pytest.approx(1.0)
    assert found["policies/kendall/flat"] == 0.0


def episode(numbers, actions):
    steps = len(actions)
    return Episode(
        observations=np.zeros((steps + 1, 1), np.float32),
        actions=np.array(actions, np.float32)[:, None],
        rewards=np.zeros(steps, np.float32),
        terminated=False,
        truncated=True,
        origin=Origin("real", "x"),
        extras={"numbers": np.array(numbers, np.float32)[:, None]},
    )


def test_examples_are_what_was_read_and_done():
    seen, done = examples([episode([1, 2], [3, 4]), episode([5], [6])])
    assert seen.ravel().tolist() == [1, 2, 5]
    assert done.ravel().tolist() == [3, 4, 6]


def test_tuning_on_dreams_changes_what_is_done():
    torch.manual_seed(0)
    space = spaces.Box(-1, 1, (1,), np.float32)
    network = PolicyNetwork(space, space, units=16)
    shown, dreamed = [episode([0] * 8, [0.8] * 8)], [episode([0] * 8, [-0.8] * 8)]
    options = {"updates": 200, "batch": 32, "rng": np.random.default_rng(0)}
    zero, memory = np.zeros((1, 1), np.float32), None
    before = tune(network, shown, **options).act(zero, memory)[0].item()
    after = tune(network, dreamed, **options).act(zero, memory)[0].item()
    assert before > 0.3
    assert after < before - 0.2


def test_the_puck_arrives_where_the_goal_was_seen_at_first():
    def find(pictures):
        places = pictures[:, 0, 0].astype(float) / 100
        return np.stack([np.stack([places[:, k], 0 * places[:, k]], 1) for k in (0, 1)], 1)

    def film(*pairs):
        frames = np.zeros((len(pairs), 2, 2, 3), np.uint8)
        frames[:, 0, 0, :2] = pairs
        steps = len(pairs) - 1
        return Episode(
            observations={"top": frames},
            actions=np.zeros((steps, 1), np.float32),
            rewards=np.zeros(steps, np.float32),
            terminated=False,
            truncated=True,
            origin=Origin("real", "x"),
        )

    there = film((50, 90), (80, 90), (50, 90))
    never = film((90, 90), (60, 90), (60, 60))
    assert arrived(find, [there, never]).tolist() == [True, False]


def test_a_finder_learns_where_things_are(tmp_path):
    world = make("tabletop/push", 1, observation="views", size=16)
    with Run(tmp_path, name="find", config={}, seed=100) as record:
        _, away = fit_finder(record, world, pictures=1_000, updates=200, depth=12)
    # a guess in the middle is off by more than half
    assert np.mean(away) < 0.25
