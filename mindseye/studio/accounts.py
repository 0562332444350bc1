"""What a run is, in a line of the list and on a page of its own."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mindseye.core.errors import DataError
from mindseye.core.report import Measure, Report
from mindseye.evaluation.page import stage_name, telling
from mindseye.studio.curves import curve
from mindseye.studio.glances import glance_of
from mindseye.studio.reading import (
    State,
    headline_at,
    metrics_in,
    read_object,
    read_report,
    stamp,
    state_of,
)
from mindseye.studio.shelf import Entry, Shelf
from mindseye.studio.sparks import Spark

_TOUCHED = ("progress.json", "metrics.jsonl", "report.json", "config.json")
_MAIN = ("real/return", "dream/return", "gap/return", "real/success", "dream/success",
         "horizon/trust_steps")  # fmt: skip
_LONGEST_WORD = 200
"""Of what options say, in a line."""
_MOST_STAGES = 12
_MOST_PICTURES = 24


@dataclass(frozen=True)
class Line:
    """A run in the list."""

    name: str
    what: str
    """Recipe or verb."""
    world: str
    """World or data; "" where the options name neither."""
    seed: str
    state: State
    headline: str
    """Of its truth report; "" where there is none."""
    touched: float
    """Seconds since 1970 at which it last changed."""
    folder: Path
    why: str = ""
    """What cannot be read."""

    @property
    def glance(self) -> Spark | None:
        """A curve of what it does, or did last; read only for lines that are shown."""
        return glance_of(self.folder, is_running=self.state.word == "running")

    def matches(self, words: str) -> bool:
        """Whether every word is found in what the line says of the run."""
        said = " ".join((self.name, self.what, self.world, self.state.word)).lower()
        return all(word in said for word in words.lower().split())


@dataclass(frozen=True)
class Page:
    """A run on its own page."""

    line: Line
    command: str
    """Begins it again, or goes on with it."""
    has_model: bool
    """Whether there is a model to play."""
    report: Report | None
    sentences: Sequence[str]
    """The headline of its report."""
    main: Sequence[Measure]
    """Those of its measures that tell most, in the order in which they are read."""
    has_page: bool
    """Whether there is the report's own page."""
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]
    pictures: Sequence[str]
    """Names of files, for addresses."""
    episodes: Sequence[str]
    """Names of folders of episodes."""
    stages: Sequence[tuple[str, Sequence[Markup]]]
    """Stages in words, and their curves."""
    troubles: Sequence[str] = field(default_factory=list)
    """What cannot be read."""


def line_of(entry: Entry) -> Line:
    """A run in a line; what cannot be read is said in it."""
    config, why = read_or_say(entry.folder / "config.json")
    sentences, why_none = verdict_in(entry.folder)
    return Line(
        entry.name,
        _word(config.get("name", "")),
        _word(config.get("world") or config.get("data") or ""),
        _word(config.get("seed", "")),
        state_of(entry.folder),
        sentences[0] if sentences else "",
        min(time.time(), max(stamp(entry.folder / name)[0] for name in _TOUCHED) / 1e9),
        entry.folder,
        why or why_none,
    )


def _word(value: Any) -> str:
    return str(value)[:_LONGEST_WORD]


def verdict_in(folder: Path) -> tuple[Sequence[str], str]:
    """The headline of a report, and why there is none where there should be one."""
    path = folder / "report.json"
    if not path.is_file():
        return (), ""
    try:
        return headline_at(path), ""
    except DataError as error:
        return (), str(error)


def page_of(shelf: Shelf, entry: Entry) -> Page:
    """Everything that is known of a run."""
    folder, line = entry.folder, line_of(entry)
    config, why_config = read_or_say(folder / "config.json")
    manifest, why_manifest = read_or_say(folder / "manifest.json")
    sentences, why_report = verdict_in(folder)
    report = report_in(folder)
    return Page(
        line,
        command=str(manifest.get("command", "")),
        has_model=(folder / "model").is_dir(),
        report=report,
        sentences=sentences,
        main=[m for name in _MAIN for m in (report.measures if report else ()) if m.name == name],
        has_page=(folder / "report.html").is_file(),
        config=flat(config),
        manifest=flat({key: value for key, value in manifest.items() if key != "command"}),
        pictures=_pictures(entry),
        episodes=[store.name for store in shelf.stores(entry.name)],
        stages=curves_in(folder),
        troubles=[why for why in (why_config, why_manifest, why_report) if why],
    )


def report_in(folder: Path) -> Report | None:
    """The report of a run, where there is one that can be shown."""
    try:
        return read_report(folder / "report.json")
    except DataError:
        return None


def read_or_say(path: Path) -> tuple[dict[str, Any], str]:
    """What a file holds, and why it cannot be read where it cannot."""
    try:
        return read_object(path), ""
    except DataError as error:
        return {}, str(error)


def flat(options: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested options with dots in their names."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        inner = flat(value, f"{above}{name}.") if isinstance(value, dict) and value else None
        found |= {f"{above}{name}": value} if inner is None else inner
    return found


def curves_in(folder: Path) -> Sequence[tuple[str, Sequence[Markup]]]:
    """The curves worth a look, by stage; drawn once for every state of the file."""
    return _curves(folder, *stamp(folder / "metrics.jsonl"))


@lru_cache(32)
def _curves(folder: Path, modified: int, size: int) -> Sequence[tuple[str, Sequence[Markup]]]:
    found = metrics_in(folder)
    drawn = [
        (stage_name(stage), [curve(*series[name], name) for name in telling(series)])
        for stage, series in list(found.items())[-_MOST_STAGES:]
    ]
    return [(stage, pictures) for stage, pictures in drawn if pictures]


def _pictures(entry: Entry) -> list[str]:
    names = []
    for place in ("", "media/"):
        folder = entry.folder / place
        if folder.is_symlink() or not folder.is_dir():
            continue
        found = sorted(p.name for p in folder.glob("*.png") if not p.is_symlink())
        names += [f"{entry.name}/{place}{name}" for name in found if name.isprintable()]
    return names[:_MOST_PICTURES]
