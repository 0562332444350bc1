import json

import numpy as np
import pytest

from mindseye.core.episode import Episode, Origin
from mindseye.experience import describe
from mindseye.experience.inspect import describe_text


class Shelf:
    """The least that is an Experience: a list of episodes."""

    def __init__(self, *episodes):
        self.episodes = episodes

    def add(self, episodes):
        raise AssertionError("describing must not add")

    def sample(self, batch_size, length, rng):
        raise AssertionError("describing must not sample")

    def __iter__(self):
        return iter(self.episodes)

    def __len__(self):
        return sum(map(len, self.episodes))


def episode_of(rewards, *, actions=None, kind="real", **more):
    steps = len(rewards)
    actions = np.arange(steps) % 2 if actions is None else actions
    observations = {"x": np.zeros((steps + 1, 3), np.float32), "say": ["hi"] * (steps + 1)}
    rewards = np.array(rewards, np.float32)
    return Episode(observations, actions, rewards, True, False, Origin(kind, "hall"), **more)


def test_episodes_and_steps_are_counted():
    found = describe(Shelf(episode_of([0, 1]), episode_of([0, 0, 0])))
    assert (found["episodes"], found["steps"]) == (2, 5)


def test_returns_are_spread_out():
    found = describe(Shelf(*(episode_of([0, value]) for value in (1, 2, 3, 4, 10))))
    assert found["return"] == {
        "mean": 4.0,
        "least": 1.0,
        "quarter": 2.0,
        "median": 3.0,
        "three_quarters": 4.0,
        "greatest": 10.0,
    }


def test_success_is_a_total_reward_above_nothing():
    found = describe(Shelf(episode_of([1]), episode_of([0]), episode_of([-1]), episode_of([2])))
    assert found["success_share"] == 0.5


def test_choices_are_shown_as_shares():
    found = describe(Shelf(episode_of([0, 0, 0, 1], actions=np.array([0, 0, 0, 2]))))
    assert found["actions"] == {"": {"0": 0.75, "2": 0.25}}


def test_numbers_are_shown_as_ranges():
    found = describe(Shelf(episode_of([0, 1], actions=np.array([[-1.0], [0.5]]))))
    assert found["actions"] == {"": {"low": -1.0, "high": 0.5}}


def test_leaves_are_named_with_their_shapes():
    assert describe(Shelf(episode_of([1])))["observation"] == {"x": "float32 (3,)", "say": "text"}


def test_origins_are_counted():
    found = describe(Shelf(episode_of([1]), episode_of([1], kind="imagined"), episode_of([0])))
    assert found["origins"] == {"real hall": 2, "imagined hall": 1}


@pytest.mark.parametrize(
    ("episode", "warning"),
    [
        (episode_of([0, 0]), "no successful episode among 1"),
        (episode_of([1, 1]), "every reward is 1"),
        (episode_of([0, 1], actions=np.array([2, 2])), "action is always 2"),
        (episode_of([0, 1], error="the door fell off"), "1 episodes ended in an error"),
    ],
)
def test_what_looks_wrong_is_said(episode, warning):
    assert any(warning in text for text in describe(Shelf(episode))["warnings"])


def test_what_looks_right_gives_no_warning():
    assert describe(Shelf(episode_of([0, 1])))["warnings"] == []


def test_nothing_is_described_as_nothing():
    assert describe(Shelf())["warnings"] == ["no episodes"]


def test_a_description_is_json():
    json.dumps(describe(Shelf(episode_of([0, 1]))), allow_nan=False)


def test_a_description_reads_as_lines():
    text = describe_text(describe(Shelf(episode_of([0, 0]))))
    assert "episodes          1" in text
    assert "warning: no successful episode" in text
