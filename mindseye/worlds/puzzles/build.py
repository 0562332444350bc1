"""The names of the puzzles, and how a name becomes a world."""

from typing import Any

from mindseye.core.errors import WorldError
from mindseye.worlds.puzzles.frozen_lake import FrozenLake
from mindseye.worlds.puzzles.minesweeper import Minesweeper
from mindseye.worlds.puzzles.sokoban import Sokoban
from mindseye.worlds.rules import RulesWorld

_RULES: dict[str, Any] = {
    "frozen-lake": FrozenLake,
    "sokoban": Sokoban,
    "minesweeper": Minesweeper,
}


def names() -> list[str]:
    """All puzzles."""
    return [f"puzzles/{kind}" for kind in _RULES]


def build(
    name: str,
    num_worlds: int,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    **options: Any,
) -> RulesWorld:
    """The puzzle of that name, many times over.

    Args:
        name: See `names`.
        num_worlds: Rows of the batch.
        observation: "text" (the default), "symbols" or "pixels".
        max_steps: Steps until an episode is truncated; None: the puzzle's own limit.
        **options: `alphabet` (a seed of abstract letters and invented commands); of
            `puzzles/frozen-lake`: `size`, `slip`; of `puzzles/sokoban`: `size`, `longest`; of
            `puzzles/minesweeper`: `size`, `mines`.

    Raises:
        WorldError: If there is no such puzzle.
        ConfigError: If an option has an impossible value.
    """
    kind = _RULES.get(name.removeprefix("puzzles/"))
    if kind is None:
        raise WorldError(f"worlds: no world {name!r}; there are {', '.join(names())}")
    rules = kind(observation=observation or "text", **options)
    return RulesWorld(rules, num_worlds, max_steps=max_steps)
