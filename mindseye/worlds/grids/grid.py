"""MiniGrid-style worlds: one state, shown as symbols, as pixels or as sentences."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.worlds.grids import sentences
from mindseye.worlds.grids.dynamics import GridState, Level, transition
from mindseye.worlds.grids.levels import POOL_SIZE, pool
from mindseye.worlds.grids.objects import IS_LAVA, NUM_ACTIONS, TRIPLES, TYPES
from mindseye.worlds.grids.pixels import Canvas
from mindseye.worlds.grids.view import SIDE, look
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules, take_rows

_NUM_TYPES, _NUM_COLOURS = len(TYPES), 6


class Grid(Rules):
    """Rooms, doors, keys, lava, missions. Actions and rewards are MiniGrid's.

    Observations:
        symbols: {"view": uint8 (7, 7, 3) of MiniGrid's (type, colour, state), "direction": 0..3};
            with `full`, the whole grid (width, height, 3), the agent in it as type 10.
        pixels: uint8 (frame, frame, 3), always the whole grid.
        text: a sentence or two about the view.
    Levels with a mission of their own per episode add "mission": (type, colour) of the object to
    fetch, or the request in words; other faces than symbols then turn into dicts, too, with their
    part under "pixels" or "text".

        world = RulesWorld(Grid(door_key(6), observation="pixels"), num_worlds=64)

    Source: the laws of MiniGrid 3 (Chevalier-Boisvert et al. 2023, arXiv 2306.13831); the tests
    step both side by side.
    """

    def __init__(
        self,
        level: Level,
        *,
        observation: Literal["symbols", "pixels", "text"] = "symbols",
        full: bool = False,
        max_steps: int | None = None,
        frame: int = 64,
    ):
        """`max_steps` replaces the level's own limit, which also says how fast rewards fade."""
        if full and observation == "text":
            raise ConfigError("grid: sentences speak of the agent's view; leave out full")
        if max_steps is not None:
            level = replace(level, max_steps=max_steps)
        self.level, self.max_steps = level, level.max_steps
        self.action_space = Discrete(NUM_ACTIONS)
        self.observation_space, self._face = self._shown(observation, full, frame)
        self._album = Canvas(level.width, level.height, 16 * max(level.width, level.height))

    def start(self, draws: Draws) -> GridState:
        """A start from the level's pool for every row."""
        return take_rows(pool(self.level.generate), draws.integers(POOL_SIZE, 1)[:, 0])

    def transition(
        self, state: GridState, action: np.ndarray, draws: Draws
    ) -> tuple[GridState, np.ndarray, np.ndarray]:
        """See `dynamics.transition`."""
        return transition(self.level, state, action, draws)

    def observe(self, state: GridState) -> Tree:
        """As the chosen face shows it."""
        return self._face(state)

    def measure(self, state: GridState) -> dict[str, np.ndarray]:
        """`cost`, float32: 1 for each step that ends in lava, where the level has any."""
        if not self.level.has_lava:
            return {}
        below = state.cells[np.arange(len(state.position)), state.position]
        return {"cost": IS_LAVA.take(below).astype(np.float32)}

    def picture(self, state: GridState) -> np.ndarray:
        """The whole grid, 16 pixels per cell."""
        return self._album.paint(state)

    def _shown(
        self, observation: str, full: bool, frame: int
    ) -> tuple[Space, Callable[[GridState], Tree]]:
        if observation == "symbols":
            return (self._full_space(), self._full) if full else (self._view_space(), self._view)
        if observation == "pixels":
            self._canvas = Canvas(self.level.width, self.level.height, frame)
            space = Box(0, 255, (frame, frame, 3), np.uint8)
            return self._with_mission_space("pixels", space, _WANTED), self._pixels
        if observation == "text":
            return self._with_mission_space("text", Words(), Words()), self._text
        raise ConfigError(
            f"grid: no observation {observation!r}; choose 'symbols', 'pixels' or 'text'"
        )

    def _with_mission_space(self, name: str, space: Space, mission: Space) -> Space:
        if not self.level.wants_object:
            return space
        return Dict({name: space, "mission": mission}, sort_keys=False)

    def _view_space(self) -> Dict:
        triples = np.broadcast_to([_NUM_TYPES, _NUM_COLOURS, 3], (SIDE, SIDE, 3))
        spaces: dict[str, Space] = {
            "view": MultiDiscrete(triples, dtype=np.uint8),
            "direction": Discrete(4),
        }
        return Dict(
            spaces | ({"mission": _WANTED} if self.level.wants_object else {}), sort_keys=False
        )

    def _full_space(self) -> Dict:
        size = (self.level.width, self.level.height, 3)
        # The agent's state is its direction, which has one value more than a door's.
        triples = np.broadcast_to([_NUM_TYPES, _NUM_COLOURS, 4], size)
        spaces: dict[str, Space] = {
            "view": MultiDiscrete(triples, dtype=np.uint8),
            "direction": Discrete(4),
        }
        return Dict(
            spaces | ({"mission": _WANTED} if self.level.wants_object else {}), sort_keys=False
        )

    def _view(self, state: GridState) -> Tree:
        view = TRIPLES.take(look(state, self.level.width, self.level.height), axis=0)
        return self._symbols(view, state)

    def _full(self, state: GridState) -> Tree:
        triples = TRIPLES.take(state.cells[:, :-1], axis=0)
        rows = np.arange(len(triples))
        triples[rows, state.position] = [TYPES.index("agent"), 0, 0]
        triples[rows, state.position, 2] = state.direction
        view = triples.reshape(len(rows), self.level.height, self.level.width, 3)
        return self._symbols(np.ascontiguousarray(view.swapaxes(1, 2)), state)

    def _symbols(self, view: np.ndarray, state: GridState) -> Tree:
        parts = {"view": view, "direction": state.direction.copy()}
        return parts | ({"mission": _wanted(state)} if self.level.wants_object else {})

    def _pixels(self, state: GridState) -> Tree:
        frames = self._canvas.paint(state)
        if not self.level.wants_object:
            return frames
        return {"pixels": frames, "mission": _wanted(state)}

    def _text(self, state: GridState) -> Tree:
        texts = sentences.describe(
            look(state, self.level.width, self.level.height), state.direction
        )
        if not self.level.wants_object:
            return texts
        requests = zip(state.target.tolist(), state.phrase.tolist(), strict=True)
        return {"text": texts, "mission": [sentences.mission(*request) for request in requests]}


_WANTED = MultiDiscrete([_NUM_TYPES, _NUM_COLOURS])


def _wanted(state: GridState) -> np.ndarray:
    return TRIPLES[state.target, :2].astype(np.int64)
