"""One row of a saved moment, and moments joined into a batch again.

A moment of a world is opaque to everybody but its world, yet all of ours are trees and dataclasses
whose leaves start with the batch axis. So the moments of many visitors become one batch.
"""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

_OBJECT_BYTES = 4096
"""What a Python environment is taken to weigh; nobody can know."""


def row(moment: Any, index: int) -> Any:
    """A moment of one row, which shares no memory with the whole."""
    return _apart(moment, [index])[0]


def rows(moment: Any, count: int) -> list[Any]:
    """The first rows of a moment, one by one, as `row` gives them."""
    return _apart(moment, range(count))


def _apart(moment: Any, indices: Sequence[int]) -> list[Any]:
    """Leaf by leaf, so that the tree is walked once for all rows."""
    if moment is None:
        return [None] * len(indices)
    if isinstance(moment, dict):
        parts = [_apart(part, indices) for part in moment.values()]
        return [dict(zip(moment, leaves, strict=True)) for leaves in zip(*parts, strict=True)]
    if isinstance(moment, tuple):
        return list(zip(*(_apart(part, indices) for part in moment), strict=True))
    if isinstance(moment, list):
        return [[moment[i]] for i in indices]
    if isinstance(moment, torch.Tensor):
        return [moment[i : i + 1].clone() for i in indices]
    if isinstance(moment, np.ndarray):
        return [moment[i : i + 1].copy() for i in indices]
    parts = [_apart(part, indices) for part in _parts(moment)]
    return [type(moment)(*leaves) for leaves in zip(*parts, strict=True)]


def joined(moments: Sequence[Any]) -> Any:
    """One moment of all rows, from moments of one row each."""
    first = moments[0]
    if first is None or len(moments) == 1:
        return first
    if isinstance(first, dict):
        return {name: joined([m[name] for m in moments]) for name in first}
    if isinstance(first, tuple):
        return tuple(joined(parts) for parts in zip(*moments, strict=True))
    if isinstance(first, list):
        return [item for moment in moments for item in moment]
    if isinstance(first, torch.Tensor):
        return torch.cat(list(moments))
    if isinstance(first, np.ndarray):
        return np.concatenate(moments)
    return type(first)(*(joined(parts) for parts in zip(*map(_parts, moments), strict=True)))


def weight(moment: Any) -> int:
    """Bytes, about."""
    if moment is None or isinstance(moment, bool | int | float):
        return 8
    if isinstance(moment, str | bytes):
        return len(moment) + 48
    if isinstance(moment, dict):
        return sum(map(weight, moment.values()))
    if isinstance(moment, tuple | list):
        return 8 * len(moment) + sum(map(weight, moment))
    if isinstance(moment, torch.Tensor | np.ndarray):
        return moment.nbytes + 96
    if is_dataclass(moment) and not isinstance(moment, type):
        return sum(map(weight, _parts(moment)))
    return _OBJECT_BYTES


def _parts(moment: Any) -> list[Any]:
    return [getattr(moment, name) for name in _names(type(moment))]


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
