"""Experience from npz and HDF5 files: one episode per file, or D4RL's long flat arrays.

| key                                 | rows | |
| ----------------------------------- | ---- | --- |
| `observations` (`observations/…`)   | N or, in a file of one episode, T + 1 | |
| `actions` (`actions/…`), `rewards`  | N or T | |
| `terminals` or `terminations`       | N or T, or one value | where an episode terminated |
| `timeouts` or `truncations`         | N or T, or one value | where it stopped otherwise |
| `next_observations`                 | N | optional |

Flat files without `next_observations` lack the last observation of every episode: a terminated
episode repeats the one before (a warning says so), any other loses its last action. Pickles are
refused, because opening one can run anything.
"""

import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.lib.npyio import NpzFile

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError, MissingExtra, SpecError
from mindseye.core.tree import Tree, leaves, map_tree
from mindseye.experience.replay import Replay

SUFFIXES = (".npz", ".hdf5", ".h5")
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
_BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def import_files(
    files: Sequence[str | Path],
    folder: str | Path,
    *,
    observation_space: gymnasium.Space | None = None,
    action_space: gymnasium.Space | None = None,
) -> Replay:
    """Copy files into a replay. Damaged files and episodes are named in warnings and skipped.

    Args:
        folder: Where the replay goes.
        observation_space: Inferred unless given: bytes become pictures of 0 to 255, other numbers a
            box without bounds.
        action_space: Inferred unless given: integers become choices from 0 to the greatest seen,
            other numbers a box of [-1, 1], or of what was seen if that is wider.

    Raises:
        DataError: If no file is usable; says why for each.
        MissingExtra: If a file is HDF5 and h5py is not installed.
    """
    refused: list[str] = []
    sightings = {}
    for path in map(Path, files):
        try:
            sightings[path] = _look(path)
        except DataError as error:
            refused.append(str(error))
    if not sightings:
        raise DataError(f"no usable file: {'; '.join(refused) or 'none given'}")
    for reason in refused:
        warnings.warn(f"refused {reason}", stacklevel=2)
    seen = list(sightings.values())
    replay = Replay(
        folder,
        observation_space or _space_of(_observation_box, seen[0]["observations"]),
        action_space or _space_of(_action_space, *(each["actions"] for each in seen)),
    )
    for path in sightings:
        try:
            replay.add(read_episodes(path))
        except (DataError, SpecError) as error:
            warnings.warn(f"refused {path}: {error}", stacklevel=2)
    if not len(replay):
        raise DataError(f"no whole episode in {', '.join(map(str, sightings))}")
    return replay


def read_episodes(path: str | Path) -> Iterator[Episode]:
    """Episodes of one file; those that are not whole are named in a warning and skipped.

    Raises:
        DataError: If the file cannot be read.
    """
    path = Path(path)
    with _opened(path) as columns:
        for number, (begin, end) in enumerate(_bounds(columns)):
            try:
                yield _episode(columns, begin, end, path)
            except _BROKEN as error:
                warnings.warn(f"refused {path}: episode {number}: {error}", stacklevel=2)


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, Any]]:
    """Columns of a file: trees that can be sliced, and flags as arrays."""
    if path.suffix in _PICKLES:
        raise DataError(f"{path}: is a pickle, which can run anything; convert it to npz or HDF5")
    try:
        if path.suffix == ".npz":
            with open(path, "rb") as raw, NpzFile(raw, allow_pickle=False) as arrays:
                columns = _columns({name: arrays[name] for name in arrays.files}, path)
            yield columns
        elif path.suffix in SUFFIXES:
            with _h5py().File(path, "r") as file:
                yield _columns(_datasets(file), path)
        else:
            raise DataError(f"{path}: expected one of {', '.join(SUFFIXES)}")
    except DataError:
        raise
    except _BROKEN as error:
        raise DataError(f"{path}: cannot be read ({error}); restore or remove it") from error


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("h5py", "minari") from error
    return h5py


def _datasets(file: Any) -> dict[str, Any]:
    dataset = _h5py().Dataset
    found: dict[str, Any] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, dataset):
            found[name] = item

    file.visititems(collect)
    return found


def _columns(arrays: Mapping[str, Any], path: Path) -> dict[str, Any]:
    trees = {name: _tree(arrays, name) for name in ("observations", "actions", "next_observations")}
    missing = [name for name in ("observations", "actions") if trees[name] is None]
    if "rewards" not in arrays:
        missing.append("rewards")
    if missing:
        raise DataError(f"{path}: has no {', '.join(missing)}; has {', '.join(sorted(arrays))}")
    rewards = np.asarray(arrays["rewards"], np.float32).reshape(-1)
    flags = {
        "terminated": _flags(arrays, ("terminals", "terminations"), len(rewards)),
        "truncated": _flags(arrays, ("timeouts", "truncations"), len(rewards)),
    }
    _require_length(trees["actions"], "actions", len(rewards), path)
    rows = len(leaves(trees["observations"])[0])
    single = rows == len(rewards) + 1
    _require_length(trees["observations"], "observations", len(rewards) + single, path)
    if trees["next_observations"] is not None:
        _require_length(trees["next_observations"], "next_observations", len(rewards), path)
    return {**trees, **flags, "rewards": rewards, "single": single}


def _tree(arrays: Mapping[str, Any], name: str) -> Tree:
    if name in arrays:
        return arrays[name]
    branches = sorted(
        {key[len(name) + 1 :].split("/")[0] for key in arrays if key.startswith(f"{name}/")}
    )
    return {branch: _tree(arrays, f"{name}/{branch}") for branch in branches} or None


def _flags(arrays: Mapping[str, Any], names: tuple[str, str], steps: int) -> np.ndarray:
    flags = np.zeros(steps, bool)
    for name in names:
        if name in arrays and steps:
            given = np.asarray(arrays[name]).reshape(-1).astype(bool)
            flags[steps - len(given) :] |= given
    return flags


def _require_length(tree: Tree, name: str, rows: int, path: Path) -> None:
    for leaf in leaves(tree):
        if len(leaf) != rows:
            raise DataError(f"{path}: {name}: expected {rows} rows, got {len(leaf)}")


def _bounds(columns: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """First step, and one past the last, of every episode."""
    steps = len(columns["rewards"])
    ends = np.flatnonzero(columns["terminated"] | columns["truncated"]) + 1
    if columns["single"]:
        ends = ends[:0]
    begin = 0
    for end in [*ends.tolist(), steps]:
        if end > begin:
            yield begin, end
        begin = end


def _episode(columns: dict[str, Any], begin: int, end: int, path: Path) -> Episode:
    terminated = bool(columns["terminated"][end - 1])
    observed = columns["next_observations"]
    if columns["single"]:
        observations = map_tree(lambda leaf: leaf[begin : end + 1], columns["observations"])
    elif observed is not None:
        observations = _followed(columns["observations"], observed, begin, end)
    elif terminated:
        warnings.warn(
            f"{path}: has no next_observations; the last observation of each terminated episode "
            "repeats the one before",
            stacklevel=4,
        )
        observations = _followed(columns["observations"], columns["observations"], begin, end)
    else:
        observations = map_tree(lambda leaf: leaf[begin:end], columns["observations"])
        end -= 1
    return Episode(
        observations=observations,
        actions=map_tree(lambda leaf: leaf[begin:end], columns["actions"]),
        rewards=columns["rewards"][begin:end],
        terminated=terminated,
        truncated=not terminated,
        origin=Origin("real", path.stem),
    )


def _followed(observations: Tree, following: Tree, begin: int, end: int) -> Tree:
    def join(leaf, after):
        return np.concatenate([leaf[begin:end], after[end - 1 : end]])

    return map_tree(join, observations, following)


@dataclass(frozen=True)
class _Seen:
    """What a file says about a leaf."""

    dtype: np.dtype
    shape: tuple[int, ...]
    low: Any = None
    high: Any = None


def _look(path: Path) -> dict[str, Tree]:
    with _opened(path) as columns:
        if not len(columns["rewards"]):
            raise DataError(f"{path}: is empty")
        return {
            "observations": map_tree(
                lambda x: _Seen(x.dtype, x.shape[1:]), columns["observations"]
            ),
            "actions": map_tree(_range, columns["actions"]),
        }


def _range(leaf: Any) -> _Seen:
    array = np.asarray(leaf)
    return _Seen(array.dtype, array.shape[1:], array.min(0), array.max(0))


def _space_of(leaf_space: Callable[..., gymnasium.Space], tree: Tree, *rest: Tree) -> Any:
    if isinstance(tree, dict):
        parts = {k: _space_of(leaf_space, v, *(r[k] for r in rest)) for k, v in tree.items()}
        return spaces.Dict(parts)
    return leaf_space(tree, *(each for each in rest if each.shape == tree.shape))


def _observation_box(seen: _Seen) -> gymnasium.Space:
    if seen.dtype.kind == "f":
        return spaces.Box(-np.inf, np.inf, seen.shape, seen.dtype.type)
    if seen.dtype.kind == "b":
        return spaces.MultiBinary(seen.shape)
    info = np.iinfo(seen.dtype)
    return spaces.Box(info.min, info.max, seen.shape, seen.dtype.type)


def _action_space(*seen: _Seen) -> gymnasium.Space:
    low = np.min([each.low for each in seen], axis=0)
    high = np.max([each.high for each in seen], axis=0)
    if seen[0].dtype.kind == "f":
        low, high = np.minimum(low, -1), np.maximum(high, 1)
        return spaces.Box(low, high, seen[0].shape, seen[0].dtype.type)
    if (low < 0).any():
        raise DataError(f"actions: expected choices from 0, got {low.min()}; give an action_space")
    return spaces.MultiDiscrete(high + 1) if seen[0].shape else spaces.Discrete(int(high) + 1)
