"""`Words`, the space of any unicode text, and how batches of it look.

Gymnasium's `Text` accepts a fixed alphabet only; worlds that speak need spaces, accents and emoji.
A batch of words is a list of strings.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

_CAN = "You can: "

_SAMPLES = ("a door, a key", "you see nothing", "ein Schlüssel", "🗝")


def with_commands(text: str, admissible: Sequence[str]) -> str:
    """A text of a world that is spoken to; its last line lists what can be said now."""
    return f"{text}\n{_CAN}{'; '.join(admissible)}."


def commands(text: str) -> list[str]:
    """What the last line of an observation says can be done; empty if it does not say."""
    last = text.rsplit("\n", 1)[-1]
    if not last.startswith(_CAN):
        return []
    return last.removeprefix(_CAN).removesuffix(".").split("; ")


class Words(Space[str]):
    """Any unicode text of at most `max_length` characters."""

    def __init__(self, max_length: int = 4096, seed: int | np.random.Generator | None = None):
        super().__init__(shape=None, dtype=None, seed=seed)
        self.max_length = max_length

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no fixed-size array form."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """One of a few short texts; enough to test plumbing."""
        return _SAMPLES[int(self.np_random.integers(len(_SAMPLES)))]

    def contains(self, x: Any) -> bool:
        """True for strings that are not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    def __repr__(self) -> str:
        return f"Words({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and other.max_length == self.max_length

    __hash__ = None  # type: ignore[assignment]


class WordsBatch(Space[list]):
    """A list of `n` texts."""

    def __init__(self, single: Words, n: int):
        super().__init__(shape=None, dtype=None)
        self.single, self.n = single, n

    def sample(self, mask: Any = None, probability: Any = None) -> list[str]:
        """N samples of the single space."""
        return [self.single.sample() for _ in range(self.n)]

    def contains(self, x: Any) -> bool:
        """True for lists of n texts."""
        return isinstance(x, list) and len(x) == self.n and all(map(self.single.contains, x))

    def __repr__(self) -> str:
        return f"WordsBatch({self.single}, {self.n})"


@batch_space.register(Words)
def _batch_words(space: Words, n: int = 1) -> WordsBatch:
    return WordsBatch(space, n)


@create_empty_array.register(Words)  # type: ignore[arg-type]
def _empty_words(space: Words, n: int = 1, fn: Any = np.zeros) -> list[str]:
    return [""] * n


@concatenate.register(Words)  # type: ignore[arg-type]
def _concatenate_words(space: Words, items: Any, out: Any) -> list[str]:
    return list(items)


@iterate.register(WordsBatch)
def _iterate_words(space: WordsBatch, items: list[str]) -> Any:
    return iter(items)
