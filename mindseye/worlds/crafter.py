"""Crafter (Hafner 2021, arXiv 2109.06780) as a Gymnasium environment; extra `crafter`."""

from collections import defaultdict
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from mindseye.core.errors import ConfigError, MissingExtra
from mindseye.core.spaces import Words, with_commands
from mindseye.worlds.minicraft.sentences import hands, surroundings

_WIDE, _HIGH = 9, 7
"""Cells in view, as in the pictures."""
_VITALS = ("health", "food", "drink", "energy")
_DARK = 0.5
"""Less daylight than this is drawn with noise over it."""
_WAYS = {(-1, 0): "left", (1, 0): "right", (0, -1): "up", (0, 1): "down"}
_EDGE, _RIPE = "the edge of the world", "ripe plant"


class Crafter(gymnasium.Env):
    """Survive and craft in an open land; seen as 64 x 64 pictures, 17 actions, or told in words.

    The text says what pictures show: what is in view (9 x 7 cells, the nearest of each kind), what
    one stands on and faces, what is held, how one feels, and what was achieved. Actions are then
    words, too: "stay", "left", "do", "place table", "make wood pickaxe". Laws are the same in both
    faces, but at night luck is another, because drawing the dark takes random numbers.
    `info["achievements"]` counts each of the 22. Rewards and the limit of 10,000 steps are its own.

    Args:
        observation: "pixels" or "text".
        max_steps: Steps until an episode is truncated.

    Raises:
        MissingExtra: If the package is not installed.
        ConfigError: If another face is asked for.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    render_mode = "rgb_array"

    def __init__(self, *, observation: str = "pixels", max_steps: int = 10_000):
        library = _package()
        if observation not in ("pixels", "text"):
            raise ConfigError(f"crafter: no observation {observation!r}; choose pixels or text")
        self._is_text = observation == "text"
        self._make = lambda seed: library.Env(length=max_steps, seed=seed)
        self._game = self._made(None)
        self.observation_space = Words() if self._is_text else Box(0, 255, (64, 64, 3), np.uint8)
        self.action_space = Words() if self._is_text else Discrete(17)
        self._commands = [_in_words(name) for name in self._game.action_names]

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """A new land; the same seed gives the same one."""
        super().reset(seed=seed)
        if seed is not None:
            self._game = self._made(seed)
        seen = self._game.reset()
        _put_in_order(self._game)
        return (self._text() if self._is_text else seen), {}

    def step(self, action: int | str) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Death terminates, the limit truncates. A command that is not listed is waited out."""
        is_known = not self._is_text or action in self._commands
        number = self._commands.index(str(action)) if self._is_text and is_known else action
        seen, reward, ended, info = self._game.step(int(number) if is_known else 0)
        is_dead = info["discount"] == 0
        told = {"achievements": dict(info["achievements"])}
        if self._is_text:
            seen = self._text() if is_known else f"Nothing happens. {self._text()}"
        return seen, float(reward), bool(ended and is_dead), bool(ended and not is_dead), told

    def render(self) -> np.ndarray:
        """The land as the player sees it, 256 x 256."""
        return self._game.render((256, 256))

    def _made(self, seed: int | None) -> Any:
        game = self._make(seed)
        if self._is_text:
            game._obs = _not_drawn
        return game

    def _text(self) -> str:
        game, player = self._game, self._game._player
        names = [name or _EDGE for name in game._world._mat_names.values()]
        names += [kind.__name__.lower() for kind in game._sem_view._obj_ids] + [_RIPE]
        grass, you = names.index("grass"), names.index("player")
        names[0], names[grass] = names[grass], names[0]
        swapped = np.arange(len(names), dtype=np.uint8)
        swapped[[0, grass]] = grass, 0
        told = [surroundings(swapped[_view(game, names.index(_RIPE))], names, you)]
        below = game._world[player.pos][0]
        if below != "grass":
            told.append(f"You stand on {below}.")
        right, down = (int(step) for step in player.facing)
        material, thing = game._world[player.pos + np.array([right, down])]
        ahead = _named(thing) if thing else material or _EDGE
        told.append(f"You face {_WAYS[right, down]}, {ahead}.")
        inventory = player.inventory
        items = [name for name in inventory if name not in _VITALS]
        counts = np.array([inventory[name] for name in items])
        told.append(hands(counts, [name.replace("_", " ") for name in items]))
        feels = ", ".join(f"{name} {inventory[name]}" for name in _VITALS)
        told.append(f"{feels.capitalize()}.")
        if player.sleeping:
            told.append("You are asleep.")
        if game._world.daylight < _DARK:
            told.append("It is dark.")
        achieved = [name for name, count in player.achievements.items() if count]
        if achieved:
            told.append(f"Achieved: {', '.join(name.replace('_', ' ') for name in achieved)}.")
        return with_commands(" ".join(told), self._commands)


def tables() -> dict[str, Any]:
    """What the package says is collected with which tool, and placed and made from what.

    Raises:
        MissingExtra: If it is not installed.
    """
    told = _package().constants
    return {"collect": told.collect, "place": told.place, "make": told.make}


def _package() -> Any:
    try:
        import crafter
    except ModuleNotFoundError as error:
        raise MissingExtra("crafter", "crafter") from error
    return crafter


def _in_words(name: str) -> str:
    return "stay" if name == "noop" else name.removeprefix("move_").replace("_", " ")


def _named(thing: Any) -> str:
    kind = type(thing).__name__.lower()
    return _RIPE if kind == "plant" and thing.ripe else kind


def _view(game: Any, ripe: int) -> np.ndarray:
    """Codes of the cells around the player, 0 outside the land: (height, width)."""
    cells = game._sem_view()
    for thing in game._world.objects:
        if _named(thing) == _RIPE:
            cells[tuple(thing.pos)] = ripe
    x, y = (int(place) for place in game._player.pos)
    across, down = _WIDE // 2, _HIGH // 2
    padded = np.pad(cells, ((across, across), (down, down)))
    return padded[x : x + _WIDE, y : y + _HIGH].T


def _not_drawn() -> None:
    """Instead of a picture, where nobody looks: drawing is most of the time of a step."""


class _OrderedSet(dict):
    """A set that is walked through in the order in which things came."""

    def add(self, item: Any) -> None:
        self[item] = None

    def remove(self, item: Any) -> None:
        del self[item]


def _put_in_order(game: Any) -> None:
    """The game keeps creatures in sets, whose order depends on memory: equal seeds would differ."""
    world = game._world
    chunks: defaultdict[tuple, _OrderedSet] = defaultdict(_OrderedSet)
    for thing in world.objects:
        chunks[world.chunk_key(thing.pos)].add(thing)
    world._chunks = chunks
