import pickle
import warnings

import numpy as np
import pytest
from gymnasium import spaces

from mindseye.core.errors import DataError
from mindseye.experience import Replay, load
from mindseye.experience.files import import_files


def flat(rows=7, **changes):
    """Two episodes of 3 and 4 steps; the first terminates, the second is cut off."""
    terminals, timeouts = np.zeros(rows, bool), np.zeros(rows, bool)
    terminals[2] = timeouts[6] = True
    arrays = {
        "observations": np.arange(rows, dtype=np.float32)[:, None],
        "next_observations": np.arange(rows, dtype=np.float32)[:, None] + 1,
        "actions": np.arange(rows) % 3,
        "rewards": np.arange(rows, dtype=np.float32),
        "terminals": terminals,
        "timeouts": timeouts,
    }
    return {k: v for k, v in {**arrays, **changes}.items() if v is not None}


def write(path, arrays):
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array
    return path


@pytest.mark.parametrize("suffix", [".npz", ".hdf5"])
def test_flat_files_are_split_where_episodes_end(tmp_path, suffix):
    replay = load(write(tmp_path / f"data{suffix}", flat()))
    assert [len(episode) for episode in replay] == [3, 4]


def test_next_observations_give_the_last_one(tmp_path):
    replay = load(write(tmp_path / "data.npz", flat()))
    assert [e.observations[:, 0].tolist() for e in replay] == [[0, 1, 2, 3], [3, 4, 5, 6, 7]]


def test_ends_are_told_apart(tmp_path):
    replay = load(write(tmp_path / "data.npz", flat()))
    assert [(e.terminated, e.truncated) for e in replay] == [(True, False), (False, True)]


def test_without_next_observations_a_terminated_episode_keeps_its_last_reward(tmp_path):
    path = write(tmp_path / "data.npz", flat(next_observations=None))
    with pytest.warns(UserWarning, match="repeats the one before"):
        episode = load(path).episode(0)
    assert episode.rewards.tolist() == [0, 1, 2]
    assert episode.observations[:, 0].tolist() == [0, 1, 2, 2]


def test_without_next_observations_a_cut_episode_loses_its_last_action(tmp_path):
    path = write(tmp_path / "data.npz", flat(next_observations=None))
    with pytest.warns(UserWarning, match="repeats the one before"):
        episode = load(path).episode(1)
    assert episode.rewards.tolist() == [3, 4, 5]
    assert episode.observations[:, 0].tolist() == [3, 4, 5, 6]


def test_an_unfinished_tail_is_an_episode_cut_off(tmp_path):
    path = write(tmp_path / "data.npz", flat(timeouts=None))
    assert load(path).episode(1).truncated


def test_a_file_of_one_episode_has_one_observation_more(tmp_path):
    one = {
        "observations": np.zeros((4, 2), np.float32),
        "actions": np.zeros((3, 1), np.float32),
        "rewards": np.array([0, 0, 1.0]),
        "terminations": np.array(True),
    }
    episode = load(write(tmp_path / "one.npz", one)).episode(0)
    assert (len(episode), episode.terminated, episode.total_reward) == (3, True, 1.0)


def test_groups_become_trees(tmp_path):
    grouped = flat(observations=None, next_observations=None, terminals=None)
    grouped["observations/image"] = np.zeros((7, 4, 4, 3), np.uint8)
    grouped["observations/speed"] = np.zeros((7, 1), np.float32)
    space = load(write(tmp_path / "data.npz", grouped)).observation_space
    assert space == spaces.Dict(
        {
            "image": spaces.Box(0, 255, (4, 4, 3), np.uint8),
            "speed": spaces.Box(-np.inf, np.inf, (1,), np.float32),
        }
    )


def test_integer_actions_become_choices(tmp_path):
    replay = load(write(tmp_path / "data.npz", flat()))
    assert replay.action_space == spaces.Discrete(3)


def test_choices_are_counted_over_all_files(tmp_path):
    write(tmp_path / "a.npz", flat(actions=np.zeros(7, int)))
    write(tmp_path / "b.npz", flat(actions=np.full(7, 4)))
    assert load(tmp_path).action_space == spaces.Discrete(5)


def test_wide_actions_widen_their_box(tmp_path):
    actions = np.linspace(-3, 0, 7, dtype=np.float32)[:, None]
    replay = load(write(tmp_path / "data.npz", flat(actions=actions)))
    assert replay.action_space == spaces.Box(-3, 1, (1,), np.float32)


def test_spaces_can_be_given(tmp_path):
    path = write(tmp_path / "data.npz", flat())
    replay = import_files([path], tmp_path / "into", action_space=spaces.Discrete(9))
    assert replay.action_space == spaces.Discrete(9)


def test_a_damaged_file_is_named_and_the_rest_used(tmp_path):
    write(tmp_path / "good.npz", flat())
    whole = (tmp_path / "good.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"refused .*half.npz: cannot be read"):
        assert load(tmp_path).num_episodes == 2


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "none.npz").touch()
    with pytest.raises(DataError, match=r"none.npz: cannot be read"):
        load(tmp_path / "none.npz")


def test_a_file_without_steps_is_refused(tmp_path):
    empty = {name: array[:0] for name, array in flat().items()}
    with pytest.raises(DataError, match="is empty"):
        load(write(tmp_path / "data.npz", empty))


def test_an_episode_with_a_bad_reward_is_named_and_the_rest_used(tmp_path):
    rewards = np.arange(7, dtype=np.float32)
    rewards[1] = np.nan
    path = write(tmp_path / "data.npz", flat(rewards=rewards))
    with pytest.warns(UserWarning, match=r"data.npz: episode 0: .*reward at step 1"):
        assert [len(episode) for episode in load(path)] == [4]


def test_a_file_of_other_spaces_is_named_and_the_rest_used(tmp_path):
    write(tmp_path / "a.npz", flat())
    write(tmp_path / "b.npz", flat(observations=np.zeros((7, 2)), next_observations=None))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert load(tmp_path).num_episodes == 2
    assert any("b.npz: episode: observation: expected shape" in str(w.message) for w in caught)


def test_missing_columns_are_named(tmp_path):
    with pytest.raises(DataError, match="has no rewards; has actions"):
        load(write(tmp_path / "data.npz", flat(rewards=None)))


def test_columns_of_unequal_length_are_named(tmp_path):
    with pytest.raises(DataError, match="actions: expected 7 rows, got 3"):
        load(write(tmp_path / "data.npz", flat(actions=np.zeros(3, int))))


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(flat()))
    with pytest.raises(DataError, match="is a pickle"):
        load(path)


def test_pickles_inside_an_npz_are_refused(tmp_path):
    observations = np.array([{"a": 1}] * 7, object)
    with pytest.raises(DataError, match="cannot be read"):
        load(write(tmp_path / "data.npz", flat(observations=observations)))


def test_nothing_there_lists_what_was_tried(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    with pytest.raises(DataError, match=r"tried a folder with schema.json, .*npz.*Minari"):
        load(tmp_path / "nowhere")


def test_an_empty_folder_lists_what_was_tried(tmp_path):
    with pytest.raises(DataError, match="the folder holds none of these"):
        load(tmp_path)


def test_a_folder_of_ours_opens_as_it_is(tmp_path):
    write(tmp_path / "data.npz", flat())
    load(tmp_path / "data.npz", into=tmp_path / "ours").close()
    assert load(tmp_path / "ours").num_episodes == 2


def test_a_temporary_import_is_cleaned_up(tmp_path):
    replay = load(write(tmp_path / "data.npz", flat()))
    folder = replay.folder
    del replay
    assert not folder.exists()


def test_imported_episodes_are_real(tmp_path):
    replay = load(write(tmp_path / "data.npz", flat()))
    assert isinstance(replay, Replay)
    assert replay.episode(0).origin.kind == "real"
