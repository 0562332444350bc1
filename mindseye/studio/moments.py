"""One row of a saved moment, and moments joined into a batch again.

A moment of a world is opaque to everybody but its world, yet all of ours are trees and dataclasses
whose leaves start with the batch axis. So the moments of many visitors become one batch.
"""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch

_OBJECT_BYTES = 4096
"""What a Python environment is taken to weigh; nobody can know."""


def row(moment: Any, index: int) -> Any:
    """A moment of one row, which shares no memory with the whole."""
    if moment is None:
        return None
    if isinstance(moment, dict):
        return {name: row(part, index) for name, part in moment.items()}
    if isinstance(moment, tuple):
        return tuple(row(part, index) for part in moment)
    if isinstance(moment, list):
        return [moment[index]]
    if isinstance(moment, torch.Tensor):
        return moment[index : index + 1].clone()
    if isinstance(moment, np.ndarray):
        return moment[index : index + 1].copy()
    return _rebuilt(moment, [row(part, index) for part in _parts(moment)])


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
    return _rebuilt(first, [joined(p) for p in zip(*map(_parts, moments), strict=True)])


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
    return [getattr(moment, field.name) for field in fields(moment)]


def _rebuilt(moment: Any, parts: list[Any]) -> Any:
    return type(moment)(*parts)
