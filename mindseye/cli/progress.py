"""How far a run has come: a bar with the time left on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_PLAIN_SECONDS = 10.0
_NAMES = {
    "collect": "collecting experience",
    "fit": "fitting the world model",
    "dream": "training in the dream",
    "imitation": "cloning the data",
    "model_free": "learning without a model",
    "truth": "testing in reality and dream",
    "offline": "testing in the dream",
}


class ShownProgress:
    """Hand it to a `Run` as `progress`; one line stays per finished stage.

    Args:
        to: Where to write; the standard error stream unless given.
    """

    def __init__(self, to: TextIO | None = None):
        self._to, self._stage = to or sys.stderr, ""
        self._began = self._spoke = time.monotonic()
        self._first, self._is_done = 0, True
        self._bar: Progress | None = None

    def __call__(self, stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
        """Told by the run: `done` of `total` steps of a stage."""
        if stage != self._stage:
            self._begin(stage, done, total)
        if self._is_done:
            return
        if done >= total:
            self._finish(total, metrics)
        elif self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done)
        elif time.monotonic() - self._spoke >= _PLAIN_SECONDS:
            self._spoke = time.monotonic()
            left = (self._spoke - self._began) / max(1, done - self._first) * (total - done)
            self._say(f"{_name(stage)}: {done} of {total}, {duration(left)} left")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _begin(self, stage: str, done: int, total: int) -> None:
        self.close()
        self._stage, self._first, self._is_done = stage, done, False
        self._began = self._spoke = time.monotonic()
        if done >= total:
            self._say(f"{_name(stage)}: done")
            self._is_done = True
        elif self._to.isatty():
            console = Console(file=self._to)
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(compact=True),
            )
            bar = self._bar = Progress(*columns, console=console, transient=True)
            bar.add_task(_name(stage), total=total, completed=done)
            bar.start()

    def _finish(self, total: int, metrics: Mapping[str, float]) -> None:
        self.close()
        self._is_done = True
        known = [f"{k} {v:.3g}" for k, v in list(metrics.items())[:3]] if total > 1 else []
        took = duration(time.monotonic() - self._began)
        self._say(", ".join([f"{_name(self._stage)}: {took}", *known]))

    def _say(self, text: str) -> None:
        print(text, file=self._to, flush=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _name(stage: str) -> str:
    return _NAMES.get(stage, stage.replace("_", " "))


def duration(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
