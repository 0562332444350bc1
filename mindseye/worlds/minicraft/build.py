"""The names of the minicraft worlds, and how a name becomes a world."""

from typing import Any

from mindseye.core.errors import ConfigError, WorldError
from mindseye.worlds.minicraft.invention import invented
from mindseye.worlds.minicraft.minicraft import Minicraft
from mindseye.worlds.minicraft.technology import BASIC, FULL, renamed
from mindseye.worlds.rules import RulesWorld

_YARD = {"technology": BASIC, "size": 5, "view": 0, "is_wild": False, "has_needs": False}
_WORKSHOP = {"technology": FULL, "size": 16, "view": 9, "is_wild": True, "has_needs": False}
_WILD = {"technology": FULL, "size": 32, "view": 9, "is_wild": True, "has_needs": True}
_COUNTRY = {"size": 9, "view": 0, "is_wild": False, "has_needs": False, "max_steps": 150}
_KINDS: dict[str, dict[str, Any]] = {
    "plot": {**_YARD, "size": 4, "max_steps": 20},
    "yard": {**_YARD, "max_steps": 60},
    "workshop": {**_WORKSHOP, "max_steps": 500},
    "wild": {**_WILD, "max_steps": 1_000},
    "country": {"technology": None, **_COUNTRY},
}


def names() -> list[str]:
    """All minicraft worlds."""
    return [f"minicraft/{kind}" for kind in _KINDS]


def build(
    name: str,
    num_worlds: int,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    size: int | None = None,
    cell: int = 4,
    renaming: int | None = None,
    invention: int | None = None,
) -> RulesWorld:
    """The minicraft world of that name, many times over.

    Args:
        name: See `names`: a plot or a larger yard with five achievements, a workshop with all of
            them, the wild with hunger and zombies, a country of invented technology.
        num_worlds: Rows of the batch.
        observation: "pixels" (the default), "symbols" or "text".
        max_steps: Steps until an episode is truncated; None: the world's own limit.
        size: Cells per side; None: the world's own.
        cell: Pixels per cell of observations.
        renaming: A seed: the same laws under invented names, with other colours and costs.
        invention: A seed, of countries only: the technology, drawn anew; 0 unless given.

    Raises:
        WorldError: If there is no such world.
        ConfigError: If an option has an impossible value.
    """
    kind = _KINDS.get(name.removeprefix("minicraft/"))
    if kind is None:
        raise WorldError(f"worlds: no world {name!r}; there are {', '.join(names())}")
    options = dict(kind)
    if size is not None:
        options["size"] = size
    if options["technology"] is None:
        if renaming is not None:
            raise ConfigError(f"{name}: its technology is invented; say invention, not renaming")
        options["technology"] = invented(invention or 0)
    elif invention is not None:
        raise ConfigError(f"{name}: has a technology; only minicraft/country takes invention")
    if renaming is not None:
        options["technology"] = renamed(kind["technology"], renaming)
    face: Any = observation or "pixels"
    rules = Minicraft(observation=face, cell=cell, **options)
    return RulesWorld(rules, num_worlds, max_steps=max_steps)
