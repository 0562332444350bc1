"""One door for experience from anywhere: `--data` of every command."""

import shutil
import tempfile
import weakref
from pathlib import Path

from mindseye.core.errors import DataError, MissingExtra
from mindseye.experience.files import SUFFIXES, import_files
from mindseye.experience.manifest import FILE_NAME
from mindseye.experience.minari import import_minari
from mindseye.experience.replay import Replay


def load(source: str | Path, *, into: str | Path | None = None) -> Replay:
    """Open or import experience.

    Args:
        source: A folder of ours (opened read-only), an npz or HDF5 file, a folder of such files,
            a Minari folder, or the id of a local Minari dataset.
        into: Where imported episodes go; unless given, a temporary folder that lives as long as the
            replay does.

    Raises:
        DataError: If nothing of that kind is there; lists what was tried.
        MissingExtra: If only a missing package could read it.
    """
    path = Path(source)
    if (path / FILE_NAME).exists():
        return Replay.open(path, read_only=True)
    if into is not None:
        return _import(path, str(source), Path(into))
    temporary = tempfile.mkdtemp(prefix="mindseye-")
    try:
        replay = _import(path, str(source), Path(temporary))
    except BaseException:
        shutil.rmtree(temporary)
        raise
    weakref.finalize(replay, shutil.rmtree, temporary, ignore_errors=True)
    return replay


def _import(path: Path, source: str, into: Path) -> Replay:
    if path.is_file():
        return import_files([path], into)
    is_minari = any((folder / "metadata.json").exists() for folder in (path, path / "data"))
    if path.is_dir() and not is_minari:
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if files:
            return import_files(files, into)
        raise DataError(f"{_tried(source)}; the folder holds none of these")
    try:
        return import_minari(source, into)
    except (DataError, MissingExtra) as error:
        if is_minari:
            raise
        raise DataError(f"{_tried(source)} ({error})") from error


def _tried(source: str) -> str:
    return (
        f"{source}: no experience found; tried a folder with {FILE_NAME}, "
        f"a file or folder of files ({', '.join(SUFFIXES)}), a Minari folder, a Minari dataset id"
    )
