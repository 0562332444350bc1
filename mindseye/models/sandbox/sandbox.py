"""Programs in another process with limits; JSON in, JSON out."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mindseye.models.sandbox import child
from mindseye.models.sandbox.allowed import SandboxError, check

_START_SECONDS = 30.0
_LARGEST = 1 << 20
"""Characters of a question or an answer."""


class Sandbox:
    r"""Runs programs written by a language model.

        box = Sandbox()
        box.load("def step(state, action):\n    return state + action", ["step"])
        box.call("step", 1, 2)  # 3

    A program is first read against a list of what may be said (`check`). It then runs in a process
    of its own without files, network or other processes. The process is kept between calls, killed
    when a limit is broken, and begun anew, with the program loaded again, at the next call.

    Args:
        seconds: Of wall-clock time for loading, and for each call.
        megabytes: Of memory, what Python itself needs (about 20) included.

    Raises:
        SandboxError: If this system cannot limit processes.
    """

    def __init__(self, *, seconds: float = 1.0, megabytes: int = 256):
        if os.name != "posix":
            raise SandboxError("sandbox: needs a POSIX system; use Linux or macOS")
        self.seconds, self.megabytes = seconds, megabytes
        self._process: subprocess.Popen | None = None
        self._ends: weakref.finalize | None = None
        self._loaded: tuple[str, tuple[str, ...]] | None = None

    def check(self, source: str) -> None:
        """As the function `check`."""
        check(source)

    def load(self, source: str, functions: Sequence[str] = ()) -> None:
        """Check a program and run its top level; it replaces the one before.

        Args:
            source: Python within the list.
            functions: Names it must define.

        Raises:
            SandboxError: If it may not run, breaks a limit, fails, or lacks a function.
        """
        self._loaded = None
        check(source)
        self._load(source, tuple(functions))
        self._loaded = source, tuple(functions)

    def call(self, name: str, *arguments: Any) -> Any:
        """One function's value; arguments and value are JSON (tuples come back as lists).

        Raises:
            SandboxError: If nothing is loaded, or the call breaks a limit or fails.
        """
        return self.call_many(name, [arguments])[0]

    def call_many(self, name: str, rows: Sequence[Sequence[Any]]) -> list:
        """One function on many rows of arguments, within one limit of time for all of them.

        Raises:
            SandboxError: As `call`, if any row does.
        """
        if self._loaded is None:
            raise SandboxError("sandbox: no program is loaded; load one first")
        if name not in self._loaded[1]:
            raise SandboxError(
                f"sandbox: {name} is none of {list(self._loaded[1])}; name it in load"
            )
        if self._process is None:
            self._load(*self._loaded)
        return self._ask({"call": name, "rows": [list(row) for row in rows]})

    def close(self) -> None:
        """End the process; the next call begins another."""
        if self._ends is not None:
            self._ends()
        self._process = self._ends = None

    def _load(self, source: str, functions: tuple[str, ...]) -> None:
        missing = self._ask({"load": source, "functions": functions})
        if missing:
            raise SandboxError(f"program: expected functions {', '.join(missing)}; define them")

    def _ask(self, asked: dict) -> Any:
        try:
            line = json.dumps({**asked, "seconds": self.seconds}, allow_nan=False).encode() + b"\n"
        except (TypeError, ValueError) as error:
            raise SandboxError(f"sandbox: arguments are not JSON ({error})") from error
        if len(line) > _LARGEST:
            raise SandboxError(f"sandbox: arguments are longer than {_LARGEST} characters")
        process = self._started()
        try:
            assert process.stdin is not None
            process.stdin.write(line)
            process.stdin.flush()
        except OSError as error:
            self.close()
            raise SandboxError("sandbox: the process died between calls; call again") from error
        answer = self._answer(process, self.seconds, "program")
        if "breach" in answer:
            self.close()
            raise SandboxError(f"program: {answer['breach']} ({self.megabytes} MB)")
        if "error" in answer:
            raise SandboxError(f"program: {answer['error']}")
        return answer["value"]

    def _answer(self, process: subprocess.Popen, seconds: float, who: str) -> dict:
        """Whatever goes wrong from here on costs the process its life, never ours."""
        assert process.stdout is not None
        until, got, pipe = time.monotonic() + seconds, bytearray(), process.stdout.fileno()
        while not got.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                self.close()
                raise SandboxError(f"{who}: took longer than {seconds:g} seconds")
            part = os.read(pipe, 1 << 16)
            got += part
            if not part or len(got) > 2 * _LARGEST:
                self.close()
                cause = "said too much" if part else "its process died"
                raise SandboxError(f"{who}: {cause}")
        try:
            return json.loads(got)
        except (ValueError, RecursionError) as error:
            self.close()
            raise SandboxError(f"{who}: its process said something that is no answer") from error

    def _started(self) -> subprocess.Popen:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        folder = tempfile.mkdtemp()
        script = Path(child.__file__)
        # -I would also ignore the seed of hashes, and with it the order of sets would be chance
        flags = ["-s", "-S", "-P", "-W", "ignore"]
        command = [sys.executable, *flags, str(script), str(self.megabytes), str(_LARGEST)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"PYTHONHASHSEED": "0"},
            start_new_session=True,
        )
        self._process, self._ends = process, weakref.finalize(self, _end, process)
        assert process.stdout is not None
        said = select.select([process.stdout.fileno()], [], [], _START_SECONDS)[0]
        ready = said and os.read(process.stdout.fileno(), 16) == b"ready\n"
        # its working directory is then a place that is no more
        os.rmdir(folder)
        if not ready:
            self.close()
            raise SandboxError(
                f"sandbox: its process did not start within {self.megabytes} MB; allow it more"
            )
        return process


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        try:
            assert pipe is not None
            pipe.close()
        except OSError:
            pass  # what was still to be written has no reader any more
