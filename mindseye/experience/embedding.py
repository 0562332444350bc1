"""Texts as vectors, without a model: hashed words and pairs of words."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to vectors, float, shape (texts, dimensions); any sentence encoder fits."""

_PIECES = re.compile(r"\w+")
_BUCKETS = ((2, None), (4, "few"), (9, "some"))


def canonical(text: str) -> str:
    """A text in which only what matters for likeness is left: lower case, counts in buckets.

    Numbers would otherwise rule: 3 and 4 pieces of wood are as unlike as wood and stone.
    """
    return " ".join(
        _bucket(int(piece)) if piece.isdecimal() else piece
        for piece in _PIECES.findall(text.lower())
    )


def _bucket(count: int) -> str:
    for most, name in _BUCKETS:
        if count <= most:
            return name or str(count)
    return "many"


class HashedWords:
    """Counts of words and of neighbouring pairs, hashed into a fixed number of dimensions.

    A word counts by one plus the logarithm of how often it occurs. Rare words should weigh more:
    `Memory` does that, since it knows what is rare.

    Args:
        dimensions: Of the vectors.
    """

    def __init__(self, dimensions: int = 512):
        self.dimensions = dimensions

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors, float32, shape (texts, dimensions)."""
        out = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            words = text.split()
            counts = Counter(words)
            counts.update(f"{a} {b}" for a, b in pairwise(words))
            for piece, count in counts.items():
                code = zlib.crc32(piece.encode("utf-8", "surrogatepass"))
                sign = 1.0 if code & 1 else -1.0  # pieces that collide cancel out on average
                out[row, (code >> 1) % self.dimensions] += sign * (1 + np.log(count))
        return out
