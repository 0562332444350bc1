"""Crafter (Hafner 2021, arXiv 2109.06780) as a Gymnasium environment; extra `crafter`."""

from collections import defaultdict
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from mindseye.core.errors import ConfigError, MissingExtra


class Crafter(gymnasium.Env):
    """Survive and craft in an open land seen as 64 x 64 pictures; 17 actions.

    `info["achievements"]` counts each of the 22. Rewards and the limit of 10,000 steps are its own.

    Args:
        observation: "pixels", the only face.
        max_steps: Steps until an episode is truncated.

    Raises:
        MissingExtra: If the package is not installed.
        ConfigError: If another face is asked for.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    render_mode = "rgb_array"

    def __init__(self, *, observation: str = "pixels", max_steps: int = 10_000):
        try:
            import crafter
        except ModuleNotFoundError as error:
            raise MissingExtra("crafter", "crafter") from error
        if observation != "pixels":
            raise ConfigError(f"crafter: no observation {observation!r}; choose pixels")
        self._make = lambda seed: _in_order(crafter.Env(length=max_steps, seed=seed))
        self._game = self._make(None)
        self.observation_space = Box(0, 255, (64, 64, 3), np.uint8)
        self.action_space = Discrete(17)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """A new land; the same seed gives the same one."""
        super().reset(seed=seed)
        if seed is not None:
            self._game = self._make(seed)
        return self._game.reset(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Death terminates, the limit truncates."""
        seen, reward, ended, info = self._game.step(int(action))
        is_dead = info["discount"] == 0
        told = {"achievements": dict(info["achievements"])}
        return seen, float(reward), bool(ended and is_dead), bool(ended and not is_dead), told

    def render(self) -> np.ndarray:
        """The land as the player sees it, 256 x 256."""
        return self._game.render((256, 256))


class _OrderedSet(dict):
    """A set that is walked through in the order in which things came."""

    def add(self, item: Any) -> None:
        self[item] = None

    def remove(self, item: Any) -> None:
        del self[item]


def _in_order(game: Any) -> Any:
    """The game keeps creatures in sets, whose order depends on memory: equal seeds would differ."""
    world = game._world
    reset = world.reset

    def ordered(seed: int | None = None) -> None:
        reset(seed)
        world._chunks = defaultdict(_OrderedSet)

    world.reset = ordered
    return game
