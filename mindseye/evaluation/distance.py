"""How far apart two observations of the same space are.

Errors of different leaves and worlds are made comparable by dividing by the distance between
unrelated real observations: 0 is equal, 1 is as wrong as a random real observation.
"""

import numpy as np

from mindseye.core.tree import Tree, leaves, map_tree, take


def distance(first: Tree, second: Tree) -> np.ndarray:
    """Mean over leaves of the distance per row, shape (rows,).

    Integer leaves other than pictures count the share of entries that differ; pictures and floats
    take the root mean square difference.
    """
    # by structure, not by order: two dicts may list the same keys differently
    return np.mean(leaves(map_tree(_leaf, first, second)), 0)


def _leaf(a: np.ndarray | list, b: np.ndarray | list) -> np.ndarray:
    if isinstance(a, list):
        return np.array([float(x != y) for x, y in zip(a, b, strict=True)])
    a, b = np.asarray(a), np.asarray(b)
    flat_a, flat_b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    is_picture = a.dtype == np.uint8 and a.ndim == 4 and min(a.shape[1:3]) >= 16
    if a.dtype.kind in "iub" and not is_picture:
        return (flat_a != flat_b).mean(1)
    difference = flat_a.astype(np.float64) - flat_b.astype(np.float64)
    return np.sqrt(np.square(difference).mean(1))


def unrelated(observations: Tree, rng: np.random.Generator) -> float:
    """Mean distance between randomly paired rows: the unit of normalised errors; never 0."""
    rows = len(leaves(observations)[0])
    pairs = rng.permutation(rows), rng.permutation(rows)
    mean = float(distance(take(observations, pairs[0]), take(observations, pairs[1])).mean())
    return mean if mean > 0 else 1.0
