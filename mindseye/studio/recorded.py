"""Recorded episodes, read a piece at a time: a page costs neither a store nor a long episode."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mindseye.core.batch import ORIGINS
from mindseye.core.errors import DataError, MindseyeError
from mindseye.core.tree import Tree
from mindseye.experience.columns import Rows, TextColumn
from mindseye.experience.index import EpisodeRecord
from mindseye.experience.manifest import FILE_NAME
from mindseye.experience.schema import ColumnSpec, grow
from mindseye.experience.store import Store
from mindseye.studio.reading import read_object, stamp
from mindseye.studio.shelf import Entry, plain_file

_INDEX = "episodes.jsonl"
_INDEX_BYTES = 1 << 26
"""Of the largest list of episodes that is read."""
_CHECKED_BYTES = 1 << 26
"""Of the largest episode whose checksum is made before it is shown."""
_CHECKED_ON_OPEN = 4
"""Latest episodes, of which a machine that lost its power may have kept a part."""
_MOST_BYTES = 1 << 25
"""Of a column, read at once."""
_READ_BYTES = 1 << 23
"""Of a column of one episode that is read whole; of longer ones a sample is."""
_MOST_NUMBERS = 1 << 24
"""In a space: its bounds are made when its schema is read."""
_SAMPLE = 600
_ASKED = 24
"""Episodes that are asked where they come from, for a store's summary."""
_OPEN_STORES = 16
_BROKEN = (
    MindseyeError, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError,
    ArithmeticError, MemoryError, RecursionError,
)  # fmt: skip
"""What files that were changed by hand, or are being written, can make of reading them."""


@dataclass(frozen=True)
class Summary:
    """A store in a few numbers; damaged and dropped episodes are in none but their own."""

    episodes: int
    steps: int
    damaged: int
    dropped: int
    """Deleted to stay within a capacity."""
    success_share: float
    """Of episodes whose total reward is above 0."""
    returns: tuple[float, float, float]
    """Least, mean, greatest; zeros where there are no episodes."""
    lengths: tuple[float, float, float]
    origins: dict[str, int]
    """Episodes by kind of origin."""
    worlds: list[str]
    """Of a sample of the episodes."""
    agents: list[str]


class Recorded:
    """A store of episodes as it was when it was opened; nothing on disk is touched.

    Args:
        entry: Where it is.

    Raises:
        DataError: If it cannot be read; says why.
    """

    def __init__(self, entry: Entry):
        self.entry, self._checked = entry, set[int]()
        try:
            _require_plain(entry.folder)
            self._store = Store(entry.folder, read_only=True, checked=0)
            specs = [*self._store.encoding.specs, *self._store.manifest.extras.values()]
            if any(s.dtype and np.dtype(s.dtype).kind not in "fiub" for s in specs):
                raise DataError("holds neither numbers nor texts")
            for number in range(len(self._store.index))[-_CHECKED_ON_OPEN:]:
                self._check(number)
        except _BROKEN as error:
            raise self._unreadable(error) from error
        manifest = self._store.manifest
        self.observation_space, self.action_space = (
            manifest.observation_space,
            manifest.action_space,
        )
        self.table = self._store.index.table
        """Structured array with a row per episode; see `experience.index`."""

    @property
    def damage(self) -> dict[int, str]:
        """Causes, by number of episode."""
        return {n: self._plain(why) for n, why in sorted(self._store.index.damage.items())}

    @property
    def numbers(self) -> np.ndarray:
        """Of the episodes that can be shown, in order."""
        return np.flatnonzero(~self.table["damaged"] & ~self._is_dropped)

    @property
    def _is_dropped(self) -> np.ndarray:
        return self.table["start"] < self._store.manifest.kept_from

    @property
    def summary(self) -> Summary:
        """What is in it."""
        numbers = self.numbers
        table = self.table[numbers]
        asked = np.unique(np.linspace(0, max(0, len(table) - 1), _ASKED).astype(int))[: len(table)]
        origins = [r.origin for n in numbers[asked].tolist() if (r := self.listed(n)) is not None]
        kinds = np.bincount(table["origin"], minlength=len(ORIGINS)).tolist()
        return Summary(
            episodes=len(table),
            steps=int(np.maximum(table["rows"] - 1, 0).sum()),
            damaged=len(self._store.index.damage),
            dropped=int((self._is_dropped & ~self.table["damaged"]).sum()),
            success_share=float((table["total_reward"] > 0).mean()) if len(table) else 0.0,
            returns=_spread(table["total_reward"]),
            lengths=_spread(table["rows"] - 1.0),
            origins={kind: n for kind, n in zip(ORIGINS, kinds, strict=True) if n},
            worlds=sorted({origin.world for origin in origins}),
            agents=sorted({origin.agent for origin in origins if origin.agent}),
        )

    def record(self, number: int) -> EpisodeRecord:
        """An episode without its rows, which are whole as far as that can be told in time.

        Raises:
            DataError: If there is no such episode, or it is damaged or dropped.
        """
        if not 0 <= number < len(self.table):
            raise DataError(f"{self.entry.name}: there is no episode {number}")
        if self._is_dropped[number]:
            raise DataError(f"{self.entry.name}: episode {number} was deleted to stay in capacity")
        try:
            self._check(number)
            return _sound(self._store.index.record(number))
        except _BROKEN as error:
            raise self._unreadable(error) from error

    def _check(self, number: int) -> None:
        """Once, and only where its rows are read in no time."""
        if number in self._store.index.damage or self._store.is_dropped(number):
            return
        if number not in self._checked and self._bytes(number) <= _CHECKED_BYTES:
            self._store.verify([number])
            self._checked.add(number)

    def listed(self, number: int) -> EpisodeRecord | None:
        """An episode for a list, unchecked; None where its line can no longer be read."""
        try:
            return _sound(self._store.index.record(number))
        except _BROKEN:
            return None

    def columns(self, field: str) -> list[ColumnSpec]:
        """Columns of the observation or the action."""
        return [spec for spec in self._store.encoding.specs if spec.path[0] == field]

    def extras(self, record: EpisodeRecord) -> list[ColumnSpec]:
        """Columns that the agent of this episode filled."""
        known = self._store.manifest.extras
        return [known[name] for name in record.extras if name in known]

    def rows(self, record: EpisodeRecord, spec: ColumnSpec, first: int, stop: int) -> Rows:
        """Rows of an episode, which begin with its first observation at 0.

        Raises:
            DataError: If they cannot be read.
        """
        start, end = (record.start + min(at, record.rows) for at in (first, stop))
        try:
            if self._length(spec, start, end) > _MOST_BYTES:
                raise DataError(f"{spec.name} is too long to be shown")
            return self._store.columns[spec.name].rows_at(start, end)
        except _BROKEN as error:
            raise self._unreadable(error) from error

    def sampled(self, record: EpisodeRecord, spec: ColumnSpec, first: int = 1) -> tuple[Any, Any]:
        """Places and rows of a column of numbers from `first` on: all of them, or evenly chosen.

        Raises:
            DataError: If they cannot be read.
        """
        if record.rows * _row_bytes(spec) <= _READ_BYTES:
            places = np.arange(first, record.rows)
            return places, self.rows(record, spec, first, record.rows)
        count = min(_SAMPLE, max(1, _READ_BYTES // _row_bytes(spec)))
        places = np.unique(np.linspace(first, record.rows - 1, count).astype(int))
        return places, np.concatenate([self.rows(record, spec, t, t + 1) for t in places.tolist()])

    def observation(self, record: EpisodeRecord, moment: int) -> Tree:
        """One observation, without a leading axis, as its space has it.

        Raises:
            DataError: If there is no such moment, or it cannot be read.
        """
        if not 0 <= moment < record.rows:
            raise DataError(f"there is no moment {moment}; the last one is {record.rows - 1}")
        specs = self.columns("observation")
        leaves = [(s.path, self.rows(record, s, moment, moment + 1)[0]) for s in specs]
        return (grow(leaves) or {}).get("observation")

    def _bytes(self, number: int) -> int:
        start, rows = (int(self._store.index.table[name][number]) for name in ("start", "rows"))
        specs = [*self._store.encoding.specs, *self._store.manifest.extras.values()]
        plain = rows * sum(map(_row_bytes, specs))
        if plain > _CHECKED_BYTES:
            return plain
        return plain + sum(self._length(s, start, start + rows) for s in specs if s.dtype is None)

    def _length(self, spec: ColumnSpec, start: int, end: int) -> int:
        """Bytes of rows of a column."""
        column = self._store.columns[spec.name]
        if isinstance(column, TextColumn):
            return column.bytes_at(max(start, column.first_row), end)
        return (end - start) * _row_bytes(spec)

    def _unreadable(self, error: BaseException) -> DataError:
        cause = error if isinstance(error, MindseyeError) else f"cannot be read ({error!r})"
        return DataError(f"{self.entry.name}: {self._plain(str(cause))}")

    def _plain(self, cause: str) -> str:
        """A cause without the place of the runs folder on this machine."""
        return cause.replace(f"{self.entry.folder}: ", "").replace(f"{self.entry.folder}/", "")


class Library:
    """Stores that stay open for as long as their files are the same, the latest few."""

    def __init__(self):
        self._open: OrderedDict[Path, tuple[Any, Recorded]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, entry: Entry) -> Recorded:
        """A store as it is now.

        Raises:
            DataError: If it cannot be read.
        """
        now = stamp(entry.folder / FILE_NAME), stamp(entry.folder / _INDEX)
        with self._lock:
            known, found = self._open.get(entry.folder, (None, None))
        if found is None or known != now:
            # opened by two at once rather than by one for whom all others wait
            found = Recorded(entry)
        with self._lock:
            self._open[entry.folder] = now, found
            self._open.move_to_end(entry.folder)
            while len(self._open) > _OPEN_STORES:
                self._open.popitem(last=False)
        return found


def _require_plain(folder: Path) -> None:
    """Refuse what leads elsewhere, waits for ever, or takes all memory before it is looked at.

    Raises:
        DataError: If there is such a thing.
        OSError: If a file cannot be opened.
    """
    if _most_numbers(read_object(folder / FILE_NAME)) > _MOST_NUMBERS:
        raise DataError("its observations or actions are too large to be shown here")
    if (folder / _INDEX).exists():
        with plain_file(folder / _INDEX) as file:
            if file.seek(0, 2) > _INDEX_BYTES:
                raise DataError("its list of episodes is too long to be shown here")
    columns = folder / "columns"
    if any(path.is_symlink() for path in (columns, *columns.iterdir())):
        raise DataError("its columns are links")


def _most_numbers(told: Any) -> int:
    """Of the largest space that a schema describes."""
    if isinstance(told, list):
        return max(map(_most_numbers, told), default=0)
    if not isinstance(told, dict):
        return 0
    return max([math.prod(told.get("shape") or ()), *map(_most_numbers, told.values())])


def _sound(record: EpisodeRecord) -> EpisodeRecord:
    """A record whose parts are what they should be.

    Raises:
        DataError: If they are not.
    """
    origin, task = record.origin, record.task
    texts = [origin.world, record.stop_reason, *record.extras]
    texts += [x for x in (origin.agent, origin.parent, record.error) if x is not None]
    texts += [task.instruction] if task else []
    is_sound = all(isinstance(text, str) for text in texts)
    is_sound &= all(isinstance(number, int) for number in (record.start, record.rows))
    if not is_sound or record.start < 0 or record.rows < 1:
        raise DataError("not an episode that can be shown")
    return record


def _row_bytes(spec: ColumnSpec) -> int:
    if spec.dtype is None:
        # where its text starts and stops
        return 16
    return np.dtype(spec.dtype).itemsize * int(np.prod(spec.shape, dtype=np.int64))


def _spread(values: np.ndarray) -> tuple[float, float, float]:
    if not len(values):
        return 0.0, 0.0, 0.0
    return float(values.min()), float(values.mean()), float(values.max())
