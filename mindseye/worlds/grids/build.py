"""The names of the small worlds, and how a name becomes a world."""

import difflib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mindseye.core.errors import ConfigError, WorldError
from mindseye.worlds.grids import levels
from mindseye.worlds.grids.button_grid import ButtonGrid
from mindseye.worlds.grids.dodge import Dodge
from mindseye.worlds.grids.grid import Grid
from mindseye.worlds.grids.mazes import OpenGrid, ProcMaze
from mindseye.worlds.grids.pan_flute import PanFlute
from mindseye.worlds.grids.ring import Ring
from mindseye.worlds.rules.rules import Rules
from mindseye.worlds.rules.world import RulesWorld


@dataclass(frozen=True)
class _Family:
    """Worlds that share a name but for their size."""

    stem: str
    example: str
    make: Callable[..., Any]
    size: str = ""
    """The option that the number in the name sets."""
    is_grid: bool = False
    """Then `make` lays out a level, and `Grid` shows it."""


_FAMILIES = (
    _Family("door-key", "door-key-6x6", levels.door_key, "size", is_grid=True),
    _Family("empty", "empty-8x8", levels.empty, "size", is_grid=True),
    _Family("four-rooms", "four-rooms", levels.four_rooms, "size", is_grid=True),
    _Family("memory", "memory-9", levels.memory, "size", is_grid=True),
    _Family("lava-gap", "lava-gap-7", levels.lava_gap, "size", is_grid=True),
    _Family("noisy-tv", "noisy-tv", levels.noisy_tv, "size", is_grid=True),
    _Family("fetch", "fetch-8x8", levels.fetch, "size", is_grid=True),
    _Family("ring", "ring-48", Ring, "num_cells"),
    _Family("pan-flute", "pan-flute-5", PanFlute, "num_pipes"),
    _Family("button-grid", "button-grid-5", ButtonGrid, "size"),
    _Family("proc-maze", "proc-maze-4", ProcMaze, "size"),
    _Family("open-grid", "open-grid-4", OpenGrid, "size"),
    _Family("dodge", "dodge", Dodge),
)


def names() -> list[str]:
    """One name of every family; most take other sizes, too."""
    return [f"grid/{family.example}" for family in _FAMILIES]


def build(
    name: str,
    num_worlds: int,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    **options: Any,
) -> RulesWorld:
    """The small world of that name, many times over.

    Args:
        name: Such as "grid/door-key-6x6"; see `names`. The size may be left out.
        num_worlds: Rows of the batch.
        observation: What the world shows, where it has several faces; None: its first.
        max_steps: Steps until an episode is truncated; None: the world's own limit.
        options: Further options of the world itself, by name.

    Raises:
        WorldError: If there is no such world; suggests similar names.
        ConfigError: If an option does not exist or has an impossible value.
    """
    family, size = _find(name)
    if size is not None:
        if family.size in options:
            raise ConfigError(f"{name}: the name says {family.size} already; leave out one of them")
        options[family.size] = size
    if observation is not None:
        options["observation"] = observation
    if family.is_grid:
        options["max_steps"] = max_steps
    return RulesWorld(_rules(name, family, options), num_worlds, max_steps=max_steps)


def _find(name: str) -> tuple[_Family, int | None]:
    match = re.fullmatch(r"grid/([a-z-]*[a-z])(?:-(\d+)(?:x(\d+))?)?", name)
    stem, width, height = match.groups() if match else (None, None, None)
    for family in _FAMILIES:
        fits = family.stem == stem and (width is None or family.size)
        if fits and height in (None, width):
            return family, None if width is None else int(width)
    near = difflib.get_close_matches(name, names(), n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names())}"
    raise WorldError(f"worlds: no world {name!r}; {hint}")


def _rules(name: str, family: _Family, options: dict[str, Any]) -> Rules:
    own = list(inspect.signature(family.make).parameters)
    faces = list(inspect.signature(Grid).parameters)[1:] if family.is_grid else []
    unknown = [option for option in options if option not in own + faces]
    if unknown:
        raise ConfigError(
            f"{name}: no option {', '.join(map(repr, unknown))}; "
            f"there {'is' if len(own + faces) == 1 else 'are'} {', '.join(own + faces)}"
        )
    made = family.make(**{key: value for key, value in options.items() if key in own})
    if not family.is_grid:
        return made
    return Grid(made, **{key: value for key, value in options.items() if key in faces})
