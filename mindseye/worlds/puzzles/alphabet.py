"""What things on a board are called and what one says to act; plain names or invented ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mindseye.worlds.minicraft.invention import invented_words

DIRECTIONS = ("up", "left", "down", "right")
"""Of the moves 0 to 3."""


@dataclass(frozen=True)
class Alphabet:
    """Names of the codes of a board, and of actions."""

    letters: Sequence[str]
    """One per code."""
    verbs: Sequence[str]
    """One per kind of action."""


def named(seed: int | None, letters: Sequence[str], verbs: Sequence[str]) -> Alphabet:
    """The names given, or, from a seed, other letters and words that mean nothing.

    Digits are counts and keep their names.
    """
    if seed is None:
        return Alphabet(tuple(letters), tuple(verbs))
    rng = np.random.default_rng(seed)
    drawn = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i] for i in rng.permutation(26))
    return Alphabet(
        tuple(letter if letter.isdigit() else next(drawn) for letter in letters),
        tuple(invented_words(rng, len(verbs))),
    )
