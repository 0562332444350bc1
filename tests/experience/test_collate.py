import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.core.task import Task
from mindseye.experience import collate, separate
from mindseye.experience.rows import arrivals, departures

REAL = Origin("real", "chain")


def episode_of(steps, *, terminated=True, texts=False, task=None, **extras):
    observations = {"x": np.arange(2.0 * (steps + 1), dtype=np.float32).reshape(-1, 2)}
    if texts:
        observations["say"] = [f"step {t}" for t in range(steps + 1)]
    actions = (np.arange(steps) % 3 + 1, np.ones((steps, 2), np.float32))
    rewards = np.arange(steps, dtype=np.float32)
    return Episode(observations, actions, rewards, terminated, not terminated, REAL, task, extras)


def test_short_episodes_are_masked_after_their_end():
    batch = collate([episode_of(1), episode_of(3)])
    assert batch["mask"].tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]


def test_padding_is_zero():
    batch = collate([episode_of(1), episode_of(3)])
    assert not batch["observation"]["x"][0, 2:].any()
    assert not batch["continuation"][0, 2:].any()


def test_the_first_action_of_an_episode_is_blank():
    batch = collate([episode_of(3)])
    assert batch["action"][0].tolist() == [[0, 1, 2, 3]]


def test_attempts_at_one_task_form_a_group():
    door, key = Task("open the door"), Task("take the key")
    batch = collate([episode_of(1, task=door), episode_of(1, task=key), episode_of(2, task=door)])
    assert batch["group"].tolist() == [[0, 0, -1], [1, 1, -1], [0, 0, 0]]


def test_records_that_some_episodes_lack_are_left_out():
    with_ = episode_of(2, log_prob=np.zeros(2, np.float32))
    assert "log_prob" not in collate([with_, episode_of(2)])


def test_a_record_sits_beside_its_action():
    batch = collate([episode_of(2, log_prob=np.array([-1.0, -2.0], np.float32))])
    assert batch["log_prob"].tolist() == [[0, -1, -2]]


def test_nothing_to_collate_is_refused():
    with pytest.raises(DataError, match="at least one episode"):
        collate([])


def test_unlike_shapes_are_refused():
    odd = Episode(np.zeros((2, 5)), np.zeros(1), np.zeros(1), True, False, REAL)
    even = Episode(np.zeros((2, 4)), np.zeros(1), np.zeros(1), True, False, REAL)
    with pytest.raises(DataError, match="expected one shape"):
        collate([odd, even])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=5), st.booleans())
def test_separating_a_collated_batch_gives_the_rows_back(shapes, texts):
    episodes = [episode_of(steps, terminated=end, texts=texts) for steps, end in shapes]
    for rows, episode in zip(separate(collate(episodes)), episodes, strict=True):
        expected = arrivals(episode)
        assert torch.equal(rows["reward"], torch.from_numpy(expected["reward"]))
        assert np.array_equal(rows["observation"]["x"], expected["observation"]["x"])
        assert not texts or rows["observation"]["say"] == expected["observation"]["say"]
        assert np.array_equal(rows["action"][1], expected["action"][1])
        assert rows["is_first"].tolist() == [True] + [False] * len(episode)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 6), st.booleans(), st.booleans())
def test_departing_from_arrivals_gives_the_episode_back(steps, terminated, texts):
    task = Task("try")
    given_ = episode_of(steps, terminated=terminated, texts=texts, task=task)
    back = departures(arrivals(given_), origin=REAL, truncated=not terminated, task=task)
    assert np.array_equal(back.observations["x"], given_.observations["x"])
    assert np.array_equal(back.actions[0], given_.actions[0])
    assert np.array_equal(back.rewards, given_.rewards)
    assert (back.terminated, back.truncated, back.task) == (terminated, not terminated, task)
