import numpy as np
import torch

from mindseye.core import tree


def test_where_takes_rows_from_arrays_tensors_and_texts():
    first = {"a": np.array([1, 2]), "b": (torch.tensor([[1.0], [2.0]]), ["x", "y"])}
    second = {"a": np.array([3, 4]), "b": (torch.tensor([[3.0], [4.0]]), ["u", "v"])}
    out = tree.where(np.array([True, False]), first, second)
    assert out["a"].tolist() == [1, 4]
    assert out["b"][0].tolist() == [[1.0], [4.0]]
    assert out["b"][1] == ["x", "v"]


def test_an_empty_memory_passes_through():
    assert tree.where(np.array([True]), None, None) is None


def test_named_leaves_are_dotted_paths_in_order():
    named = list(tree.named_leaves({"a": {"b": 1}, "c": (2, 3)}))
    assert named == [("a.b", 1), ("c.0", 2), ("c.1", 3)]


def test_take_picks_one_row_many_rows_and_texts():
    batch = {"x": np.arange(4), "t": ["a", "b", "c", "d"]}
    assert tree.take(batch, 1) == {"x": 1, "t": "b"}
    picked = tree.take(batch, np.array([3, 0]))
    assert picked["x"].tolist() == [3, 0]
    assert picked["t"] == ["d", "a"]


def test_stack_and_concatenate_are_new_and_old_axes():
    rows = [{"x": np.zeros(3)}, {"x": np.ones(3)}]
    assert tree.stack(rows)["x"].shape == (2, 3)
    assert tree.concatenate(rows)["x"].shape == (6,)
