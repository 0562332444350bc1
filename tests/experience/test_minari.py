import warnings

import numpy as np
import pytest
from gymnasium import spaces

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.core.spaces import Words
from mindseye.core.task import Task
from mindseye.experience import Replay, load
from mindseye.experience.minari import export_minari, import_minari

minari = pytest.importorskip("minari")
pytest.importorskip("h5py")

OBSERVATION = spaces.Dict(
    {
        "image": spaces.Box(0, 255, (40, 40, 3), np.uint8),
        "say": Words(50),
        "where": spaces.Tuple([spaces.Discrete(5), spaces.Box(-1, 1, (2,), np.float32)]),
    }
)
ORIGIN = Origin("imagined", "dream-7", agent="random", step=3)


def episode_of(seed, steps=4):
    rng = np.random.default_rng(seed)
    rows = steps + 1
    observations = {
        "image": rng.integers(0, 256, (rows, 40, 40, 3), dtype=np.uint8),
        "say": [f"Tür {t} 🗝" for t in range(rows)],
        "where": (rng.integers(0, 5, rows), rng.random((rows, 2), np.float32)),
    }
    extras = {"log_prob": rng.random(steps, np.float32), "thought": ["hm"] * steps}
    return Episode(
        observations,
        rng.integers(0, 3, steps),
        rng.random(steps, np.float32),
        seed % 2 == 0,
        seed % 2 == 1,
        ORIGIN,
        Task("open the door", seed=seed),
        extras,
        "completed",
    )


@pytest.fixture
def there_and_back(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    replay = Replay(tmp_path / "here", OBSERVATION, spaces.Discrete(3))
    replay.add([episode_of(0), episode_of(1)])
    export_minari(replay, "ours/door-v0")
    return replay, import_minari("ours/door-v0", tmp_path / "back")


def test_pictures_survive_the_round_trip_exactly(there_and_back):
    for mine, theirs in zip(*there_and_back, strict=True):
        assert np.array_equal(mine.observations["image"], theirs.observations["image"])


def test_texts_survive_the_round_trip(there_and_back):
    for mine, theirs in zip(*there_and_back, strict=True):
        assert mine.observations["say"] == theirs.observations["say"]


def test_tuples_survive_the_round_trip(there_and_back):
    for mine, theirs in zip(*there_and_back, strict=True):
        for a, b in zip(mine.observations["where"], theirs.observations["where"], strict=True):
            assert np.array_equal(a, b)


def test_actions_and_rewards_survive_the_round_trip(there_and_back):
    for mine, theirs in zip(*there_and_back, strict=True):
        assert np.array_equal(mine.actions, theirs.actions)
        assert np.array_equal(mine.rewards, theirs.rewards)


def test_ends_and_origin_survive_the_round_trip(there_and_back):
    for mine, theirs in zip(*there_and_back, strict=True):
        assert (mine.terminated, mine.truncated) == (theirs.terminated, theirs.truncated)
        assert (mine.origin, mine.task) == (theirs.origin, theirs.task)
        assert (mine.stop_reason, mine.error) == (theirs.stop_reason, theirs.error)


def test_records_of_the_agent_survive_the_round_trip(there_and_back):
    for mine, theirs in zip(*there_and_back, strict=True):
        assert np.array_equal(mine.extras["log_prob"], theirs.extras["log_prob"])
        assert mine.extras["thought"] == theirs.extras["thought"]


def test_spaces_survive_the_round_trip(there_and_back):
    mine, theirs = there_and_back
    assert mine.observation_space == theirs.observation_space
    assert mine.action_space == theirs.action_space


def test_minari_itself_reads_what_we_export(there_and_back):
    data = minari.load_dataset("ours/door-v0")
    assert (data.total_episodes, data.total_steps) == (2, 8)


def test_a_dataset_is_not_overwritten(there_and_back):
    with pytest.raises(DataError, match="already exists"):
        export_minari(there_and_back[0], "ours/door-v0")


def test_a_dataset_folder_loads(there_and_back, tmp_path):
    assert load(tmp_path / "minari" / "ours" / "door-v0").num_episodes == 2


def test_a_dataset_id_loads(there_and_back):
    assert load("ours/door-v0").num_episodes == 2


def test_a_dataset_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    with pytest.raises(DataError, match="minari download nobody/knows-v0"):
        import_minari("nobody/knows-v0", tmp_path / "into")


def test_a_foreign_dataset_loads(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    buffer = minari.data_collector.EpisodeBuffer(
        observations=np.zeros((4, 2), np.float32),
        actions=np.zeros((3, 1), np.float32),
        rewards=[0.0, 0.0, 1.0],
        terminations=[False, False, True],
        truncations=[False] * 3,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        minari.create_dataset_from_buffers(
            "other/thing-v1",
            [buffer],
            observation_space=spaces.Box(-1, 1, (2,), np.float32),
            action_space=spaces.Box(-1, 1, (1,), np.float32),
        )
    episode = import_minari("other/thing-v1", tmp_path / "into").episode(0)
    assert (episode.total_reward, episode.terminated, len(episode)) == (1.0, True, 3)
