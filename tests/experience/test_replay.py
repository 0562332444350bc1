import tempfile
import tracemalloc

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError, SpecError
from mindseye.core.protocols import Experience
from mindseye.core.spaces import Words
from mindseye.core.task import Task
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


def test_choices_are_small_on_disk(replay):
    replay.add([counting(3)])
    assert (replay.folder / "columns" / "action.000000").stat().st_size == 4


def test_a_tree_of_everything_comes_back(tmp_path):
    space = spaces.Dict(
        {
            "grid": spaces.MultiDiscrete(np.full((2, 2), 300)),
            "pair": spaces.Tuple([spaces.Discrete(2, start=5), spaces.MultiBinary(3)]),
            "say": Words(),
        }
    )
    replay = Replay(tmp_path, space, spaces.Dict({"go": spaces.Discrete(3), "say": Words()}))
    observations = {
        "grid": np.full((3, 2, 2), 299),
        "pair": (np.array([5, 6, 5]), np.eye(3, dtype=np.int8)),
        "say": ["", "a\nb", "🗝"],
    }
    actions = {"go": np.array([2, 1]), "say": ["yes", ""]}
    replay.add([Episode(observations, actions, np.zeros(2, np.float32), True, False, REAL)])
    back = replay.episode(0)
    assert np.array_equal(back.observations["grid"], observations["grid"])
    assert np.array_equal(back.observations["pair"][0], observations["pair"][0])
    assert np.array_equal(back.observations["pair"][1], observations["pair"][1])
    assert back.observations["say"] == observations["say"]
    assert back.actions["go"].dtype == np.int64
    assert back.actions["say"] == actions["say"]


def test_everything_said_about_an_episode_comes_back(replay):
    task = Task("walk", seed=3, options={"length": [1, 2]})
    origin = Origin("written", "pen", agent="a", step=7, parent="p", branch_step=2)
    replay.add(
        [counting(2, origin=origin, task=task, stop_reason="parse_error", error="Ünlesbar\n{}")]
    )
    back = replay.episode(0)
    assert (back.origin, back.task) == (origin, task)
    assert (back.stop_reason, back.error) == ("parse_error", "Ünlesbar\n{}")


def test_an_episode_without_steps_comes_back(replay):
    replay.add([counting(0, error="broke at once"), counting(2)])
    assert len(replay.episode(0)) == 0


def test_texts_are_lists_of_lists_in_a_batch(tmp_path):
    replay = Replay(tmp_path, Words(), Words())
    rewards = np.zeros(2, np.float32)
    replay.add([Episode(["a", "b", "c"], ["go", "stop"], rewards, True, False, REAL)])
    batch = replay.sample(1, 3, np.random.default_rng(0))
    assert (batch["observation"], batch["action"]) == ([["a", "b", "c"]], [["", "go", "stop"]])


def test_texts_are_padded_with_nothing(tmp_path):
    replay = Replay(tmp_path, Words(), Words())
    replay.add([Episode(["a", "b"], ["go"], np.zeros(1, np.float32), True, False, REAL)])
    batch = replay.sample(1, 4, np.random.default_rng(0), crossing=False)
    assert batch["observation"] == [["a", "b", "", ""]]


def test_records_of_the_agent_are_fields_beside_their_action(replay):
    replay.add([counting(2, extras={"log_prob": np.array([-1.0, -2.0], np.float32)})])
    batch = replay.sample(1, 3, np.random.default_rng(0))
    assert batch["log_prob"].tolist() == [[0, -1, -2]]


def test_rows_before_a_record_was_kept_are_nan(replay):
    replay.add([counting(1)])
    replay.add([counting(1, extras={"log_prob": np.array([-1.0], np.float32)})])
    batch = replay.sample(1, 4, np.random.default_rng(0))
    assert batch["log_prob"][0, 2:].tolist() == [0, -1]
    assert batch["log_prob"][0, :2].isnan().all()


def test_episodes_that_lack_a_record_are_nan_there(replay):
    replay.add([counting(1, extras={"log_prob": np.array([-1.0], np.float32)}), counting(1)])
    batch = replay.sample(1, 4, np.random.default_rng(0))
    assert batch["log_prob"][0, 2:].isnan().all()
    assert "log_prob" not in replay.episode(1).extras


def test_records_beyond_the_fields_of_a_batch_stay_on_disk(replay):
    replay.add([counting(2, extras={"frames": np.zeros((2, 4, 4, 3), np.uint8)})])
    assert "frames" not in replay.sample(1, 2, np.random.default_rng(0))
    assert replay.episode(0).extras["frames"].shape == (2, 4, 4, 3)


def test_records_can_be_asked_for_by_name(replay):
    visits = {"visits": {"counts": np.arange(6).reshape(2, 3)}, "thought": ["hm", "oh"]}
    replay.add([counting(2, extras=visits)])
    again = Replay.open(replay.folder, extras=["visits", "thought"])
    batch = again.sample(1, 3, np.random.default_rng(0))
    assert batch["visits"]["counts"].tolist() == [[[0, 0, 0], [0, 1, 2], [3, 4, 5]]]
    assert batch["thought"] == [["", "hm", "oh"]]


def test_truncating_forgets_records_that_began_later(replay):
    replay.add([counting(1)])
    replay.add([counting(1, extras={"log_prob": np.zeros(1, np.float32)})])
    replay.truncate(1)
    assert "log_prob" not in replay.sample(1, 2, np.random.default_rng(0))


def test_a_record_of_another_shape_is_refused(replay):
    replay.add([counting(1, extras={"value": np.zeros(1, np.float32)})])
    with pytest.raises(SpecError, match="extra value"):
        replay.add([counting(1, extras={"value": np.zeros((1, 2), np.float32)})])


def test_after_a_refused_episode_the_store_goes_on(replay):
    with pytest.raises(SpecError):
        replay.add([counting(1, extras={"value": np.zeros(1)}), counting(2, extras={"odd": [{}]})])
    replay.add([counting(3, extras={"value": np.ones(3)})])
    assert Replay.open(replay.folder).episode(0).extras["value"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("observations", "actions", "what"),
    [
        (np.zeros((2, 3), np.float32), np.zeros(1, int), "expected shape"),
        (np.zeros((2, 1), complex), np.zeros(1, int), "expected float32"),
        (np.zeros((2, 1), np.float32), np.array([3]), "3 is outside"),
        (np.zeros((2, 1), np.float32), np.array([-1]), "-1 is outside"),
        (np.zeros((2, 1), np.float32), np.array([0.5]), "expected integers"),
        ({"x": np.zeros((2, 1), np.float32)}, np.zeros(1, int), "expected shape"),
    ],
)
def test_what_does_not_fit_the_spaces_is_refused(replay, observations, actions, what):
    episode = Episode(observations, actions, np.zeros(1, np.float32), True, False, REAL)
    with pytest.raises(SpecError, match=what):
        replay.add([episode])


def test_of_a_refused_group_nothing_is_kept(replay):
    bad = Episode(np.zeros((2, 1)), np.array([9]), np.zeros(1, np.float32), True, False, REAL)
    with pytest.raises(SpecError):
        replay.add([counting(3), bad])
    assert replay.num_episodes == 0


def test_a_folder_of_other_spaces_is_refused(replay):
    with pytest.raises(DataError, match="action_space"):
        Replay(replay.folder, LINE, spaces.Discrete(4))


def test_an_existing_folder_is_continued(replay):
    replay.add([counting(3)])
    again = Replay(replay.folder, LINE, spaces.Discrete(3))
    again.add([counting(5)])
    assert [len(episode) for episode in again] == [3, 5]


def test_beyond_the_capacity_the_oldest_episodes_leave(tmp_path):
    replay = Replay(tmp_path, LINE, spaces.Discrete(3), capacity=10)
    replay.add([counting(4, first=f) for f in (0, 10, 20, 30)])
    assert len(replay) == 8
    assert [episode.observations[0, 0] for episode in replay] == [20, 30]
    batch = replay.sample(100, 2, np.random.default_rng(0))
    assert batch["observation"].min() == 20


def test_one_episode_longer_than_the_capacity_stays(tmp_path):
    replay = Replay(tmp_path, LINE, spaces.Discrete(3), capacity=2)
    replay.add([counting(4)])
    assert len(replay) == 4


def test_files_of_episodes_that_left_are_deleted(tmp_path):
    replay = Replay(tmp_path, LINE, spaces.Discrete(3), capacity=20, file_bytes=40)
    for first in range(30):
        replay.add([counting(4, first=first)])
    files = list((tmp_path / "columns").glob("observation.*"))
    assert len(files) <= 4
    assert [episode.observations[0, 0] for episode in Replay.open(tmp_path, capacity=20)] == [
        25,
        26,
        27,
        28,
        29,
    ]
    with pytest.raises(DataError, match="was dropped"):
        replay.episode(0)


def test_texts_of_episodes_that_left_are_deleted(tmp_path):
    replay = Replay(tmp_path, Words(), spaces.Discrete(3), capacity=8, file_bytes=64)
    said = ["one", "two", "three", "four", "five"]
    for _ in range(30):
        replay.add([Episode(said, np.zeros(4, int), np.zeros(4), True, False, REAL)])
    assert len(list((tmp_path / "columns").glob("observation.utf8.*"))) <= 3
    assert [episode.observations for episode in Replay.open(tmp_path)] == [said, said]


def test_what_a_checkpoint_needs_is_not_deleted(tmp_path):
    replay = Replay(tmp_path, LINE, spaces.Discrete(3), capacity=8, file_bytes=40)
    replay.add([counting(4, first=f) for f in (0, 1, 2)])
    state = replay.state_dict()
    for first in range(3, 20):
        replay.add([counting(4, first=first)])
    again = Replay.open(tmp_path, capacity=8)
    again.load_state_dict(state)
    assert [episode.observations[0, 0] for episode in again] == [1, 2]


def test_segments_read_across_files(tmp_path):
    replay = Replay(tmp_path, LINE, spaces.Discrete(3), file_bytes=12)
    replay.add([counting(20)])
    batch = replay.sample(1, 21, np.random.default_rng(0))
    assert batch["observation"][0, :, 0].tolist() == list(range(21))
    assert batch["action"][0, 1:].tolist() == [t % 3 for t in range(20)]


def test_negative_numbers_count_from_the_newest(replay):
    replay.add([counting(1), counting(2)])
    assert len(replay.episode(-1)) == 2


def test_an_episode_that_is_not_there_is_refused(replay):
    with pytest.raises(DataError, match="no episode 0"):
        replay.episode(0)


def test_sampling_from_nothing_is_refused(replay):
    with pytest.raises(DataError, match="add experience"):
        replay.sample(1, 1, np.random.default_rng(0))


def test_a_replay_is_experience(replay):
    assert isinstance(replay, Experience)


def test_memory_does_not_grow_with_the_store(replay):
    def stream():
        for _ in range(2000):
            yield counting(100)

    tracemalloc.start()
    replay.add(stream())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(replay) == 200_000
    assert peak < 16e6


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.floats(-9, 9)), max_size=6),
    st.integers(8, 90),
)
def test_any_episodes_survive_writing_and_reading(shapes, file_bytes):
    given_ = [counting(n, terminated=end, reward=reward) for n, end, reward in shapes]
    with tempfile.TemporaryDirectory() as folder:
        Replay(folder, LINE, spaces.Discrete(3), file_bytes=file_bytes).add(given_)
        again = Replay.open(folder)
        assert again.verify() == {}
        for mine, theirs in zip(given_, again, strict=True):
            same(mine, theirs)
        again.close()
