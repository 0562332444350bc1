import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.episode import Episode, Origin
from mindseye.experience import Replay

REAL = Origin("real", "chain")
LINE = spaces.Box(-100, 100, (1,), np.float32)


def counting(steps, *, first=0.0, terminated=True, reward=0.0, origin=REAL, **more):
    """Observations first, first + 1, ...; action t is t modulo 3; reward on the last step only."""
    rewards = np.zeros(steps, np.float32)
    if steps:
        rewards[-1] = reward
    return Episode(
        observations=np.arange(first, first + steps + 1, dtype=np.float32)[:, None],
        actions=np.arange(steps) % 3,
        rewards=rewards,
        terminated=terminated,
        truncated=not terminated,
        origin=origin,
        **more,
    )


@pytest.fixture
def replay(tmp_path):
    return Replay(tmp_path / "store", LINE, spaces.Discrete(3))


def same(first, second):
    assert np.array_equal(first.observations, second.observations)
    assert np.array_equal(first.actions, second.actions)
    assert np.array_equal(first.rewards, second.rewards)
    assert (first.terminated, first.truncated) == (second.terminated, second.truncated)
    assert first.origin == second.origin


def test_an_episode_comes_back_as_it_was(replay):
    replay.add([counting(4, reward=1.5)])
    same(replay.episode(0), counting(4, reward=1.5))


def test_rows_are_arrivals(replay):
    replay.add([counting(3, reward=2.0)])
    batch = replay.sample(1, 4, np.random.default_rng(0))
    assert batch["observation"][0, :, 0].tolist() == [0, 1, 2, 3]
    assert batch["action"][0].tolist() == [0, 0, 1, 2]
    assert batch["reward"][0].tolist() == [0, 0, 0, 2]
    assert batch["continuation"][0].tolist() == [1, 1, 1, 0]
    assert batch["is_first"][0].tolist() == [True, False, False, False]
    assert batch["mask"][0].tolist() == [1, 1, 1, 1]


def test_choices_leave_as_int64_tensors(replay):
    replay.add([counting(3)])
    batch = replay.sample(2, 2, np.random.default_rng(0))
    assert batch["action"].dtype == torch.int64


def test_the_length_counts_steps(replay):
    replay.add([counting(3), counting(5)])
    assert len(replay) == 8


def test_an_opened_folder_holds_the_same_episodes(replay):
    replay.add([counting(3), counting(5, first=7)])
    again = Replay.open(replay.folder)
    for mine, theirs in zip(replay, again, strict=True):
        same(mine, theirs)
