import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.checkpoint import load_tree, save_tree, write_atomic
from mindseye.core.errors import CheckpointError, DataError

plain = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False)
arrays = st.builds(lambda n: np.arange(n, dtype=np.float32), st.integers(0, 4))
tensors = st.builds(lambda n: torch.arange(n), st.integers(0, 4))
trees = st.recursive(
    plain | arrays | tensors,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, np.ndarray | torch.Tensor):
        return type(a) is type(b) and a.dtype == b.dtype and a.tolist() == b.tolist()
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        pairs = zip(a, b, strict=True)
        return type(a) is type(b) and all(same(x, y) for x, y in pairs)
    return a == b


@settings(max_examples=60, deadline=None)
@given(trees)
def test_any_tree_survives_the_disk(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp("tree") / "x.safetensors"
    save_tree(path, {"root": tree})
    assert same(load_tree(path)["root"], tree)


def test_a_generator_state_survives(tmp_path):
    rng = np.random.default_rng(3)
    save_tree(tmp_path / "rng", rng.bit_generator.state)
    other = np.random.default_rng(0)
    other.bit_generator.state = load_tree(tmp_path / "rng")
    assert rng.integers(1 << 60) == other.integers(1 << 60)


def test_a_pickle_is_refused_unread(tmp_path):
    bomb = tmp_path / "model.pt"
    bomb.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match="is a pickle"):
        load_tree(bomb)


def test_torch_zip_files_are_refused_as_pickles(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match="is a pickle"):
        load_tree(tmp_path / "model.pt")


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 0.999))
def test_a_cut_file_is_refused_by_name(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "x.safetensors"
    save_tree(path, {"a": torch.arange(100), "b": [1, 2]})
    whole = path.read_bytes()
    path.write_bytes(whole[: math.floor(share * len(whole))])
    with pytest.raises(CheckpointError, match=r"x\.safetensors"):
        load_tree(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        load_tree(tmp_path / "nowhere")


def test_things_that_are_not_data_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="object"):
        save_tree(tmp_path / "x", {"a": object()})


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    write_atomic(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match="No space left"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
