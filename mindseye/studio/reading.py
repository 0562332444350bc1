"""What files of runs and results say.

They may be half written, damaged or foreign: then a `DataError` holds the sentence for the page.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeGuard

from mindseye.core.errors import DataError
from mindseye.core.report import Report
from mindseye.evaluation.verdict import headline
from mindseye.studio.curves import Series
from mindseye.studio.shelf import plain_file

_MOST_BYTES = 8 << 20
"""Of a JSON file."""
_DEEPEST = 64
"""Levels of a JSON file."""
_LONGEST_NAME = 100
"""Of a stage or a metric."""
_MOST_CLAIMS, _MOST_SEEDS = 100, 1000
"""Of a report that is shown: resampling the values of many seeds takes memory."""
_LONGEST_SENTENCE = 500
_LARGEST = 1e100
"""Of numbers that are drawn; axes have no room for larger ones."""
_LAST_BYTES = 4 << 20
"""Of metrics.jsonl: what is read of a longer one is its end."""
_FRESH = 30.0
_LONGEST_SILENCE = 3600.0
"""Seconds for which a process that is still there is believed to be at work on a long step."""


@dataclass(frozen=True)
class State:
    """How far a run has come."""

    word: str
    """running, stopped or finished."""
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    left: float | None = None
    """Seconds until the stage ends, at its pace so far."""


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        DataError: If there is none.
    """
    try:
        found = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} cannot be read ({str(error)[:200]}).") from error
    if not isinstance(found, dict) or not _is_shallow(found):
        raise DataError(f"{path.name} cannot be read (expected an object, not too deep).")
    return found


def read_report(path: Path) -> Report:
    """A report whose parts are what they should be.

    Raises:
        DataError: If there is none.
    """
    report = Report.from_json(_text(path), path.name)
    texts = [x for m in report.measures for x in (m.name, m.unit)]
    texts += [report.name, report.preset, *(c.statement for c in report.claims)]
    numbers = [x for m in report.measures for x in (m.value, m.low, m.high, m.n)]
    sides = [side for c in report.claims for side in (c.method, c.baseline, c.ablation)]
    objects = [report.config, report.manifest, report.details, *sides]
    lists = [report.seeds, *(side.get("values") for side in sides if isinstance(side, dict))]
    numbers += [x for one in lists if isinstance(one, list) for x in one]
    is_sound = (
        all(isinstance(one, str) for one in texts)
        and all(isinstance(one, dict) and _is_shallow(one) for one in objects)
        and all(isinstance(one, list) and len(one) <= _MOST_SEEDS for one in lists)
        and all(map(_is_number, numbers))
        and all(claim.holds in (True, False) for claim in report.claims)
        and len(report.claims) <= _MOST_CLAIMS
    )
    if not is_sound:
        raise DataError(f"{path.name} is not a report that can be shown.")
    return report


def _text(path: Path) -> str:
    try:
        with plain_file(path) as file:
            found = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise DataError(f"There is no {path.name} that can be read here.") from error
    if len(found) > _MOST_BYTES:
        raise DataError(f"{path.name} is too long to be shown.")
    try:
        return found.decode("utf8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} cannot be read ({str(error)[:200]}).") from error


def _is_shallow(value: Any, levels: int = _DEEPEST) -> bool:
    """Whether values within values end before those who go through them run out of stack."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(part, levels - 1) for part in parts)


def headline_at(path: Path) -> Sequence[str]:
    """The verdict of a report in a few sentences; remembered until the file changes.

    Raises:
        DataError: If there is no report.
    """
    return _headline(path, *stamp(path))


@lru_cache(4096)
def _headline(path: Path, modified: int, size: int) -> Sequence[str]:
    try:
        return tuple(sentence[:_LONGEST_SENTENCE] for sentence in headline(read_report(path)))
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path.name} is not a report that can be shown.") from error


def metrics_in(folder: Path) -> Mapping[str, Mapping[str, Series]]:
    """What a run logged, by stage and name; the end of it where that is much."""
    path = folder / "metrics.jsonl"
    return _metrics(path, *stamp(path))


@lru_cache(16)
def _metrics(path: Path, modified: int, size: int) -> Mapping[str, Mapping[str, Series]]:
    return metrics_of(path, size, _LAST_BYTES)


def metrics_of(path: Path, size: int, last: int) -> Mapping[str, Mapping[str, Series]]:
    """What the end of a metrics.jsonl holds, by stage and name.

    Args:
        size: Of the file, in bytes.
        last: How many of them are read.
    """
    found: dict[str, dict[str, tuple[list, list]]] = {}
    for row in _rows(path, size, last):
        stage, step = row.pop("stage", ""), row.pop("step", None)
        if not _is_name(stage) or not _is_drawable(step):
            continue
        for name, value in row.items():
            if _is_name(name) and _is_drawable(value):
                steps, values = found.setdefault(stage, {}).setdefault(name, ([], []))
                steps.append(step)
                values.append(value)
    return found


def _rows(path: Path, size: int, last: int) -> list[dict[str, Any]]:
    begin = max(0, size - last)
    try:
        with plain_file(path) as file:
            file.seek(begin)
            lines = file.read(last).split(b"\n")
    except OSError:
        return []
    rows = []
    for line in lines[begin > 0 :]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            # the last line may be half written
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def state_of(folder: Path) -> State:
    """Whether a run goes on, and how far it is.

    It runs while it says so: the word it leaves every few seconds is fresh, or its process is there
    and has been silent for less than an hour. Runs that leave no word are done if they have a
    report.
    """
    try:
        told = read_object(folder / "progress.json")
    except DataError:
        return State("finished" if (folder / "report.json").is_file() else "stopped")
    updated, began = _number(told, "updated"), _number(told, "began")
    done, total, first = (_number(told, name) for name in ("done", "total", "first"))
    pace = (updated - began) / (done - first) if done > first else 0.0
    # clocks of two machines differ, but not by much
    silence = abs(time.time() - updated)
    is_alive = silence < _FRESH or (silence < _LONGEST_SILENCE and _is_there(told.get("pid")))
    if told.get("ended") is True:
        word = "finished"
    else:
        word = "running" if told.get("pid") is not None and is_alive else "stopped"
    stage = told.get("stage")
    return State(
        word,
        stage if _is_name(stage) else "",
        min(done, total),
        total,
        max(0.0, pace * (total - done) - silence) if word == "running" and pace > 0 else None,
    )


def _is_there(pid: Any) -> bool:
    if not isinstance(pid, int) or isinstance(pid, bool) or not 0 < pid < 1 << 31:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        # of another user
        return True
    except OSError:
        return False
    return True


def _number(told: Mapping[str, Any], name: str) -> float:
    """A finite number that is not negative; 0 where there is none."""
    value = told.get(name)
    return float(value) if _is_number(value) and 0 <= value < 1e15 else 0.0


def _is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a number that floats can hold."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, float)


def _is_drawable(value: Any) -> TypeGuard[float]:
    return _is_number(value) and abs(value) < _LARGEST


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= _LONGEST_NAME and value.isprintable()


def stamp(path: Path) -> tuple[int, int]:
    """What changes with a file: when it was modified, in nanoseconds, and its bytes; else zeros."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
