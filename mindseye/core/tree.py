"""Nested dicts and tuples of arrays, tensors or texts: observations, actions, memories, states.

Leaves are whatever is not a dict or a tuple. Lists are leaves: a batch of texts is one leaf.
`None` is an empty tree: it is passed through untouched.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

Tree = Any


def map_tree(fn: Callable, tree: Tree, *rest: Tree) -> Tree:
    """Apply fn to matching leaves of one or more trees of the same structure."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {k: map_tree(fn, v, *(r[k] for r in rest)) for k, v in tree.items()}
    if isinstance(tree, tuple):
        return tuple(map_tree(fn, v, *(r[i] for r in rest)) for i, v in enumerate(tree))
    return fn(tree, *rest)


def leaves(tree: Tree) -> list:
    """All leaves, depth first, dict keys in insertion order."""
    return [leaf for _, leaf in named_leaves(tree)]


def named_leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Pairs of a dotted path and a leaf; the path of a bare leaf is ''."""
    if tree is None:
        return
    if isinstance(tree, dict | tuple):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in items:
            yield from named_leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, tree


def take(tree: Tree, index: Any) -> Tree:
    """Index every leaf along its leading axis (an int, a slice, or an array of positions)."""

    def pick(leaf):
        if isinstance(leaf, list):
            positions = np.arange(len(leaf))[index]
            return leaf[int(positions)] if np.ndim(positions) == 0 else [leaf[i] for i in positions]
        if isinstance(leaf, torch.Tensor) and isinstance(index, np.ndarray):
            return leaf[torch.as_tensor(index, device=leaf.device)]
        return leaf[index]

    return map_tree(pick, tree)


def where(condition: np.ndarray, first: Tree, second: Tree) -> Tree:
    """Row-wise choice: row i comes from `first` where condition[i] is true, else from `second`.

    Args:
        condition: Boolean, shape (batch,).
        first, second: Trees of equal structure whose leaves start with the batch axis.
    """

    def choose(a, b):
        if isinstance(a, list):
            return [x if c else y for c, x, y in zip(condition, a, b, strict=True)]
        rows = (len(condition),) + (1,) * (a.ndim - 1)
        if isinstance(a, torch.Tensor):
            return torch.where(torch.as_tensor(condition, device=a.device).reshape(rows), a, b)
        return np.where(np.asarray(condition).reshape(rows), a, b)

    return map_tree(choose, first, second)


def stack(trees: Sequence[Tree], axis: int = 0) -> Tree:
    """Stack trees of equal structure along a new axis."""

    def join(*parts):
        if isinstance(parts[0], torch.Tensor):
            return torch.stack(parts, axis)
        return list(parts) if isinstance(parts[0], str | list) else np.stack(parts, axis)

    return map_tree(join, trees[0], *trees[1:])


def concatenate(trees: Sequence[Tree], axis: int = 0) -> Tree:
    """Join trees of equal structure along an existing axis."""

    def join(*parts):
        if isinstance(parts[0], torch.Tensor):
            return torch.cat(parts, axis)
        if isinstance(parts[0], list):
            return [x for part in parts for x in part]
        return np.concatenate(parts, axis)

    return map_tree(join, trees[0], *trees[1:])


def to_tensor(tree: Tree, device: torch.device | str = "cpu") -> Tree:
    """NumPy leaves become tensors on `device` (no copy on the CPU); texts stay as they are."""

    def convert(leaf):
        if isinstance(leaf, list | str):
            return leaf
        return torch.as_tensor(leaf, device=device)

    return map_tree(convert, tree)


def to_numpy(tree: Tree) -> Tree:
    """Tensor leaves become NumPy arrays; other leaves stay as they are."""
    return map_tree(lambda x: x.detach().cpu().numpy() if isinstance(x, torch.Tensor) else x, tree)


def batch_size(tree: Tree) -> int:
    """Length of the leading axis of the first leaf."""
    return len(leaves(tree)[0])
