"""The names of the text worlds, and how a name becomes a world."""

from typing import Any

from mindseye.core.errors import WorldError
from mindseye.worlds.rules import RulesWorld
from mindseye.worlds.text.catalogue import catalogue
from mindseye.worlds.text.household import Household
from mindseye.worlds.text.shop import Shop


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
        **options: Of `text/shop`: `catalogue` (a seed), `num_products`, `difficulty`.

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


_catalogue = catalogue
_RULES: dict[str, Any] = {"household": Household, "shop": _shop}
