"""Episodes as one array per column, checked against the spaces, and back."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.episode import Episode
from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.experience.columns import Rows
from mindseye.experience.rows import OWN, arrivals
from mindseye.experience.schema import ColumnSpec, column_of, grow, leaf_at, leaf_spaces, paths

_FLAGS = (
    ColumnSpec(("reward",), "float32"),
    ColumnSpec(("continuation",), "float32"),
    ColumnSpec(("is_first",), "bool"),
    ColumnSpec(("origin",), "uint8"),
)


class Encoding:
    """Which columns a pair of spaces needs, and how episodes enter and leave them."""

    def __init__(self, observation_space: gymnasium.Space, action_space: gymnasium.Space):
        self.spaces = {
            **dict(leaf_spaces(observation_space, ("observation",))),
            **dict(leaf_spaces(action_space, ("action",))),
        }
        self.specs = [*(column_of(path, leaf) for path, leaf in self.spaces.items()), *_FLAGS]

    def encode(self, episode: Episode) -> tuple[dict[str, Rows], list[tuple[ColumnSpec, Rows]]]:
        """Rows per column, and rows of extras with the column each would need.

        Raises:
            SpecError: If a leaf does not fit its space, or an extra cannot be stored.
        """
        tree = arrivals(episode)
        count = len(episode) + 1
        rows = {s.name: self._fit(s, leaf_at(tree, s.path, "episode"), count) for s in self.specs}
        extras = {name: value for name, value in tree.items() if name not in OWN}
        return rows, [extra_of(path, leaf, count) for path, leaf in paths(extras)]

    def _fit(self, spec: ColumnSpec, leaf: Any, count: int) -> Rows:
        if spec.dtype is None:
            if not isinstance(leaf, list) or not all(isinstance(text, str) for text in leaf):
                raise SpecError(f"episode: {spec.name}: expected a list of texts, got {type(leaf)}")
            return leaf
        array = np.asarray(leaf)
        if array.shape != (count, *spec.shape):
            raise SpecError(
                f"episode: {spec.name}: expected shape {(count, *spec.shape)}, got {array.shape}; "
                "does the world's space say what it returns?"
            )
        if array.dtype == spec.dtype and not is_choice(self.spaces.get(spec.path)):
            return np.ascontiguousarray(array)
        self._check_range(spec, array)
        return np.ascontiguousarray(array, spec.dtype)

    def _check_range(self, spec: ColumnSpec, array: np.ndarray) -> None:
        space, wanted = self.spaces.get(spec.path), np.dtype(spec.dtype)
        if wanted.kind not in "iu":
            if not np.can_cast(array.dtype, wanted, "same_kind"):
                raise SpecError(f"episode: {spec.name}: expected {wanted}, got {array.dtype}")
            return
        if array.dtype.kind not in "iub":
            raise SpecError(f"episode: {spec.name}: expected integers, got {array.dtype}")
        # Row 0 of an action is the blank before the first one.
        given = array[1:] if spec.path[0] == "action" else array
        low, high = _limits(space, wanted)
        bad = (given < low) | (given > high)
        if bad.any():
            value = given[bad].flat[0]
            raise SpecError(f"episode: {spec.name}: {value} is outside {space}")

    def decode(self, rows: Mapping[str, Rows], extras: Sequence[ColumnSpec]) -> dict[str, Tree]:
        """A tree per field, in the spaces' own dtypes."""
        leaves = [(s.path, self._restore(s, rows[s.name])) for s in self.specs]
        return grow([*leaves, *((s.path, rows[s.name]) for s in extras)])

    def _restore(self, spec: ColumnSpec, rows: Rows) -> Rows:
        space = self.spaces.get(spec.path)
        if is_choice(space) and isinstance(rows, np.ndarray):
            return rows.astype(space.dtype)
        return rows


def is_choice(
    space: gymnasium.Space | None,
) -> TypeGuard[spaces.Discrete | spaces.MultiDiscrete]:
    """Whether values are choices among integers, stored small and handed out as int64."""
    return isinstance(space, spaces.Discrete | spaces.MultiDiscrete)


def _limits(space: Any, dtype: np.dtype) -> tuple[Any, Any]:
    if isinstance(space, spaces.Discrete):
        return space.start, space.start + space.n - 1
    if isinstance(space, spaces.MultiDiscrete):
        return space.start, space.start + space.nvec - 1
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def extra_of(path: tuple[str | int, ...], leaf: Any, count: int) -> tuple[ColumnSpec, Rows]:
    """The column an extra needs, and its rows."""
    if isinstance(leaf, list) and all(isinstance(text, str) for text in leaf):
        return ColumnSpec(path, None), leaf
    array = np.ascontiguousarray(leaf)
    if array.dtype.kind not in "fiub" or len(array) != count:
        raise SpecError(
            f"episode: extra {path}: expected numbers or texts of {count - 1} steps, "
            f"got {array.dtype} {array.shape}"
        )
    return ColumnSpec(path, str(array.dtype), array.shape[1:]), array


def blank_rows(spec: ColumnSpec, count: int) -> Rows:
    """Rows of an episode that lacks an extra: nan, 0, false or empty texts."""
    if spec.dtype is None:
        return [""] * count
    fill = np.nan if np.dtype(spec.dtype).kind == "f" else 0
    return np.full((count, *spec.shape), fill, spec.dtype)


def checksum(rows: Mapping[str, Rows]) -> int:
    """CRC-32 of rows, column by column in order of their names."""
    crc = 0
    for name in sorted(rows):
        part = rows[name]
        if isinstance(part, list):
            texts = [text.encode("utf-8", "surrogatepass") for text in part]
            crc = zlib.crc32(b"".join(texts), crc)
            part = np.array([len(text) for text in texts], np.int64)
        crc = zlib.crc32(part.reshape(-1).view(np.uint8).data, crc)
    return crc
