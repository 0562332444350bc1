"""Nearest vectors among very many, through the usearch library: an approximate graph search."""

import numpy as np

from mindseye.core.errors import MissingExtra
from mindseye.experience.memory import VectorIndex


class UsearchIndex(VectorIndex):
    """Pays from some ten thousand attempts on; below that, exact search is as fast.

    Args:
        dimensions: Of the memory's vectors: twice those of its embedding (state and task).

    Raises:
        MissingExtra: If usearch is not installed.
    """

    def __init__(self, dimensions: int = 1024):
        try:
            from usearch.index import Index
        except ImportError as error:
            raise MissingExtra("usearch", "memory") from error
        self._index = Index(ndim=dimensions, metric="cos", dtype="f32")

    def clear(self) -> None:
        """Forget all vectors."""
        self._index.reset()

    def put(self, number: int, vector: np.ndarray) -> None:
        """Add or replace a vector."""
        if number in self._index:
            self._index.remove(number)
        # on several threads the graph would depend on chance
        self._index.add(number, np.asarray(vector, np.float32), threads=1)

    def search(self, vectors: np.ndarray, k: int) -> list[list[int]]:
        """About the nearest numbers of each vector, at most as many as there are."""
        k = min(k, len(self._index))
        matches = self._index.search(np.asarray(vectors, np.float32), k, threads=1)
        keys = np.asarray(matches.keys).reshape(len(vectors), -1)
        return [[int(key) for key in row] for row in keys]
