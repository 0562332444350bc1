"""Columns on disk: rows of one leaf in files of a fixed number of rows.

Written by plain appends (a full disk is an error, not a crash). Batches are gathered through memory
maps, so memory stays bounded by what the operating system likes to cache.
"""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mindseye.core.errors import DataError

Rows = np.ndarray | list[str]

_SMALL_ROW = 64
"""Bytes up to which one indexed gather beats a copy per segment."""


class Column:
    """Rows of one fixed dtype and shape.

    Args:
        folder: Where the files are.
        name: What they are called, before their number.
        rows: How many rows are committed.
        first_row: Row before which nothing was ever written.
        file_bytes: Size at which the next file starts.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        dtype: str,
        shape: tuple[int, ...],
        *,
        rows: int,
        first_row: int,
        file_bytes: int,
    ):
        self.name, self.dtype, self.shape = name, np.dtype(dtype), shape
        self.rows, self.first_row = max(rows, first_row), first_row
        self._folder = folder
        self._row_bytes = self.dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        self._file_rows = max(1, file_bytes // max(1, self._row_bytes))
        self._views: dict[int, np.ndarray] = {}
        self._open: dict[int, BinaryIO] = {}

    def path(self, number: int) -> Path:
        """The file that holds rows `number` · rows per file and on."""
        return self._folder / f"{self.name}.{number:06d}"

    def append(self, rows: np.ndarray) -> None:
        """Write rows after the last one; `sync` makes them last, `cut` takes them back."""
        rows = np.ascontiguousarray(rows, self.dtype)
        done = 0
        while done < len(rows):
            number, row = divmod(self.rows + done, self._file_rows)
            part = rows[done : done + self._file_rows - row]
            if self._row_bytes:
                self._write(number, row * self._row_bytes, part)
            done += len(part)
        self.rows += len(rows)

    def _write(self, number: int, position: int, part: np.ndarray) -> None:
        if number not in self._open:
            path = self.path(number)
            mode = "r+b" if path.exists() else "w+b"
            self._open[number] = open(path, mode, buffering=0)  # noqa: SIM115, until sync
        file = self._open[number]
        file.seek(position)
        left = memoryview(part.reshape(-1).view(np.uint8).data)
        while left:
            left = left[file.write(left) :]

    def sync(self) -> None:
        """Force what was appended to the disk."""
        for file in self._open.values():
            os.fsync(file.fileno())
            file.close()
        self._open.clear()

    def cut(self, rows: int) -> None:
        """Drop every row from `rows` on, also unfinished writes beyond."""
        self.close()
        self.rows = max(rows, self.first_row)
        number, row = divmod(self.rows, self._file_rows)
        path = self.path(number)
        if path.exists() and path.stat().st_size > row * self._row_bytes:
            os.truncate(path, row * self._row_bytes)
        while (path := self.path(number + 1)).exists():
            path.unlink()
            number += 1

    def has_files_before(self, row: int) -> bool:
        """Whether `drop_before` would delete a file."""
        number = row // self._file_rows - 1
        return number >= 0 and self.path(number).exists()

    def drop_before(self, row: int) -> None:
        """Delete files all of whose rows are older than `row`."""
        number = row // self._file_rows - 1
        while number >= 0 and (path := self.path(number)).exists():
            self._views.pop(number, None)
            path.unlink()
            number -= 1

    def close(self) -> None:
        """Let go of files and maps; the next use opens them again."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._views.clear()

    def read(self, start: int, stop: int, out: np.ndarray) -> None:
        """Copy rows [start, stop) into `out`, casting if its dtype differs."""
        number, row = divmod(start, self._file_rows)
        end = row + stop - start
        if end <= self._file_rows:
            out[:] = self._view(number, end)[row:end]
            return
        done = 0
        while done < stop - start:
            number, row = divmod(start + done, self._file_rows)
            count = min(stop - start - done, self._file_rows - row)
            out[done : done + count] = self._view(number, row + count)[row : row + count]
            done += count

    def gather(self, index: np.ndarray, out: np.ndarray) -> bool:
        """Copy segments of consecutive rows if one file holds them all; false if not.

        Args:
            index: Rows, shape (batch, time), consecutive along time.
            out: Shape (batch, time, ...).
        """
        low, high = int(index[:, 0].min()), int(index[:, -1].max()) + 1
        number, row = divmod(low, self._file_rows)
        if low < self.first_row or row + high - low > self._file_rows or not self._row_bytes:
            return False
        view = self._view(number, row + high - low)
        if self._row_bytes <= _SMALL_ROW:
            out[:] = view[index - number * self._file_rows]
            return True
        length = index.shape[1]
        for b, start in enumerate((index[:, 0] - number * self._file_rows).tolist()):
            out[b] = view[start : start + length]
        return True

    def rows_at(self, start: int, stop: int) -> np.ndarray:
        """A copy of rows [start, stop), read from the files rather than through maps.

        A file that another process cuts meanwhile is an error then, and not the process's end.

        Raises:
            DataError: If a file has fewer rows.
        """
        out = np.empty((stop - start, *self.shape), self.dtype)
        done = 0
        while done < len(out) and out.size:
            number, row = divmod(start + done, self._file_rows)
            part = out[done : done + self._file_rows - row]
            self._fill(number, row, part)
            done += len(part)
        return out

    def _fill(self, number: int, row: int, part: np.ndarray) -> None:
        left = memoryview(part.reshape(-1).view(np.uint8).data)
        try:
            with open(self.path(number), "rb", buffering=0) as file:
                file.seek(row * self._row_bytes)
                while left and (count := file.readinto(left)):
                    left = left[count:]
        except FileNotFoundError:
            pass
        if left:
            rows = row + len(part)
            raise self._short(number, rows, rows - -(-len(left) // self._row_bytes))

    def _short(self, number: int, rows: int, there: int) -> DataError:
        return DataError(
            f"{self.path(number)}: expected {rows} rows, has {there}; restore the file or truncate "
            "the store"
        )

    def _view(self, number: int, rows: int) -> np.ndarray:
        view = self._views.get(number)
        if view is None or len(view) < rows:
            view = self._views[number] = self._map(number, rows)
        return view

    def _map(self, number: int, rows: int) -> np.ndarray:
        if not self._row_bytes:
            return np.zeros((rows, *self.shape), self.dtype)
        path = self.path(number)
        there = path.stat().st_size // self._row_bytes if path.exists() else 0
        if there < rows:
            raise self._short(number, rows, there)
        shape = (min(there, self._file_rows), *self.shape)
        return np.memmap(path, self.dtype, "r", shape=shape).view(np.ndarray)

    def rows_present(self, kept_from: int) -> int:
        """The row up to which files are whole, counting from row `kept_from`.

        Raises:
            DataError: If a file that should hold committed rows is missing.
        """
        row = max(kept_from, self.first_row)
        while row < self.rows and self._row_bytes:
            number = row // self._file_rows
            path = self.path(number)
            if not path.exists():
                raise DataError(f"{path}: missing; restore the file")
            end = min((number + 1) * self._file_rows, self.rows)
            there = number * self._file_rows + path.stat().st_size // self._row_bytes
            if there < end:
                return max(row, there)
            row = end
        return self.rows


class TextColumn:
    """Texts: UTF-8 bytes end to end, and where each row starts and stops among them."""

    def __init__(
        self, folder: Path, name: str, *, rows: int, num_bytes: int, first_row: int, file_bytes: int
    ):
        self.name = name
        self._spans = Column(
            folder, f"{name}.spans", "int64", (2,), rows=rows, first_row=first_row,
            file_bytes=file_bytes,
        )  # fmt: skip
        self._bytes = Column(
            folder, f"{name}.utf8", "uint8", (), rows=num_bytes, first_row=0, file_bytes=file_bytes
        )

    @property
    def rows(self) -> int:
        """How many rows are committed."""
        return self._spans.rows

    @property
    def num_bytes(self) -> int:
        """How many bytes all texts take so far."""
        return self._bytes.rows

    @property
    def first_row(self) -> int:
        """Row before which nothing was ever written."""
        return self._spans.first_row

    def append(self, rows: list[str]) -> None:
        """Write texts after the last one."""
        parts = [text.encode("utf-8", "surrogatepass") for text in rows]
        ends = self.num_bytes + np.cumsum([len(part) for part in parts], dtype=np.int64)
        starts = np.concatenate([[self.num_bytes], ends[:-1]]).astype(np.int64)
        self._bytes.append(np.frombuffer(b"".join(parts), np.uint8))
        self._spans.append(np.stack([starts, ends], axis=1))

    def sync(self) -> None:
        """Force what was appended to the disk."""
        self._bytes.sync()
        self._spans.sync()

    def cut(self, rows: int, num_bytes: int) -> None:
        """Drop every row from `rows` on, and bytes from `num_bytes` on."""
        self._spans.cut(rows)
        self._bytes.cut(num_bytes)

    def has_files_before(self, row: int) -> bool:
        """Whether `drop_before` would delete a file of bytes or of spans."""
        if not self.first_row <= row < self.rows:
            return False
        start = int(self._spans.rows_at(row, row + 1)[0, 0])
        return self._bytes.has_files_before(start) or self._spans.has_files_before(row)

    def drop_before(self, row: int) -> None:
        """Delete files all of whose rows are older than `row`."""
        if self.first_row <= row < self.rows:
            self._bytes.drop_before(int(self._spans.rows_at(row, row + 1)[0, 0]))
        self._spans.drop_before(row)

    def close(self) -> None:
        """Let go of files and maps."""
        self._spans.close()
        self._bytes.close()

    def bytes_at(self, start: int, stop: int) -> int:
        """How long the texts of rows [start, stop) are, at most."""
        if stop <= start:
            return 0
        spans = self._spans.rows_at(start, stop)
        return int(spans.max() - spans.min())

    def rows_at(self, start: int, stop: int) -> list[str]:
        """Texts of rows [start, stop).

        Raises:
            DataError: If what is on disk is not text.
        """
        if stop <= start:
            return []
        spans = self._spans.rows_at(start, stop)
        low, high = int(spans[0, 0]), int(spans[-1, 1])
        joined = (spans[1:, 0] == spans[:-1, 1]).all() and (spans[:, 0] <= spans[:, 1]).all()
        if not joined or low < 0 or high > self.num_bytes:
            raise DataError(f"{self.name}: rows {start} to {stop} are damaged; restore the file")
        data = self._bytes.rows_at(low, high).tobytes()
        try:
            return [data[a - low : b - low].decode("utf-8", "surrogatepass") for a, b in spans]
        except UnicodeDecodeError as error:
            raise DataError(f"{self.name}: not UTF-8 ({error}); restore the file") from error

    def rows_present(self, kept_from: int) -> int:
        """The row up to which files are whole, counting from row `kept_from`.

        Raises:
            DataError: If a file that should hold committed rows is missing.
        """
        whole = self._spans.rows_present(kept_from)
        first = max(kept_from, self.first_row)
        if whole <= first:
            return whole
        spans = self._spans.rows_at(first, whole)
        num_bytes = self._bytes.rows_present(int(spans[0, 0]))
        return (
            whole if num_bytes >= self.num_bytes else first + int((spans[:, 1] <= num_bytes).sum())
        )
