"""`mindseye doctor`: what works on this machine and what is missing.

Torch is tried in another process, so that a torch that crashes is found out rather than followed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from mindseye.cli.options import parse

_EXAMPLES = ("doctor", "doctor --out /data/runs")
_OF_DEVELOPERS = ("dev", "docs")
_LEAST_GIGABYTES = 2.0
_TORCH_SECONDS = 120
_PROBE = """
import json, torch
from mindseye.core.precision import has_fast_bfloat16
from mindseye.models.language import describe_language
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
torch.ones(64, 64) @ torch.ones(64, 64)
print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads(),
                  "bfloat16": has_fast_bfloat16(), "devices": names,
                  "language": describe_language()}))
"""


@dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """Check what works on this machine; exit code 1 if something essential does not."""

    out: Path = Path("runs")
    """Folder that runs should go to."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: str
    """ok, missing (optional) or broken (essential)."""
    detail: str


def main(arguments: Sequence[str]) -> int:
    """Check and print."""
    options = parse("doctor", DoctorOptions, arguments, _EXAMPLES)
    packages = required()
    findings = [
        _python(),
        *map(_package, packages[""]),
        *_torch(),
        _folder(options.out),
        _folder(Path(tempfile.gettempdir())),
        _disk(options.out),
        *(_extra(name, needed) for name, needed in packages.items() if name),
    ]
    for found in findings:
        print(f"{found.state:8} {found.name:18} {found.detail}")
    broken = [found.name for found in findings if found.state == "broken"]
    print(f"\nbroken: {', '.join(broken)}" if broken else "\neverything essential works")
    return 1 if broken else 0


def _python() -> Finding:
    state = "ok" if sys.version_info >= (3, 11) else "broken"
    return Finding("python", state, f"{sys.version.split()[0]}, 3.11 or later is needed")


def required() -> dict[str, list[str]]:
    """Packages by the extra that asks for them; those always needed under an empty name."""
    found: dict[str, list[str]] = {"": []}
    for line in _requirements("mindseye"):
        package, extras, asking = _read(line)
        if asking not in _OF_DEVELOPERS:
            # one level deep is enough: the extras of others are not followed further
            behind = [_read(other) for other in _requirements(package)] if extras else []
            brought = [name for name, _, extra in behind if extra in extras]
            found.setdefault(asking, []).extend([package, *brought])
    return found


def _requirements(package: str) -> list[str]:
    try:
        return requires(package) or []
    except PackageNotFoundError:
        return []


def _read(line: str) -> tuple[str, list[str], str]:
    """Package, its extras and the extra that asks for it: `a[b,c]>=1; extra == "d"`."""
    found = re.match(r"([A-Za-z0-9._-]+)\s*(?:\[([^]]*)\])?", line)
    assert found is not None
    asking = re.search(r"extra == ['\"]([^'\"]+)", line)
    extras = [part.strip() for part in (found.group(2) or "").split(",") if part.strip()]
    return found.group(1), extras, asking.group(1) if asking else ""


def _package(name: str) -> Finding:
    found = _version(name)
    if found is None:
        return Finding(name, "broken", f"not installed; run: pip install {name}")
    return Finding(name, "ok", found)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _torch() -> list[Finding]:
    began = time.monotonic()
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_TORCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        return [Finding("torch import", "broken", f"took more than {_TORCH_SECONDS} seconds")]
    seconds = time.monotonic() - began
    if tried.returncode != 0:
        cause = (tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"])[-1]
        return [Finding("torch import", "broken", cause)]
    said = json.loads(tried.stdout.splitlines()[-1])
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    native = "native, used" if said["bfloat16"] else "not native, float32 is used"
    return [
        Finding("torch import", "ok", f"{seconds:.1f} seconds in a new process"),
        Finding("cores", "ok", f"{cores} usable, torch takes {said['threads']} threads"),
        Finding("bfloat16", "ok", native),
        Finding("devices", "ok", ", ".join(["cpu", *said["devices"]])),
        Finding("language model", "ok" if said["language"][0] else "missing", said["language"][1]),
    ]


def _folder(folder: Path) -> Finding:
    there = _existing(folder)
    if os.access(there, os.W_OK | os.X_OK) and there.is_dir():
        return Finding("folder", "ok", f"{folder} can be written")
    return Finding("folder", "broken", f"{folder} cannot be written; choose another with --out")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free / 1e9
    state = "ok" if free >= _LEAST_GIGABYTES else "broken"
    return Finding("disk", state, f"{free:.1f} GB free, {_LEAST_GIGABYTES:g} GB are needed")


def _extra(name: str, packages: Sequence[str]) -> Finding:
    packages = list(dict.fromkeys(packages))
    absent = [package for package in packages if _version(package) is None]
    if not absent:
        return Finding(f"extra {name}", "ok", ", ".join(packages))
    line = f'pip install "mindseye[{name}]"'
    return Finding(f"extra {name}", "missing", f"{', '.join(absent)}; optional: {line}")
