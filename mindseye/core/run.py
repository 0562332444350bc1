"""A run: a folder, seeds, metrics, and loops that survive being killed.

    run = Run(folder, name="demo", config={...}, seed=0)
    for step in run.steps("fit", 800, keep={"model": model, "learner": learner, "rng": rng}):
        run.log(learner.update(replay.sample(..., rng)))
    score = run.once("test", lambda: evaluate(...))

Started again with the same folder and options, finished stages are restored instead of repeated and
the interrupted one goes on from its last checkpoint, bit for bit on a CPU.
"""

import csv
import io
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mindseye.core.checkpoint import load_tree, save_tree, write_atomic
from mindseye.core.errors import CheckpointError, ConfigError

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""Called as progress(stage, steps done, steps in all, latest metrics)."""
_WORD_SECONDS = 2.0
"""Least time between words left in progress.json within a stage."""


class Run:
    """One execution and its folder.

    Args:
        folder: Created if missing. A folder that holds a run with other options is refused.
        name: What is run, for reports.
        config: JSON-ready options; the identity of the run.
        seed: Every random stream of the run derives from it.
        device: Torch device.
        checkpoint_seconds: Least time between checkpoints within a stage. Correctness does not
            depend on it.
        progress: Told about every step.

    Raises:
        ConfigError: If the folder holds a run with other options.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        name: str,
        config: Mapping[str, Any],
        seed: int = 0,
        device: str = "cpu",
        checkpoint_seconds: float = 20.0,
        progress: Progress | None = None,
    ):
        self.folder = Path(folder)
        self.name, self.config, self.seed, self.device = name, dict(config), seed, device
        self.manifest = _manifest(seed, device)
        self._checkpoint_seconds = checkpoint_seconds
        self._progress = progress
        self._safe_bytes, self._is_aligned = 0, False
        self._seconds_before, self._sat_down = 0.0, time.monotonic()
        self._stage, self._step, self._total, self._enough = "", 0, 0, False
        self._counted: tuple[int, int] | None = None
        self._latest: Mapping[str, float] = {}
        self._word: dict[str, Any] = {}
        self._claim_folder()
        self._metrics = open(self.folder / "metrics.jsonl", "ab")  # noqa: SIM115
        self._board = _tensorboard(self.folder)
        self._leave_word(pid=os.getpid(), ended=False)

    def _claim_folder(self) -> None:
        identity = json.loads(json.dumps({"name": self.name, "seed": self.seed, **self.config}))
        path = self.folder / "config.json"
        if path.exists():
            try:
                found = json.loads(path.read_text())
            except json.JSONDecodeError as error:
                raise ConfigError(f"{path}: damaged ({error}); delete the folder") from error
            different = sorted(k for k in {*found, *identity} if found.get(k) != identity.get(k))
            if different:
                what = ", ".join(f"{k} was {found.get(k)}, is {identity.get(k)}" for k in different)
                raise ConfigError(f"{self.folder} holds another run ({what}); choose another --out")
        else:
            write_atomic(path, json.dumps(identity, indent=1))
        path = self.folder / "manifest.json"
        if path.exists():
            self.manifest = json.loads(path.read_text())
        else:
            write_atomic(path, json.dumps(self.manifest, indent=1))

    @property
    def seconds(self) -> float:
        """Time spent on the run so far, up to the last checkpoint of earlier sittings."""
        return self._seconds_before + time.monotonic() - self._sat_down

    def degrade(self, what: str) -> None:
        """Record in the manifest that something ran in a lesser way than asked."""
        if what not in self.manifest["degraded"]:
            self.manifest["degraded"].append(what)
            write_atomic(self.folder / "manifest.json", json.dumps(self.manifest, indent=1))

    def rng(self, purpose: str) -> np.random.Generator:
        """An independent stream for a named purpose."""
        return _stream(self.seed, purpose)

    def seed_for(self, purpose: str) -> int:
        """A 31-bit seed for a named purpose."""
        return seed_of(self.seed, purpose)

    def seed_torch(self, purpose: str) -> None:
        """Seed torch's global generator for a named purpose, such as initial weights."""
        torch.manual_seed(self.seed_for(purpose))

    def steps(self, stage: str, total: int, keep: Mapping[str, Any]) -> Iterator[int]:
        """Yield the steps of a stage that are still to be done.

        Args:
            stage: Name of the stage, unique in the run.
            total: Steps in all.
            keep: Everything that changes during the stage: objects with state_dict and
                load_state_dict, or NumPy generators. Restored before the first step is yielded.
                Torch's global generator is kept, too.

        Raises:
            CheckpointError: If the stage's checkpoint is damaged or of another architecture.
        """
        path = self.folder / "checkpoints" / f"{stage}.safetensors"
        torch.manual_seed(self.seed_for(stage))
        done = self._restore(path, keep) if path.exists() else 0
        if done < total:
            self._drop_repeated_rows()
        self._begin(stage, done, total)
        saved_at = time.monotonic()
        for step in range(done, total):
            self._step = step
            yield step
            self._tell(step + 1)
            done = total if self._enough else step + 1
            if done == total or time.monotonic() - saved_at > self._checkpoint_seconds:
                self._save(path, done, keep)
                saved_at = time.monotonic()
            if self._enough:
                break
        self._tell(total)

    def _drop_repeated_rows(self) -> None:
        """Once per sitting: rows logged after the last checkpoint belong to steps done again."""
        if not self._is_aligned:
            self._metrics.truncate(self._safe_bytes)
            self._metrics.seek(0, os.SEEK_END)
            self._is_aligned = True

    def end_stage(self) -> None:
        """Call inside a loop over `steps`: this step is the stage's last, whatever its total."""
        self._enough = True

    def report_progress(self, done: int, total: int) -> None:
        """Count progress in another unit than the loop's own, until the stage ends."""
        self._counted = (done, total)

    def _begin(self, stage: str, done: int, total: int) -> None:
        self._stage, self._total, self._enough, self._counted = stage, total, False, None
        self._word = {"stage": stage, "done": done, "total": total}
        self._leave_word(pid=os.getpid(), ended=False)

    def _tell(self, done: int) -> None:
        done, total = self._counted or (done, self._total)
        if self._progress:
            self._progress(self._stage, done, total, self._latest)
        # the pace is that of later steps, in the unit that the first one told
        self._word = {"began": time.time(), "first": done} | self._word
        self._word |= {"done": done, "total": total}
        if time.monotonic() - self._word_at >= _WORD_SECONDS:
            self._leave_word(pid=os.getpid(), ended=False)

    def _leave_word(self, *, pid: int | None, ended: bool) -> None:
        """Say in progress.json how far it is, where that can be said; the next word replaces it."""
        path, self._word_at = self.folder / "progress.json", time.monotonic()
        word = {**self._word, "updated": time.time(), "pid": pid, "ended": ended}
        with suppress(OSError):
            path.with_suffix(".tmp").write_text(json.dumps(word))
            os.replace(path.with_suffix(".tmp"), path)

    def _save(self, path: Path, done: int, keep: Mapping[str, Any]) -> None:
        self._metrics.flush()
        os.fsync(self._metrics.fileno())
        state = {
            "done": done,
            "metrics_bytes": self._metrics.tell(),
            "seconds": self.seconds,
            "torch": torch.get_rng_state(),
            "keep": {name: _state_of(item) for name, item in keep.items()},
        }
        save_tree(path, state)
        self._safe_bytes = state["metrics_bytes"]

    def _restore(self, path: Path, keep: Mapping[str, Any]) -> int:
        state = load_tree(path)
        if state["keep"].keys() != keep.keys():
            raise CheckpointError(
                f"{path}: holds {sorted(state['keep'])}, expected {sorted(keep)}; "
                "it was written by another version; start a new folder"
            )
        for name, item in keep.items():
            try:
                _restore_into(item, state["keep"][name])
            except (RuntimeError, KeyError, ValueError) as error:
                cause = str(error).strip().splitlines()[-1].strip()
                raise CheckpointError(
                    f"{path}: {name} is of another architecture ({cause})"
                ) from error
        torch.set_rng_state(state["torch"])
        self._safe_bytes = state["metrics_bytes"]
        self._seconds_before = max(self._seconds_before, state["seconds"])
        return state["done"]

    def once(self, name: str, compute: Callable[[], Any]) -> Any:
        """A JSON value computed once per run: read back when the run goes on."""
        path = self.folder / "checkpoints" / f"{name.replace('/', '-')}.json"
        if path.exists():
            try:
                saved = json.loads(path.read_text())
            except json.JSONDecodeError as error:
                raise CheckpointError(f"{path}: damaged ({error}); delete it") from error
            self._seconds_before = max(self._seconds_before, saved["seconds"])
            return saved["value"]
        self._begin(name, 0, 1)
        self._tell(0)
        torch.manual_seed(self.seed_for(name))
        value = json.loads(json.dumps(compute(), default=float))
        write_atomic(path, json.dumps({"value": value, "seconds": self.seconds}))
        self._tell(1)
        return value

    def log(self, metrics: Mapping[str, float]) -> None:
        """Append one row to metrics.jsonl, and to TensorBoard where it is installed."""
        self._latest = metrics
        row = {
            "stage": self._stage,
            "step": self._step,
            **{k: float(v) for k, v in metrics.items()},
        }
        self._metrics.write(json.dumps(row).encode() + b"\n")
        if self._board:
            for name, value in metrics.items():
                self._board.add_scalar(f"{self._stage}/{name}", float(value), self._step)

    def metrics(self) -> list[dict]:
        """All rows logged so far."""
        self._metrics.flush()
        return [
            json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()
        ]

    def close(self) -> None:
        """Flush, and write metrics.csv beside metrics.jsonl."""
        rows = self.metrics()
        names = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(rows)
        write_atomic(self.folder / "metrics.csv", text.getvalue())
        self._metrics.close()
        if self._board:
            self._board.close()

    def __enter__(self):
        return self

    def __exit__(self, kind: type[BaseException] | None, *_):
        self.close()
        self._leave_word(pid=None, ended=kind is None)


def seed_of(seed: int, purpose: str) -> int:
    """What `Run.seed_for` says in a run of this seed."""
    return int(_stream(seed, purpose).integers(2**31))


def _stream(seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def _state_of(item: Any) -> Any:
    if isinstance(item, np.random.Generator):
        return item.bit_generator.state
    return item.state_dict()


def _restore_into(item: Any, state: Any) -> None:
    if isinstance(item, np.random.Generator):
        item.bit_generator.state = state
    else:
        item.load_state_dict(state)


def _manifest(seed: int, device: str) -> dict:
    return {
        "command": shlex.join(["mindseye", *sys.argv[1:]]),
        "commit": _commit(),
        **describe_machine(device),
        "seeds": [seed],
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "degraded": [],
    }


def describe_machine(device: str) -> dict:
    """Versions and hardware, for manifests."""
    return {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "hardware": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
        },
    }


def _commit() -> str:
    if shutil.which("git") is None:
        return "unknown"
    here = Path(__file__).parent
    done = subprocess.run(
        ["git", "-C", here, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "unknown"
    )


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))
