"""MiniGrid and BabyAI environments in the three faces of our own grid worlds.

Importing minigrid registers its names with Gymnasium. Some of its levels print while they search
for a layout; that is kept off standard output.
"""

import contextlib
import io
from types import MethodType
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.worlds.minigrid_view import FastPicture, FastView

_KINDS, _COLOURS, _STATES = 11, 6, 3
_PIXELS = 64


def register_names() -> None:
    """Make MiniGrid's and BabyAI's ids known to Gymnasium.

    Raises:
        MissingExtra: If minigrid is not installed.
    """
    try:
        import minigrid  # noqa: F401
    except ImportError as error:
        raise MissingExtra("minigrid", "grid") from error


class MiniGrid(gymnasium.Wrapper):
    """One MiniGrid environment seen as symbols, pixels or text.

    - `symbols`: `{"view": (7, 7, 3) uint8 of kind, colour and state, "direction": 0 to 3}`
    - `pixels`: the whole grid, uint8 (64, 64, 3)
    - `text`: the mission and what is in view, in words

    Args:
        env: A MiniGridEnv, unwrapped or not.
        observation: One of the three faces.

    Raises:
        ConfigError: If there is no such face.
    """

    def __init__(self, env: gymnasium.Env, observation: str = "symbols"):
        super().__init__(env)
        grid: Any = env.unwrapped
        if observation == "symbols":
            self.observation_space = _symbols_space(grid.agent_view_size)
            self._show = _symbols
        elif observation == "pixels":
            self.observation_space = spaces.Box(0, 255, (_PIXELS, _PIXELS, 3), np.uint8)
            self._picture = FastPicture(grid, _PIXELS)
            self._show = self._pixels
        elif observation == "text":
            self.observation_space = Words()
            self._show = self._text
        else:
            raise ConfigError(
                f"MiniGrid: no observation {observation!r}; choose symbols, pixels or text"
            )
        _hasten(grid, is_seen=observation != "pixels")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """New level; whatever MiniGrid prints on the way is dropped."""
        with contextlib.redirect_stdout(io.StringIO()):
            seen, info = self.env.reset(seed=seed, options=options)
        return self._show(seen), info

    def step(self, action: Any) -> tuple[Tree, float, bool, bool, dict[str, Any]]:
        """One of left, right, forward, pickup, drop, toggle, done."""
        seen, reward, terminated, truncated, info = self.env.step(action)
        return self._show(seen), float(reward), terminated, truncated, info

    def _pixels(self, seen: dict) -> np.ndarray:
        return self._picture.draw(self.env.unwrapped)

    def _text(self, seen: dict) -> str:
        grid: Any = self.env.unwrapped
        return _sentences(seen, grid.carrying)


def _hasten(grid: Any, *, is_seen: bool) -> None:
    """Replace MiniGrid's slow observation by an equal one, or by none where it is not shown."""
    from minigrid.minigrid_env import MiniGridEnv

    own = type(grid)
    if own.gen_obs is not MiniGridEnv.gen_obs or own.gen_obs_grid is not MiniGridEnv.gen_obs_grid:
        return
    # Bound methods, and not closures, so that copies of the environment observe themselves.
    if is_seen:
        grid.fast_view = FastView(grid)
        grid.gen_obs = MethodType(_observe, grid)
    else:
        grid.gen_obs = MethodType(_observe_nothing, grid)


def _observe(grid: Any) -> dict[str, Any]:
    return grid.fast_view.observe(grid)


def _observe_nothing(grid: Any) -> dict[str, Any]:
    return {"image": None, "direction": grid.agent_dir, "mission": grid.mission}


def _symbols_space(size: int) -> spaces.Dict:
    ranges = np.broadcast_to([_KINDS, _COLOURS, _STATES], (size, size, 3))
    view = spaces.MultiDiscrete(ranges, dtype=np.uint8)
    return spaces.Dict({"view": view, "direction": spaces.Discrete(4)}, sort_keys=False)


def _symbols(seen: dict) -> dict:
    return {"view": seen["image"], "direction": seen["direction"]}


def _sentences(seen: dict, carried: Any) -> str:
    from minigrid.core.constants import IDX_TO_COLOR, IDX_TO_OBJECT, OBJECT_TO_IDX, STATE_TO_IDX

    states = {index: name for name, index in STATE_TO_IDX.items()}
    image = seen["image"]
    size = image.shape[0]
    things = []
    # Kinds up to floor are the background.
    for across, down in np.argwhere(image[:, :, 0] > OBJECT_TO_IDX["floor"]).tolist():
        kind, colour, state = image[across, down].tolist()
        ahead, right = size - 1 - down, across - size // 2
        if ahead or right:
            name = IDX_TO_OBJECT[kind]
            adjective = f"{states[state]} " if name == "door" else ""
            things.append(f"a {adjective}{IDX_TO_COLOR[colour]} {name} {_place(ahead, right)}")
    parts = [f"{seen['mission']}.", f"You see {', '.join(things) or 'nothing'}."]
    if carried is not None:
        parts.append(f"You carry a {carried.color} {carried.type}.")
    if image[size // 2, size - 2, 0] == OBJECT_TO_IDX["wall"]:
        parts.append("A wall is ahead.")
    return " ".join(parts)


def _place(ahead: int, right: int) -> str:
    parts = [f"{ahead} ahead"] if ahead else []
    if right:
        parts.append(f"{abs(right)} to the {'right' if right > 0 else 'left'}")
    return " and ".join(parts)
