"""What page and server say to each other over the socket: read strictly, written plainly."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.errors import SpecError
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree

DOINGS = ("open", "step", "go", "auto", "knob", "save")
"""What a page may ask for."""
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_LONGEST_NAME = 200
_LONGEST_REFUSED = 4096


def read_message(text: str, max_bytes: int) -> dict[str, Any]:
    """A page's message, checked for form.

    Raises:
        SpecError: With a sentence for the page.
    """
    if len(text) > max_bytes or len(text.encode("utf-8", "replace")) > max_bytes:
        raise SpecError(f"message: expected at most {max_bytes} bytes, got more; send less")
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise SpecError("message: expected JSON, got something else") from None
    if not isinstance(message, dict):
        raise SpecError("message: expected a JSON object, got something else")
    if message.get("do") not in DOINGS:
        raise SpecError(f"message: expected do to be one of {', '.join(DOINGS)}")
    return message


def counter(message: Mapping[str, Any]) -> int | None:
    """The page's own number of a message, to be echoed."""
    n = message.get("n")
    return n if type(n) is int and abs(n) < 1 << 53 else None


def counter_in(text: str) -> int | None:
    """The same of a message that may be of wrong form."""
    try:
        message = json.loads(text[:_LONGEST_REFUSED])
    except (ValueError, RecursionError):
        return None
    return counter(message) if isinstance(message, dict) else None


def whole(message: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """A whole number of a message.

    Raises:
        SpecError: If it is none, or out of bounds.
    """
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SpecError(f"{name}: expected a whole number from {low} to {high}")
    return value


def real_number(message: Mapping[str, Any], name: str, low: float, high: float) -> float:
    """A number of a message.

    Raises:
        SpecError: If it is none, or out of bounds.
    """
    value = message.get(name)
    if not isinstance(value, int | float) or value is True or not low <= value <= high:
        raise SpecError(f"{name}: expected a number from {low:g} to {high:g}")
    return float(value)


def name_of(message: Mapping[str, Any], name: str) -> str:
    """A short text of a message.

    Raises:
        SpecError: If it is none.
    """
    value = message.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise SpecError(f"{name}: expected a short text")
    return value


def read_action(space: gymnasium.Space, given: Any) -> Tree:
    """An action of the space, from what a page sent.

    Raises:
        SpecError: If it is none.
    """
    if isinstance(space, Words):
        if type(given) is not str or not space.contains(given):
            raise SpecError(f"action: expected a text of at most {space.max_length} characters")
        return given
    if isinstance(space, spaces.Discrete):
        first, last = int(space.start), int(space.start + space.n - 1)
        if type(given) is not int or not first <= given <= last:
            raise SpecError(f"action: expected a whole number from {first} to {last}")
        return given
    shape = space.shape or ()
    size = math.prod(shape)
    if type(given) is not list or len(given) != size:
        raise SpecError(f"action: expected a list of {size} numbers")
    if isinstance(space, spaces.Box):
        numbers = _numbers(given, (int, float))
        if not np.isfinite(numbers).all():
            raise SpecError("action: expected finite numbers")
        action = numbers.reshape(shape).astype(space.dtype)
    else:
        action = _numbers(given, (int,)).reshape(shape).astype(space.dtype)
    if not space.contains(action):
        raise SpecError("action: expected every number within its bounds")
    return action


def playable(space: gymnasium.Space) -> bool:
    """Whether a page can send actions of this space."""
    kinds = Words, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary, spaces.Box
    return isinstance(space, kinds)


def batched_actions(space: gymnasium.Space, actions: Sequence[Tree]) -> Tree:
    """A batch for `step` of a world."""
    if isinstance(space, Words):
        return list(actions)
    return np.stack([np.asarray(a, space.dtype) for a in actions])


def action_sent(action: Tree) -> Any:
    """An action as JSON, as the page would have sent it."""
    if action is None or isinstance(action, str | int):
        return action
    array = np.asarray(action)
    return array.item() if array.ndim == 0 else array.reshape(-1).tolist()


def text_frame(message: Mapping[str, Any]) -> str:
    """A message of the server."""
    return _ENCODER.encode(message)


def moment_frame(message: Mapping[str, Any], pictures: Sequence[bytes]) -> bytes:
    """A message of the server with pictures: length of the JSON, JSON, pictures."""
    head = text_frame(message).encode()
    return b"".join((len(head).to_bytes(4, "big"), head, *pictures))


def finite(value: float | None) -> float | None:
    """A number JSON can carry, with six digits."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


def _numbers(given: list, kinds: tuple[type, ...]) -> np.ndarray:
    if not all(type(x) in kinds and abs(x) < 1e300 for x in given):
        raise SpecError("action: expected a list of numbers, whole ones where it is a choice")
    return np.array(given, np.float64)


def _no_constant(name: str) -> Any:
    raise ValueError(name)
