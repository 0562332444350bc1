"""Looking up steps that were taken before: hashed n-grams, weighted by rarity, exact search."""

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from mindseye.models.world.transcript import Transition

_PIECES = re.compile(r"\w+")


@runtime_checkable
class Recall(Protocol):
    """What a language world model asks for steps like the one at hand."""

    def nearest(self, queries: Sequence[tuple[str, str]], k: int) -> list[list[Transition]]:
        """At most `k` transitions for each state and action, the most similar first."""
        ...


class NearestTransitions(Recall):
    """Real transitions, found by the cosine between their states and actions.

    Args:
        transitions: What is remembered; those that say the same are kept once per episode.
        size: Of the hashed vectors.
        weight: Of the action's words over the state's.
    """

    def __init__(self, transitions: Sequence[Transition], *, size: int = 2048, weight: float = 2.0):
        self.transitions, self.size, self.weight = list(transitions), size, weight
        counts = np.stack([self._counts(step.state, step.action) for step in self.transitions])
        self._rarity = np.log((1 + len(counts)) / (1 + (counts > 0).sum(0))).astype(np.float32) + 1
        self._vectors = _unit(counts * self._rarity)
        self._sources = np.array([step.source for step in self.transitions])

    def nearest(
        self,
        queries: Sequence[tuple[str, str]],
        k: int,
        *,
        without: Sequence[str] | None = None,
    ) -> list[list[Transition]]:
        """See `Recall.nearest`.

        Args:
            queries: States and actions.
            k: How many of each.
            without: A source per query that is not to be found, such as the query's own episode.
        """
        if not queries or k == 0:
            return [[] for _ in queries]
        asked = _unit(np.stack([self._counts(*query) for query in queries]) * self._rarity)
        alike = asked @ self._vectors.T
        if without is not None:
            alike[np.array(without)[:, None] == self._sources] = -1.0
        best = np.argsort(-alike, axis=1, kind="stable")
        return [[self.transitions[i] for i in row] for row in best[:, :k].tolist()]

    def _counts(self, state: str, action: str) -> np.ndarray:
        counts = np.zeros(self.size, np.float32)
        for text, weight in ((action, self.weight), (state, 1.0)):
            words = _PIECES.findall(text.lower())
            for gram in (*words, *map(" ".join, pairwise(words))):
                counts[zlib.crc32(f"{weight > 1}{gram}".encode()) % self.size] += weight
        return counts


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
