"""Episodes on disk: columns of rows and an index, safe against being killed at any moment.

Order of a commit: rows, fsync, index lines, fsync. What the index does not name was never added;
opening a folder for writing removes it. Damage to what was committed is named and refused.
"""

import errno
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np

from mindseye.core.episode import Episode
from mindseye.core.errors import DataError, SpecError
from mindseye.experience.columns import Column, Rows, TextColumn
from mindseye.experience.encoding import Encoding, blank_rows, checksum
from mindseye.experience.index import EpisodeIndex, EpisodeRecord
from mindseye.experience.manifest import FILE_NAME, Manifest
from mindseye.experience.rows import departures
from mindseye.experience.schema import ColumnSpec

_GROUP_BYTES = 1 << 25
_CHECKED_ON_OPEN = 4

Group = list[tuple[EpisodeRecord, dict[str, Rows]]]


def create_store(
    folder: Path,
    observation_space: gymnasium.Space,
    action_space: gymnasium.Space,
    *,
    file_bytes: int,
) -> None:
    """Prepare a folder, unless it is a store of the same spaces already.

    Raises:
        DataError: If it is a store of other spaces.
    """
    if not (folder / FILE_NAME).exists():
        (folder / "columns").mkdir(parents=True, exist_ok=True)
        Manifest(observation_space, action_space, file_bytes).write(folder)
        return
    stored = Manifest.read(folder)
    for name, given, there in (
        ("observation_space", observation_space, stored.observation_space),
        ("action_space", action_space, stored.action_space),
    ):
        if given != there:
            raise DataError(f"{folder}: {name} is {there}, got {given}; use another folder")


class Store:
    """Committed episodes in a folder: `schema.json`, `episodes.jsonl` and `columns/`.

    Args:
        folder: One that `create_store` prepared.
        read_only: Touch nothing on disk.
        checked: Latest episodes whose rows are held against their checksums now.

    Raises:
        DataError: If the folder is not a store, or a file is missing.
    """

    def __init__(self, folder: Path, *, read_only: bool, checked: int = _CHECKED_ON_OPEN):
        self.folder, self.read_only = folder, read_only
        self.manifest = Manifest.read(folder)
        self.encoding = Encoding(self.manifest.observation_space, self.manifest.action_space)
        self.index = EpisodeIndex(folder / "episodes.jsonl")
        specs = [*self.encoding.specs, *self.manifest.extras.values()]
        self.columns = {spec.name: self._column(spec) for spec in specs}
        self._find_short_files()
        self.verify(range(max(0, len(self.index) - checked), len(self.index)))
        if not read_only and not self.index.damage:
            self._cut()

    def _column(self, spec: ColumnSpec) -> Column | TextColumn:
        place = {
            "rows": self.index.rows,
            "first_row": spec.first_row,
            "file_bytes": self.manifest.file_bytes,
        }
        folder = self.folder / "columns"
        if spec.dtype is None:
            num_bytes = self.index.text_bytes(spec.name)
            return TextColumn(folder, spec.name, num_bytes=num_bytes, **place)
        return Column(folder, spec.name, spec.dtype, spec.shape, **place)

    def _find_short_files(self) -> None:
        table = self.index.table
        for name, column in self.columns.items():
            present = column.rows_present(self.manifest.kept_from)
            beyond = (table["start"] + table["rows"] > present) & ~table["damaged"]
            for number in np.flatnonzero(beyond).tolist():
                self.index.mark(number, f"{self.folder}: {name} ends at row {present}")

    def verify(self, numbers: Iterable[int] | None = None) -> dict[int, str]:
        """Check the rows of episodes against their checksums; all of them unless told which.

        Returns:
            Causes of damage by number of episode; those are refused from now on.
        """
        for number in range(len(self.index)) if numbers is None else numbers:
            if number in self.index.damage or self.is_dropped(number):
                continue
            try:
                record = self.index.record(number)
                if checksum(self._read(record)) != record.crc32:
                    raise DataError("its rows do not match their checksum")
            except DataError as error:
                self.index.mark(number, str(error))
        return dict(self.index.damage)

    def is_dropped(self, number: int) -> bool:
        """Whether the rows of an episode were deleted to stay within a capacity."""
        return int(self.index.table["start"][number]) < self.manifest.kept_from

    def _read(self, record: EpisodeRecord) -> dict[str, Rows]:
        names = [*(spec.name for spec in self.encoding.specs), *record.extras]
        stop = record.start + record.rows
        return {name: self.columns[name].rows_at(record.start, stop) for name in names}

    def episode(self, number: int) -> Episode:
        """Read an episode back.

        Raises:
            DataError: If there is no such episode, or it is damaged or dropped.
        """
        if not 0 <= number < len(self.index):
            raise DataError(f"{self.folder}: no episode {number}; has {len(self.index)}")
        if self.is_dropped(number):
            raise DataError(f"{self.folder}: episode {number} was dropped to stay in capacity")
        record = self.index.record(number)
        extras = [self.manifest.extras[name] for name in record.extras]
        return departures(
            self.encoding.decode(self._read(record), extras),
            origin=record.origin,
            truncated=record.truncated,
            task=record.task,
            stop_reason=record.stop_reason,
            error=record.error,
        )

    def add(self, episodes: Iterable[Episode]) -> None:
        """Commit episodes, in groups of about 32 MiB; of a failing group nothing is kept.

        Raises:
            SpecError: If an episode does not fit the spaces.
            DataError: If the store is read-only or damaged, or the disk is full.
        """
        self._require_writable()
        group: Group = []
        group_bytes, row = 0, self.index.rows
        for episode in episodes:
            record, rows = self._encode(episode, row)
            group.append((record, rows))
            row += record.rows
            group_bytes += sum(map(_size, rows.values()))
            if group_bytes >= _GROUP_BYTES:
                self._commit(group)
                group, group_bytes = [], 0
        if group:
            self._commit(group)

    def _require_writable(self) -> None:
        if self.read_only:
            raise DataError(f"{self.folder}: opened read-only; open it for writing")
        if self.index.damage:
            first = min(self.index.damage)
            raise DataError(
                f"{self.folder}: episode {first} is damaged ({self.index.damage[first]}); "
                f"truncate to {first} episodes, or add the healthy ones to a new folder"
            )

    def _encode(self, episode: Episode, row: int) -> tuple[EpisodeRecord, dict[str, Rows]]:
        rows, extras = self.encoding.encode(episode)
        for spec, values in extras:
            rows[spec.name] = self._fit_extra(spec, values)
        record = EpisodeRecord(
            start=row,
            rows=len(episode) + 1,
            total_reward=episode.total_reward,
            terminated=bool(episode.terminated),
            truncated=bool(episode.truncated),
            origin=episode.origin,
            crc32=checksum(rows),
            task=episode.task,
            stop_reason=episode.stop_reason,
            error=episode.error,
            extras=[spec.name for spec, _ in extras],
        )
        return record, rows

    def _fit_extra(self, spec: ColumnSpec, values: Rows) -> Rows:
        known = self.manifest.extras.get(spec.name)
        if known is None:
            known = replace(spec, first_row=self.index.rows)
            self._write_manifest(extras={**self.manifest.extras, known.name: known})
            self.columns[known.name] = self._column(known)
        if isinstance(values, list):
            fits = known.dtype is None
        else:
            fits = known.shape == spec.shape and known.dtype is not None
            fits = fits and np.can_cast(values.dtype, np.dtype(known.dtype), "same_kind")
        if not fits:
            raise SpecError(
                f"episode: extra {spec.name}: expected {known.dtype} {known.shape} as before, "
                f"got {spec.dtype} {spec.shape}"
            )
        return values if isinstance(values, list) else values.astype(known.dtype)

    def _write_manifest(self, **changes: object) -> None:
        manifest = replace(self.manifest, **changes)
        manifest.write(self.folder)
        self.manifest = manifest

    def _commit(self, group: Group) -> None:
        self.index.require_alone()
        try:
            records = self._place_texts(group)
            for name, column in self.columns.items():
                column.append(cast(Any, self._join(name, group)))
                column.sync()
            self.index.append(records)
        except BaseException as error:
            self._cut()
            if not isinstance(error, OSError):
                raise
            what = "the disk is full" if error.errno == errno.ENOSPC else str(error)
            raise DataError(
                f"{self.folder}: {what}; {len(group)} episodes were not added and nothing "
                "committed before is lost; free space and add them again"
            ) from error

    def _join(self, name: str, group: Group) -> Rows:
        known = self.manifest.extras.get(name)
        parts = [
            rows[name] if name in rows or known is None else blank_rows(known, record.rows)
            for record, rows in group
        ]
        if isinstance(parts[0], list):
            return [text for part in parts for text in part]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _place_texts(self, group: Group) -> list[EpisodeRecord]:
        ends = {n: c.num_bytes for n, c in self.columns.items() if isinstance(c, TextColumn)}
        placed = []
        for record, rows in group:
            ends = {name: end + _size(rows.get(name, [])) for name, end in ends.items()}
            placed.append(replace(record, text_bytes=ends))
        return placed

    def _cut(self) -> None:
        """Remove what was written but never committed."""
        self.index.cut_tail()
        rows = self.index.rows
        for name, column in self.columns.items():
            if isinstance(column, TextColumn):
                column.cut(rows, self.index.text_bytes(name))
            else:
                column.cut(rows)
        self._forget_extras(rows)

    def _forget_extras(self, rows: int) -> None:
        kept = {n: s for n, s in self.manifest.extras.items() if s.first_row < rows}
        if len(kept) == len(self.manifest.extras):
            return
        for name in set(self.manifest.extras) - set(kept):
            del self.columns[name]
        self._write_manifest(extras=kept)

    def truncate(self, num_episodes: int) -> None:
        """Drop later episodes for good.

        Raises:
            DataError: If the store is read-only, or has fewer.
        """
        if self.read_only:
            raise DataError(f"{self.folder}: opened read-only; open it for writing")
        if not 0 <= num_episodes <= len(self.index):
            raise DataError(
                f"{self.folder}: cannot keep {num_episodes} episodes, has {len(self.index)}"
            )
        self.index.truncate(num_episodes)
        if not self.index.damage:
            self._cut()

    def drop_before(self, row: int) -> None:
        """Delete files whose rows are all older than `row`, the first row of an episode."""
        if self.read_only or row <= self.manifest.kept_from:
            return
        if any(column.has_files_before(row) for column in self.columns.values()):
            self._write_manifest(kept_from=row)
            for column in self.columns.values():
                column.drop_before(row)

    def close(self) -> None:
        """Let go of files and maps; the next use opens them again."""
        for column in self.columns.values():
            column.close()


def _size(rows: Rows) -> int:
    if isinstance(rows, list):
        return sum(len(text.encode("utf-8", "surrogatepass")) for text in rows)
    return rows.nbytes
