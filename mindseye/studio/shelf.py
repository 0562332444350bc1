"""The runs folder by names that a page may ask for. Nothing outside it is named or opened."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from mindseye.core.errors import DataError
from mindseye.experience.manifest import FILE_NAME

_DEPTH = 6
_MOST_FOLDERS = 20_000
"""Looked into at once; what lies beyond is not listed."""
_MOST_BYTES = 64 << 20
"""Of a file that is served as it is."""
_RUN = ("config.json", "manifest.json")
_KNOWN = frozenset((*_RUN, "report.json", FILE_NAME))
"""Files that tell what a folder is."""
_CLOSED = ("checkpoints", "columns", "tensorboard")
"""Parts of runs and stores in which neither is found."""


@dataclass(frozen=True)
class Entry:
    """A run, a report over seeds, or episodes."""

    name: str
    """Their folder's path below the root, with slashes."""
    folder: Path


class Shelf:
    """What stands in a runs folder. Symbolic links and hidden files are as if they were not there.

    Args:
        root: The folder; it need not exist yet.
    """

    def __init__(self, root: Path):
        self.root = root.resolve()

    def runs(self) -> list[Entry]:
        """All runs, by name."""
        return self.runs_and_reports()[0]

    def runs_and_reports(self) -> tuple[list[Entry], list[Entry]]:
        """All runs, and folders with a report that are none: reports over seeds; both by name."""
        runs, reports = [], []
        for folder, files in self._walk(self.root):
            if _is_run(files):
                runs.append(Entry(self._name(folder), folder))
            elif "report.json" in files:
                reports.append(Entry(self._name(folder), folder))
        return runs, reports

    def stores(self, below: str = "") -> list[Entry]:
        """All folders of episodes, or those below a name, by name.

        Raises:
            DataError: If there is no such name.
        """
        top = self._folder(below) if below else self.root
        return [Entry(self._name(f), f) for f, files in self._walk(top) if FILE_NAME in files]

    def run(self, name: str) -> Entry:
        """The run of that name.

        Raises:
            DataError: If there is none.
        """
        folder = self._folder(name)
        if not all((folder / file).is_file() for file in _RUN):
            raise DataError(f"There is no run named {name[:200]!r}.")
        return Entry(name, folder)

    def store(self, name: str) -> Entry:
        """The folder of episodes of that name.

        Raises:
            DataError: If there is none.
        """
        folder = self._folder(name)
        if not (folder / FILE_NAME).is_file():
            raise DataError(f"There are no episodes named {name[:200]!r}.")
        return Entry(name, folder)

    def content(self, name: str) -> bytes:
        """What a file below the root holds.

        Raises:
            DataError: If there is none, or it is too long to be served.
        """
        try:
            with plain_file(self._inside(name)) as file:
                found = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise DataError(f"There is no file named {name[:200]!r}.") from error
        if len(found) > _MOST_BYTES:
            raise DataError(f"{name[:200]!r} is too long to be shown.")
        return found

    def _folder(self, name: str) -> Path:
        path = self._inside(name)
        if not path.is_dir():
            raise DataError(f"There is nothing named {name[:200]!r} in the runs folder.")
        return path

    def _inside(self, name: str) -> Path:
        """A path that exists where its name says, without a link on the way."""
        refused = DataError(f"There is nothing named {name[:200]!r} in the runs folder.")
        parts = name.split("/")
        if any(not part or part.startswith(".") or set(part) & {"\0", "\\"} for part in parts):
            raise refused
        path = self.root.joinpath(*parts)
        try:
            is_straight = path.resolve(strict=True) == path
        except (OSError, RuntimeError, ValueError) as error:
            raise refused from error
        if not is_straight:
            raise refused
        return path

    def _name(self, folder: Path) -> str:
        return folder.relative_to(self.root).as_posix()

    def _walk(self, top: Path) -> Iterator[tuple[Path, set[str]]]:
        """Folders below the root, in order of name, and the files that tell what they are."""
        for place, folders, files in islice(os.walk(top, followlinks=False), _MOST_FOLDERS):
            folder = Path(place)
            depth = len(folder.relative_to(self.root).parts)
            folders[:] = sorted(name for name in folders if depth < _DEPTH and _is_open(name))
            if folder != self.root:
                known = _KNOWN.intersection(files)
                yield folder, {name for name in known if not (folder / name).is_symlink()}


def plain_file(path: Path) -> BinaryIO:
    """Open a file to be read; links and pipes are none, also those that took its place just now.

    Raises:
        OSError: If there is none.
    """
    file = open(path, "rb", opener=_without_links)  # noqa: SIM115, for the caller to close
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileNotFoundError(f"{path.name} is no file")
    return file


def _without_links(path: str, flags: int) -> int:
    # nobody may ever write to a pipe: opening it must not wait
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _is_run(files: set[str]) -> bool:
    return files.issuperset(_RUN)


def _is_open(name: str) -> bool:
    return not (name.startswith(".") or name in _CLOSED or "\\" in name) and name.isprintable()
