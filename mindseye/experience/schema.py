"""The columns a store needs for the rows of an episode.

Integers are kept in the smallest type torch can index: a 7 x 7 x 3 symbolic view costs 147 bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.errors import SpecError
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree

Path = tuple[str | int, ...]
_INTEGERS = (np.uint8, np.int8, np.int16, np.int32, np.int64)


@dataclass(frozen=True)
class ColumnSpec:
    """One leaf of every row: where it sits in the tree, and how it is kept."""

    path: Path
    """Field first, e.g. ("observation", "image")."""
    dtype: str | None
    """As stored; None for texts."""
    shape: tuple[int, ...] = ()
    first_row: int = 0
    """Rows before this one lack the column."""

    @property
    def name(self) -> str:
        """Unique and usable as a file name."""
        return ".".join(_quote(str(key)) for key in self.path)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "path": list(self.path),
            "dtype": self.dtype,
            "shape": list(self.shape),
            "first_row": self.first_row,
        }

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "ColumnSpec":
        """Inverse of to_json."""
        return ColumnSpec(tuple(raw["path"]), raw["dtype"], tuple(raw["shape"]), raw["first_row"])


def _quote(key: str) -> str:
    kept = (c if (c.isalnum() and c.isascii()) or c in "-_" else None for c in key)
    return "".join(k or f"%{ord(c):x}%" for c, k in zip(key, kept, strict=True))


def leaf_spaces(space: gymnasium.Space, path: Path = ()) -> Iterator[tuple[Path, gymnasium.Space]]:
    """Paths and spaces of the leaves, in the order of the tree."""
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from leaf_spaces(part, (*path, key))
    elif isinstance(space, spaces.Tuple):
        for i, part in enumerate(space.spaces):
            yield from leaf_spaces(part, (*path, i))
    else:
        yield path, space


def column_of(path: Path, space: gymnasium.Space) -> ColumnSpec:
    """How a leaf space is stored."""
    if isinstance(space, Words):
        return ColumnSpec(path, None)
    if isinstance(space, spaces.Discrete):
        low, high = int(space.start), int(space.start + space.n - 1)
        return ColumnSpec(path, smallest_integer(low, high))
    if isinstance(space, spaces.MultiDiscrete):
        low, high = int(space.start.min()), int((space.start + space.nvec - 1).max())
        return ColumnSpec(path, smallest_integer(low, high), space.shape)
    return ColumnSpec(path, str(space.dtype), space.shape or ())


def smallest_integer(low: int, high: int) -> str:
    """Name of the smallest integer type torch can index that holds low, high and zero."""
    low, high = min(low, 0), max(high, 0)
    fits = (t for t in _INTEGERS if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    return np.dtype(next(fits)).name


def paths(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Pairs of a path and a leaf."""
    if tree is None:
        return
    if isinstance(tree, dict | tuple):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from paths(value, (*path, key))
    else:
        yield path, tree


def grow(leaves: Iterable[tuple[Path, Any]]) -> Tree:
    """Inverse of paths."""
    pairs = list(leaves)
    if not pairs:
        return None
    if pairs[0][0] == ():
        return pairs[0][1]
    branches: dict[str | int, list] = {}
    for (key, *rest), leaf in pairs:
        branches.setdefault(key, []).append((tuple(rest), leaf))
    grown = {key: grow(branch) for key, branch in branches.items()}
    return tuple(grown.values()) if isinstance(pairs[0][0][0], int) else grown


def leaf_at(tree: Tree, path: Path, where: str) -> Any:
    """The leaf at a path.

    Raises:
        SpecError: If the tree has no such leaf.
    """
    for key in path:
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError) as error:
            raise SpecError(f"{where}: has no {key!r}; give a tree shaped as the space") from error
    return tree
