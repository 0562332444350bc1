"""Where runs live, and opening them with a cause when it cannot be done."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mindseye.core.errors import ConfigError
from mindseye.core.precision import choose_threads
from mindseye.core.run import Progress, Run


def slug(name: str) -> str:
    """A name as a folder's name: lower case, everything else a dash."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "unnamed"


def open_run(
    folder: Path,
    *,
    name: str,
    config: Mapping[str, Any],
    seed: int,
    device: str,
    progress: Progress | None,
) -> Run:
    """Start a run or go on with it, on as many threads as suit the machine.

    Raises:
        ConfigError: If the folder holds another run or cannot be written, or there is no such
            device.
    """
    check_device(device)
    if seed < 0:
        raise ConfigError(f"--seed: expected 0 or more, got {seed}")
    if "OMP_NUM_THREADS" not in os.environ:
        choose_threads()
    try:
        return Run(folder, name=name, config=config, seed=seed, device=device, progress=progress)
    except OSError as error:
        cause = error.strerror or error
        raise ConfigError(f"{folder}: cannot be written ({cause}); choose another --out") from error


def check_device(device: str) -> None:
    """Refuse a device that torch does not know or this machine does not have.

    Raises:
        ConfigError: Then.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        cause = str(error).splitlines()[0]
        raise ConfigError(f"--device {device}: {cause}; see mindseye doctor") from error
