"""The runs folder by names that a page may ask for. Nothing outside it is named or opened."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mindseye.core.errors import DataError
from mindseye.experience.manifest import FILE_NAME

_DEPTH = 6
_MOST_FOLDERS = 20_000
"""Looked into at once; what lies beyond is not listed."""
_RUN = ("config.json", "manifest.json")
_CLOSED = ("checkpoints", "columns", "tensorboard")
"""Parts of runs and stores in which neither is found."""


@dataclass(frozen=True)
class Entry:
    """A run."""

    name: str
    """Its folder's path below the root, with slashes."""
    folder: Path


@dataclass(frozen=True)
class StoreEntry:
    """A folder of episodes."""

    name: str
    """Its path below the root, with slashes."""
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
        return [Entry(self._name(f), f) for f, files in self._walk(self.root) if _is_run(files)]

    def reports(self) -> list[Entry]:
        """Folders with a report that are no runs: reports over seeds, by name."""
        found = self._walk(self.root)
        return [
            Entry(self._name(f), f)
            for f, files in found
            if "report.json" in files and not _is_run(files)
        ]

    def stores(self, below: str = "") -> list[StoreEntry]:
        """All folders of episodes, or those below a name, by name.

        Raises:
            DataError: If there is no such name.
        """
        top = self._folder(below) if below else self.root
        return [StoreEntry(self._name(f), f) for f, files in self._walk(top) if FILE_NAME in files]

    def run(self, name: str) -> Entry:
        """The run of that name.

        Raises:
            DataError: If there is none.
        """
        folder = self._folder(name)
        if not all((folder / file).is_file() for file in _RUN):
            raise DataError(f"There is no run named {name[:200]!r}.")
        return Entry(name, folder)

    def store(self, name: str) -> StoreEntry:
        """The folder of episodes of that name.

        Raises:
            DataError: If there is none.
        """
        folder = self._folder(name)
        if not (folder / FILE_NAME).is_file():
            raise DataError(f"There are no episodes named {name[:200]!r}.")
        return StoreEntry(name, folder)

    def file(self, name: str) -> Path:
        """A file below the root.

        Raises:
            DataError: If there is none.
        """
        path = self._inside(name)
        if not path.is_file():
            raise DataError(f"There is no file named {name[:200]!r}.")
        return path

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
        """Folders below the root and the names of their files, in order of name."""
        for place, folders, files in islice(os.walk(top, followlinks=False), _MOST_FOLDERS):
            folder = Path(place)
            depth = len(folder.relative_to(self.root).parts)
            folders[:] = sorted(name for name in folders if depth < _DEPTH and _is_open(name))
            if folder != self.root:
                yield folder, {name for name in files if not (folder / name).is_symlink()}


def _is_run(files: set[str]) -> bool:
    return files.issuperset(_RUN)


def _is_open(name: str) -> bool:
    return not (name.startswith(".") or name in _CLOSED or "\\" in name) and name.isprintable()
