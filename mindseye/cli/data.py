"""`mindseye data`: experience in and out, and a look at it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mindseye.cli.options import parse
from mindseye.core.errors import ConfigError, DataError
from mindseye.experience import contact_sheet, describe, load
from mindseye.experience.inspect import describe_text
from mindseye.experience.minari import export_minari

Source = Annotated[str, tyro.conf.Positional]


@dataclass(frozen=True)
class ImportOptions:
    """Copy experience into a folder of ours."""

    source: Source
    """An npz or HDF5 file, a folder of them, a Minari folder or dataset id."""
    out: Path
    """New folder for the episodes."""


@dataclass(frozen=True)
class ExportOptions:
    """Copy a folder of episodes into a new local Minari dataset."""

    source: Source
    """Folder of episodes, or anything data import reads."""
    dataset: Annotated[str, tyro.conf.Positional]
    """Id like namespace/name-v0."""


@dataclass(frozen=True)
class InspectOptions:
    """Say in numbers what is in a store, and what looks wrong with it."""

    source: Source
    """Folder of episodes, or anything data import reads."""
    as_json: bool = False
    """Write JSON."""


@dataclass(frozen=True)
class PreviewOptions:
    """Draw a few episodes into a picture."""

    source: Source
    """Folder of episodes, or anything data import reads."""
    out: Path = Path("preview.png")
    """PNG to write."""
    episodes: int = 4
    """How many, from the first on."""


def main(arguments: Sequence[str]) -> int:
    """One of import, export, inspect, preview."""
    if not arguments or arguments[0] not in _ACTIONS:
        asked = arguments[0] if arguments else "--help"
        if asked not in ("-h", "--help"):
            raise ConfigError(f"data: no action {asked!r}; say one of {', '.join(_ACTIONS)}")
        print("usage: mindseye data {import,export,inspect,preview} ...\n")
        print("\n".join(f"  mindseye {example}" for example in _EXAMPLES))
        return 0
    return _ACTIONS[arguments[0]](arguments[1:])


_EXAMPLES = (
    "data import recorded.npz --out episodes",
    "data export episodes mine/cartpole-v0",
    "data inspect episodes",
    "data preview episodes --out preview.png",
)


def _import(arguments: Sequence[str]) -> int:
    options = parse("data import", ImportOptions, arguments, _EXAMPLES[:1])
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise ConfigError(f"{options.out}: exists already; choose a new --out")
    replay = load(options.source, into=options.out)
    if replay.folder != options.out:
        raise ConfigError(f"{options.source}: is a folder of ours already; nothing to import")
    print(f"{len(replay)} steps in {replay.num_episodes} episodes: {options.out}")
    return 0


def _export(arguments: Sequence[str]) -> int:
    options = parse("data export", ExportOptions, arguments, _EXAMPLES[1:2])
    replay = load(options.source)
    export_minari(replay, options.dataset)
    print(f"{len(replay)} steps: Minari dataset {options.dataset}")
    return 0


def _inspect(arguments: Sequence[str]) -> int:
    options = parse("data inspect", InspectOptions, arguments, _EXAMPLES[2:3])
    found = describe(load(options.source))
    print(json.dumps(found, indent=1) if options.as_json else describe_text(found))
    return 0


def _preview(arguments: Sequence[str]) -> int:
    options = parse("data preview", PreviewOptions, arguments, _EXAMPLES[3:])
    if options.episodes < 1:
        raise ConfigError(f"--episodes: expected at least 1, got {options.episodes}")
    replay = load(options.source)
    healthy = [n for n in range(replay.num_episodes) if n not in replay.damaged]
    if not healthy:
        raise DataError(f"{options.source}: holds no episode to draw")
    try:
        contact_sheet([replay.episode(n) for n in healthy[: options.episodes]], options.out)
    except OSError as error:
        raise ConfigError(f"{options.out}: cannot be written ({error.strerror})") from error
    print(options.out)
    return 0


_ACTIONS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "import": _import,
    "export": _export,
    "inspect": _inspect,
    "preview": _preview,
}
