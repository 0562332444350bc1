"""A binary tree of sums: draw in proportion to changing weights in O(log n)."""

import numpy as np


class SumTree:
    """Weights of leaves 0 to size - 1; unset leaves weigh nothing."""

    def __init__(self):
        self._width = 1024
        self._sums = np.zeros(2 * self._width)

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(self._sums[1])

    def get(self, leaves: np.ndarray) -> np.ndarray:
        """Weights of leaves."""
        return self._sums[self._width + leaves]

    def set(self, leaves: np.ndarray, weights: np.ndarray | float) -> None:
        """Change weights; of a leaf given twice the last one holds."""
        if not len(leaves):
            return
        self._widen(int(leaves.max()) + 1)
        nodes = self._width + leaves
        self._sums[nodes] = weights
        while nodes[0] > 1:
            nodes = np.unique(nodes >> 1)
            self._sums[nodes] = self._sums[2 * nodes] + self._sums[2 * nodes + 1]

    def _widen(self, size: int) -> None:
        if size <= self._width:
            return
        weights = self._sums[self._width :]
        while self._width < size:
            self._width *= 2
        self._sums = np.zeros(2 * self._width)
        self._sums[self._width : self._width + len(weights)] = weights
        level = self._width
        while level > 1:
            pairs = self._sums[level : 2 * level]
            level //= 2
            self._sums[level : 2 * level] = pairs[0::2] + pairs[1::2]

    def find(self, masses: np.ndarray) -> np.ndarray:
        """Leaves under which cumulative masses in [0, total) fall."""
        nodes, masses = np.ones(len(masses), np.int64), masses.copy()
        while nodes[0] < self._width:
            nodes = 2 * nodes
            left = self._sums[nodes]
            # Rounding may leave a mass just beyond the right sum: never walk into an empty branch.
            right = (masses >= left) & (self._sums[nodes + 1] > 0)
            masses -= np.where(right, left, 0.0)
            nodes += right
        return nodes - self._width
