"""Worlds of words to practise in: how each is made, who demonstrates it, and why its steps happen.

Worlds of others run one game per row, some of them in processes of their own; so there are few
rows, and they are kept.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from gymnasium.vector import VectorEnv

from mindseye.agents.advised import Advised
from mindseye.agents.housekeeping import ScriptedHousekeeper
from mindseye.agents.shopping import ScriptedShopper
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.models.world.transcript import Explain
from mindseye.worlds import make
from mindseye.worlds.text.reasons import explain, explain_by_task

SHOP = "text/shop"
_OURS: dict[str, tuple[Callable[..., Agent], Explain, int]] = {
    SHOP: (ScriptedShopper, explain, 12),
    "text/household": (ScriptedHousekeeper, explain_by_task, 30),
}
"""Who demonstrates, who explains, and how long an episode is."""
_FOREIGN = ("alfworld/", "scienceworld/", "textworld")
_ROWS, _GAMES, _LONG = 8, 16, 30


class Place:
    """A world of words by name.

        place = Place("alfworld/any", seed=0)
        known = rollout(place.demonstrator(0.3, seed=1), place.worlds(16), origin=..., steps=400)

    Args:
        name: "text/shop", "text/household", "alfworld/TASK", "textworld" or "scienceworld/TASK".
        seed: Of the shop's catalogue, and of the first of TextWorld's 16 games.

    Raises:
        ConfigError: If nobody demonstrates in that world.
        MissingExtra: If its package is not installed; names the extra.
    """

    def __init__(self, name: str, *, seed: int):
        if name not in _OURS and not name.startswith(_FOREIGN):
            raise ConfigError(
                f"places: nobody demonstrates in {name!r}; choose {', '.join(_OURS)},"
                " alfworld/TASK, textworld or scienceworld/TASK"
            )
        self.name = name
        self._kept: VectorEnv | None = None
        self._demonstrator, self.explain, self.horizon = _OURS.get(
            name, (None, explain_by_task, _LONG)
        )
        # the shop's own limit is its horizon
        options: dict[str, Any] = (
            {"catalogue": seed} if name == SHOP else {"max_steps": self.horizon}
        )
        if name.startswith("scienceworld/"):
            options |= {"pays": "end", "brief": True}
        if name == "textworld":
            options |= {"games": _GAMES, "first": 1 + _GAMES * seed}
        self._made = partial(make, name, **options)
        if name.startswith(_FOREIGN):
            self._kept = self._made(_ROWS)

    def worlds(self, rows: int) -> VectorEnv:
        """A world of that many rows, or the one that is kept where rows are dear."""
        return self._kept or self._made(rows)

    def demonstrator(self, noise: float, seed: int) -> Agent:
        """Who solves its tasks, as noisily as asked; with noise 1, chance."""
        if self._demonstrator is not None:
            return self._demonstrator(noise=noise, seed=seed)
        return Advised(self.worlds(_ROWS), noise=noise, seed=seed)

    def close(self) -> None:
        """End games that are kept."""
        if self._kept is not None:
            self._kept.close()
