"""The list of committed episodes: `episodes.jsonl`, one line each, never rewritten.

A line counts only if it is whole and its own checksum holds. What an episode weighs in sampling is
kept in one growing table; the rest is read back from its line when asked for.
"""

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from mindseye.core.batch import ORIGINS
from mindseye.core.episode import Origin
from mindseye.core.errors import DataError
from mindseye.core.task import Task

_ENTRY = np.dtype(
    [
        ("start", "i8"),
        ("rows", "i8"),
        ("total_reward", "f8"),
        ("origin", "u1"),
        ("terminated", "?"),
        ("damaged", "?"),
        ("offset", "i8"),
    ]
)


@dataclass(frozen=True)
class EpisodeRecord:
    """One line: everything about an episode except its rows."""

    start: int
    """First row."""
    rows: int
    """One more than its steps."""
    total_reward: float
    terminated: bool
    truncated: bool
    origin: Origin
    crc32: int
    """Of its rows in every column."""
    task: Task | None = None
    stop_reason: str = ""
    error: str | None = None
    extras: Sequence[str] = ()
    """Names of extra columns it fills."""
    text_bytes: dict[str, int] = field(default_factory=dict)
    """Bytes in each column of texts once it is written."""

    def to_line(self) -> bytes:
        """JSON with its own checksum, newline included.

        Raises:
            DataError: If the task's options are not JSON values.
        """
        try:
            content = json.dumps(asdict(self), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise DataError(f"episode: its task or error is not JSON ({error})") from error
        check = zlib.crc32(content.encode())
        return f'{content[:-1]}, "check": {check}}}\n'.encode()

    @staticmethod
    def from_line(line: bytes) -> "EpisodeRecord":
        """Inverse of to_line.

        Raises:
            DataError: If the line is torn or changed.
        """
        try:
            content, _, check = line.decode().rpartition(', "check": ')
            if int(check.rstrip("}\n")) != zlib.crc32(f"{content}}}".encode()):
                raise DataError("its checksum does not hold")
            raw = json.loads(f"{content}}}")
            task = Task(**raw.pop("task")) if raw["task"] else raw.pop("task")
            return EpisodeRecord(**raw | {"origin": Origin(**raw["origin"]), "task": task})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"not a whole episode line: {error}") from error


class EpisodeIndex:
    """Committed episodes, by number from 0."""

    def __init__(self, path: Path):
        self.path = path
        self._table = np.zeros(64, _ENTRY)
        self._count = 0
        self.bytes = 0
        """Where the next line goes."""
        self.damage: dict[int, str] = {}
        """Causes, by number of episode."""
        self._last: EpisodeRecord | None = None
        if path.exists():
            self._load()

    def _load(self) -> None:
        with open(self.path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break  # A write that never finished.
                self._load_line(line)

    def _load_line(self, line: bytes) -> None:
        try:
            self._enter(EpisodeRecord.from_line(line))
        except DataError as error:
            number = self._count
            self._grow()
            self._table[number] = (self.rows, 0, 0.0, 0, False, True, self.bytes)
            self.damage[number] = f"{self.path} line {number + 1}: {error}"
            self._count += 1
        self.bytes += len(line)

    def _grow(self) -> None:
        if self._count == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])

    def _enter(self, record: EpisodeRecord) -> None:
        self._grow()
        origin = ORIGINS.index(record.origin.kind)
        entry = (record.start, record.rows, record.total_reward, origin, record.terminated)
        self._table[self._count] = (*entry, False, self.bytes)
        self._count += 1
        self._last = record

    def __len__(self) -> int:
        return self._count

    @property
    def table(self) -> np.ndarray:
        """Structured array, a row per episode."""
        return self._table[: self._count]

    @property
    def rows(self) -> int:
        """Committed rows."""
        return self._last.start + self._last.rows if self._last else 0

    def text_bytes(self, column: str) -> int:
        """Committed bytes of a column of texts."""
        return self._last.text_bytes.get(column, 0) if self._last else 0

    def mark(self, number: int, cause: str) -> None:
        """Refuse an episode from now on."""
        self._table[number]["damaged"] = True
        self.damage.setdefault(number, cause)

    def record(self, number: int) -> EpisodeRecord:
        """Read a line back.

        Raises:
            DataError: If it is damaged.
        """
        if number in self.damage:
            raise DataError(f"episode {number}: {self.damage[number]}; it is refused")
        with open(self.path, "rb") as file:
            file.seek(int(self._table[number]["offset"]))
            return EpisodeRecord.from_line(file.readline())

    def records(self) -> Iterator[tuple[int, EpisodeRecord]]:
        """Numbers and records of all healthy episodes."""
        for number in np.flatnonzero(~self.table["damaged"]).tolist():
            yield number, self.record(number)

    def require_alone(self) -> None:
        """Refuse to go on if another process appended in the meantime.

        Raises:
            DataError: If it did.
        """
        there = self.path.stat().st_size if self.path.exists() else 0
        if there != self.bytes:
            raise DataError(
                f"{self.path}: has {there} bytes, expected {self.bytes}; another process writes "
                "to this folder, give each its own"
            )

    def append(self, records: Sequence[EpisodeRecord]) -> None:
        """Commit episodes whose rows are on disk already."""
        lines = [record.to_line() for record in records]
        with open(self.path, "ab", buffering=0) as file:
            left = memoryview(b"".join(lines))
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        for record, line in zip(records, lines, strict=True):
            self._enter(record)
            self.bytes += len(line)

    def cut_tail(self) -> None:
        """Remove what follows the last whole line."""
        if self.path.exists() and self.path.stat().st_size > self.bytes:
            os.truncate(self.path, self.bytes)

    def truncate(self, num_episodes: int) -> None:
        """Forget later episodes."""
        if num_episodes >= self._count:
            return
        self.bytes = int(self._table[num_episodes]["offset"])
        self._count = num_episodes
        self.damage = {n: cause for n, cause in self.damage.items() if n < num_episodes}
        healthy = [n for n in range(num_episodes) if n not in self.damage]
        self._last = self.record(healthy[-1]) if healthy else None
        self.cut_tail()
