import errno
import shutil

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import CheckpointError, DataError
from mindseye.core.spaces import Words
from mindseye.experience import Replay
from mindseye.experience.columns import Column

OBSERVATION = spaces.Dict({"x": spaces.Box(-100, 100, (2,), np.float32), "say": Words()})
FILE_BYTES = 256
EPISODES = 8


def episode_of(seed):
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, 12))
    x = rng.normal(size=(steps + 1, 2)).astype(np.float32)
    say = [f"Tür {t} 🗝" * int(rng.integers(0, 3)) for t in range(steps + 1)]
    extras = {"log_prob": rng.normal(size=steps).astype(np.float32)} if seed % 2 else {}
    rewards = rng.normal(size=steps).astype(np.float32)
    actions = rng.integers(0, 3, steps)
    origin = Origin("real", "hall", step=seed)
    return Episode({"x": x, "say": say}, actions, rewards, True, False, origin, extras=extras)


def same(first, second):
    return (
        np.array_equal(first.observations["x"], second.observations["x"])
        and first.observations["say"] == second.observations["say"]
        and np.array_equal(first.actions, second.actions)
        and np.array_equal(first.rewards, second.rewards)
        and first.origin == second.origin
        and first.extras.keys() == second.extras.keys()
        and all(np.array_equal(first.extras[k], second.extras[k]) for k in first.extras)
    )


def fill(folder, episodes=EPISODES):
    replay = Replay(folder, OBSERVATION, spaces.Discrete(3), file_bytes=FILE_BYTES)
    for seed in range(episodes):
        replay.add([episode_of(seed)])
    replay.close()
    return folder


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("filled") / "store")


@pytest.fixture
def damaged_copy(filled, tmp_path):
    copies = iter(range(10**6))

    def copy():
        return shutil.copytree(filled, tmp_path / str(next(copies)))

    return copy


def data_files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json")


def assert_readable_or_named(folder, path):
    """Every episode the index still lists equals what was added, or is named as damaged."""
    replay = Replay.open(folder)
    replay.verify()
    assert replay.num_episodes == EPISODES or path.name == "episodes.jsonl"
    for number in range(replay.num_episodes):
        if number in replay.damaged:
            with pytest.raises(DataError, match="refused"):
                replay.episode(number)
        else:
            assert same(replay.episode(number), episode_of(number))


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_after_cutting_any_file_anywhere_episodes_are_readable_or_named(damaged_copy, data):
    folder = damaged_copy()
    path = data.draw(st.sampled_from(data_files(folder)))
    size = data.draw(st.integers(0, path.stat().st_size))
    with open(path, "r+b") as file:
        file.truncate(size)
    assert_readable_or_named(folder, path)
    shutil.rmtree(folder)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_after_changing_any_byte_episodes_are_readable_or_named(damaged_copy, data):
    folder = damaged_copy()
    path = data.draw(st.sampled_from([p for p in data_files(folder) if p.stat().st_size]))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    assert_readable_or_named(folder, path)
    shutil.rmtree(folder)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_killed_while_adding_every_committed_episode_stays(damaged_copy, data):
    """Rows and index of a last episode end anywhere, as when a process dies while writing."""
    folder = damaged_copy()
    before = {path: path.stat().st_size for path in data_files(folder)}
    replay = Replay.open(folder)
    replay.add([episode_of(EPISODES)])
    replay.close()
    index = folder / "episodes.jsonl"
    whole_rows = data.draw(st.booleans())
    for path in data_files(folder):
        old, new = before.get(path, 0), path.stat().st_size
        if path == index:
            end = data.draw(st.integers(old, new - 1)) if whole_rows else old
        else:
            end = new if whole_rows else data.draw(st.integers(old, new))
        with open(path, "r+b") as file:
            file.truncate(end)
    again = Replay.open(folder)
    assert (again.num_episodes, again.verify()) == (EPISODES, {})
    again.add([episode_of(EPISODES), episode_of(EPISODES + 1)])
    assert all(same(again.episode(n), episode_of(n)) for n in range(EPISODES + 2))
    shutil.rmtree(folder)


def test_a_missing_column_is_named(damaged_copy):
    folder = damaged_copy()
    (folder / "columns" / "reward.000000").unlink()
    with pytest.raises(DataError, match=r"reward.000000: missing"):
        Replay.open(folder)


def test_a_damaged_schema_is_named(damaged_copy):
    folder = damaged_copy()
    (folder / "schema.json").write_text("{}")
    with pytest.raises(DataError, match=r"schema.json: damaged"):
        Replay.open(folder)


def test_a_folder_without_schema_is_no_store(tmp_path):
    with pytest.raises(DataError, match="not a folder of experience"):
        Replay.open(tmp_path)


def test_damage_at_the_end_is_found_on_opening(damaged_copy):
    folder = damaged_copy()
    path = sorted((folder / "columns").glob("observation.x.*"))[-1]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    assert list(Replay.open(folder).damaged) == [EPISODES - 1]


def test_a_damaged_store_can_be_read_around(damaged_copy):
    folder = damaged_copy()
    lines = (folder / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"hall", b"wall")
    (folder / "episodes.jsonl").write_bytes(b"".join(lines))
    healthy = [n for n in range(EPISODES) if n != 3]
    replay = Replay.open(folder)
    assert all(same(a, episode_of(n)) for a, n in zip(replay, healthy, strict=True))


def test_segments_do_not_touch_a_damaged_episode(damaged_copy):
    folder = damaged_copy()
    lines = (folder / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"hall", b"wall")
    (folder / "episodes.jsonl").write_bytes(b"".join(lines))
    batch = Replay.open(folder).sample(300, 2, np.random.default_rng(0))
    assert not np.isin(batch["observation"]["x"], episode_of(3).observations["x"]).any()


def test_a_damaged_store_takes_no_episodes_until_truncated(damaged_copy):
    folder = damaged_copy()
    lines = (folder / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"hall", b"wall")
    (folder / "episodes.jsonl").write_bytes(b"".join(lines))
    replay = Replay.open(folder)
    with pytest.raises(DataError, match="truncate to 3 episodes"):
        replay.add([episode_of(3)])
    replay.truncate(3)
    replay.add([episode_of(3)])
    assert same(replay.episode(3), episode_of(3))


def full_disk(monkeypatch, after_bytes):
    """Let the disk fill up in the middle of a write."""
    write = Column._write
    left = [after_bytes]

    def limited(self, number, position, part):
        fits = min(part.nbytes, left[0])
        left[0] -= fits
        write(self, number, position, part.reshape(-1).view(np.uint8)[:fits])
        if fits < part.nbytes:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Column, "_write", limited)


@pytest.mark.parametrize("after_bytes", [0, 3, 40, 100, 150])
def test_a_full_disk_loses_nothing_committed(damaged_copy, monkeypatch, after_bytes):
    replay = Replay.open(damaged_copy())
    with monkeypatch.context() as patch:
        full_disk(patch, after_bytes)
        with pytest.raises(DataError, match="the disk is full"):
            replay.add([episode_of(EPISODES)])
    replay.add([episode_of(EPISODES)])
    again = Replay.open(replay.folder)
    assert again.verify() == {}
    assert all(same(again.episode(n), episode_of(n)) for n in range(EPISODES + 1))


def test_a_second_writer_is_noticed(damaged_copy):
    folder = damaged_copy()
    first, second = Replay.open(folder), Replay.open(folder)
    first.add([episode_of(EPISODES)])
    with pytest.raises(DataError, match="another process"):
        second.add([episode_of(EPISODES)])
    assert same(first.episode(EPISODES), episode_of(EPISODES))


def test_reading_changes_nothing_on_disk(damaged_copy):
    folder = damaged_copy()
    with open(folder / "columns" / "reward.000000", "ab") as file:
        file.write(b"torn")
    before = {path: path.read_bytes() for path in data_files(folder)}
    replay = Replay.open(folder, read_only=True)
    assert same(replay.episode(-1), episode_of(EPISODES - 1))
    assert before == {path: path.read_bytes() for path in data_files(folder)}


def test_a_dataset_takes_no_episodes(damaged_copy):
    with pytest.raises(DataError, match="read-only"):
        Replay.open(damaged_copy(), read_only=True).add([episode_of(0)])


def test_truncating_and_adding_again_gives_the_same_store(damaged_copy):
    replay = Replay.open(damaged_copy())
    before = {path: path.read_bytes() for path in data_files(replay.folder)}
    replay.truncate(3)
    replay.add([episode_of(seed) for seed in range(3, EPISODES)])
    assert before == {path: path.read_bytes() for path in data_files(replay.folder)}


def test_truncating_to_nothing_starts_over(damaged_copy):
    replay = Replay.open(damaged_copy())
    replay.truncate(0)
    replay.add([episode_of(0)])
    assert same(Replay.open(replay.folder).episode(0), episode_of(0))


def test_a_checkpoint_brings_back_its_episodes(damaged_copy):
    replay = Replay.open(damaged_copy())
    state = replay.state_dict()
    replay.add([episode_of(20)])
    replay.load_state_dict(state)
    assert replay.num_episodes == EPISODES


def test_a_checkpoint_of_a_longer_store_is_refused(damaged_copy):
    replay = Replay.open(damaged_copy())
    with pytest.raises(CheckpointError, match="cannot keep 99"):
        replay.load_state_dict({"num_episodes": 99, "strategy": {}})
