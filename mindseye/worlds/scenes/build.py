"""The names of the scenes, and how a name becomes a world."""

from typing import Any

from mindseye.core.errors import ConfigError, WorldError
from mindseye.worlds.rules import RulesWorld
from mindseye.worlds.scenes.discs import Discs
from mindseye.worlds.scenes.law import LAWS


def names() -> list[str]:
    """All scenes."""
    return [f"scenes/{name}" for name in LAWS]


def build(
    name: str,
    num_worlds: int,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    size: int = 48,
    take: int = 0,
    **options: Any,
) -> RulesWorld:
    """The scene of that name, many times over.

    Args:
        name: See `names`.
        num_worlds: Rows of the batch.
        observation: "pixels" (the default), "state" or "text".
        max_steps: Steps until an episode is truncated; None: 100.
        size: Pixels per side.
        take: Episodes of equal seeds begin alike in all takes and then differ by luck.
        options: There are no others.

    Raises:
        WorldError: If there is no such scene.
        ConfigError: If an option does not exist or has an impossible value.
    """
    law = LAWS.get(name.removeprefix("scenes/"))
    if law is None:
        raise WorldError(f"worlds: no world {name!r}; there are {', '.join(names())}")
    if options:
        raise ConfigError(
            f"{name}: no option {', '.join(map(repr, options))}; there are observation,"
            " max_steps, size, take"
        )
    face: Any = observation or "pixels"
    return RulesWorld(
        Discs(law, observation=face, size=size, take=take), num_worlds, max_steps=max_steps
    )
