"""Between tensors and worlds: predictions become members of a space, actions become tensors."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from mindseye.core.errors import ModelError, SpecError
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree


def observation_writer(space: gymnasium.Space) -> Callable[[Tree], Tree]:
    """A function turning a predicted batch into fresh NumPy members of the space.

    Numbers are rounded where the space holds integers and clipped where it is bounded.
    """
    if isinstance(space, spaces.Dict):
        parts = {name: observation_writer(part) for name, part in space.items()}
        return lambda leaf: {name: part(leaf[name]) for name, part in parts.items()}
    if isinstance(space, spaces.Tuple):
        members = [observation_writer(part) for part in space]
        return lambda leaf: tuple(part(x) for part, x in zip(members, leaf, strict=True))
    if isinstance(space, Words):
        return list
    low, high = _bounds(space)
    dtype = np.dtype(space.dtype)  # type: ignore[arg-type]
    rounds = dtype.kind in "iub"

    def write(leaf: Any) -> np.ndarray:
        array = leaf.cpu().numpy() if isinstance(leaf, torch.Tensor) else np.asarray(leaf)
        if array.dtype == dtype == np.uint8 and low is None:
            return array.copy()
        if array.dtype.kind == "f":
            require_finite(array, "observation")
            if rounds:
                array = np.rint(array)
        if low is not None:
            array = np.clip(array, low, high)
        return array.astype(dtype)

    return write


def _bounds(space: gymnasium.Space) -> tuple[Any, Any]:
    """Lowest and highest values, None where there is nothing to clip."""
    if isinstance(space, spaces.Discrete):
        return space.start, space.start + space.n - 1
    if isinstance(space, spaces.MultiDiscrete):
        return space.start, space.start + space.nvec.astype(np.int64) - 1
    if isinstance(space, spaces.MultiBinary):
        return 0, 1
    if not isinstance(space, spaces.Box):
        raise SpecError(f"dream: cannot show {space}; use Box, Discrete, MultiDiscrete or Words")
    if np.isinf(space.low).all() and np.isinf(space.high).all():
        return None, None
    return _single(space.low), _single(space.high)


def _single(bound: np.ndarray) -> Any:
    """One number where all are equal: clipping is then much faster."""
    first = bound.reshape(-1)[0]
    return first if (bound == first).all() else bound


def action_reader(
    space: gymnasium.Space, num_worlds: int, device: torch.device
) -> Callable[[Tree], Tree]:
    """A function checking a batch of actions and turning it into tensors on the model's device."""
    if isinstance(space, spaces.Dict):
        parts = {name: action_reader(part, num_worlds, device) for name, part in space.items()}
        return lambda leaf: {name: part(leaf[name]) for name, part in parts.items()}
    if isinstance(space, spaces.Tuple):
        members = [action_reader(part, num_worlds, device) for part in space]
        return lambda leaf: tuple(part(x) for part, x in zip(members, leaf, strict=True))
    if isinstance(space, Words):
        return list
    shape = (num_worlds, *(space.shape or ()))
    dtype = np.dtype(space.dtype)  # type: ignore[arg-type]
    low, high = (None, None) if isinstance(space, spaces.Box) else _bounds(space)

    def read(actions: Any) -> torch.Tensor:
        array = np.asarray(actions)
        fits = array.dtype.kind == dtype.kind or (dtype.kind == "f" and array.dtype.kind in "iu")
        if array.shape != shape or not (fits or (dtype.kind in "iu" and array.dtype.kind in "iu")):
            raise SpecError(
                f"step: expected actions of shape {shape} and dtype {dtype},"
                f" got {array.shape} and {array.dtype}; does agent.act return a batch?"
            )
        if low is not None and ((array < low).any() or (array > high).any()):
            raise SpecError(f"step: expected actions in {space}, got {array.min()}..{array.max()}")
        return torch.as_tensor(array.astype(dtype, copy=False), device=device)

    return read


def require_finite(array: np.ndarray, what: str) -> None:
    """Refuse numbers that are not.

    Raises:
        ModelError: Naming the first bad row.
    """
    # One sum is far cheaper than testing every element, and not finite if any element is not.
    if np.isfinite(array.sum()):
        return
    bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if bad.any():
        raise ModelError(f"{what} of row {int(np.flatnonzero(bad)[0])} is not finite")


def number(value: torch.Tensor, what: str) -> np.ndarray:
    """A predicted number per row as NumPy, checked."""
    array = value.cpu().numpy()
    require_finite(array, what)
    return array
