"""The names of the tabletop worlds, and how a name becomes a world."""

import inspect
from typing import Any, Literal

from mindseye.core.errors import ConfigError, WorldError
from mindseye.worlds.rules.world import RulesWorld
from mindseye.worlds.tabletop.maze import Maze
from mindseye.worlds.tabletop.push import Push
from mindseye.worlds.tabletop.table import NATURES
from mindseye.worlds.tabletop.tabletop import Tabletop
from mindseye.worlds.tabletop.wall import Wall

_TABLES = {"push": Push, "wall": Wall, "maze": Maze}


def names() -> list[str]:
    """All tabletop worlds."""
    return [f"tabletop/{name}" for name in _TABLES]


def build(
    name: str,
    num_worlds: int,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    size: int = 64,
    repeat: int = 1,
    variant: Literal["sim", "real"] = "sim",
    **options: Any,
) -> RulesWorld:
    """The tabletop world of that name, many times over.

    Args:
        name: See `names`.
        num_worlds: Rows of the batch.
        observation: "state" (the default), "pixels", "views" or "text".
        max_steps: Steps until an episode is truncated; None: the table's own limit.
        size: Pixels per side of pictures.
        repeat: Steps of the table, under the same command, that make one step of the world.
        variant: "sim", or "real": other friction, mass and motors, other light, noisy cameras.
        options: Of the table itself, by name.

    Raises:
        WorldError: If there is no such world.
        ConfigError: If an option does not exist or has an impossible value.
    """
    table = _TABLES.get(name.removeprefix("tabletop/"))
    if table is None:
        raise WorldError(f"worlds: no world {name!r}; there are {', '.join(names())}")
    if variant not in NATURES:
        raise ConfigError(f"{name}: no variant {variant!r}; choose {' or '.join(NATURES)}")
    own = [option for option in inspect.signature(table).parameters if option != "nature"]
    if unknown := [option for option in options if option not in own]:
        raise ConfigError(
            f"{name}: no option {', '.join(map(repr, unknown))}; there are size, repeat,"
            f" variant, {', '.join(own)}"
        )
    nature = NATURES[variant]
    face: Any = observation or "state"
    made = table(nature=nature, **options)
    rules = Tabletop(made, nature, observation=face, size=size, repeat=repeat)
    return RulesWorld(rules, num_worlds, max_steps=max_steps)
