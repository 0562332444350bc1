"""The names of the text worlds, and how a name becomes a world."""

from collections.abc import Sequence
from typing import Any

from mindseye.core.errors import ConfigError, WorldError
from mindseye.worlds.minicraft.invention import invented
from mindseye.worlds.rules import RulesWorld
from mindseye.worlds.text.catalogue import catalogue
from mindseye.worlds.text.household import Household
from mindseye.worlds.text.shop import Shop
from mindseye.worlds.text.workshop import Workshop


def names() -> list[str]:
    """All text worlds."""
    return [f"text/{kind}" for kind in _RULES]


def build(
    name: str,
    num_worlds: int,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    **options: Any,
) -> RulesWorld:
    """The text world of that name, many times over.

    Args:
        name: See `names`.
        num_worlds: Rows of the batch.
        observation: "text" (the default) or "symbols".
        max_steps: Steps until an episode is truncated; None: the world's own limit.
        **options: Of `text/shop`: `catalogue` (a seed), `num_products`, `difficulty`. Of
            `text/workshop`: `invention` (a seed of its laws), `gathers`, `builds`, `crafts` (their
            numbers) and `goals` (things that may be asked for).

    Raises:
        WorldError: If there is no such world.
        ConfigError: If an option has an impossible value.
    """
    kind = _RULES.get(name.removeprefix("text/"))
    if kind is None:
        raise WorldError(f"worlds: no world {name!r}; there are {', '.join(names())}")
    rules = kind(observation=observation or "text", **options)
    return RulesWorld(rules, num_worlds, max_steps=max_steps)


def _shop(*, observation: Any, catalogue: int = 0, num_products: int = 200, difficulty: int = 3):
    goods = _catalogue(catalogue, num_products)
    return Shop(goods, difficulty=difficulty, observation=observation)


def _workshop(
    *, observation: str, invention: int = 0, goals: Sequence[str] | None = None, **sizes: int
):
    if observation != "text":
        raise ConfigError(f"text/workshop: no observation {observation!r}; it has only text")
    return Workshop(invented(invention, **sizes), goals=goals)


_catalogue = catalogue
_RULES: dict[str, Any] = {"household": Household, "shop": _shop, "workshop": _workshop}
