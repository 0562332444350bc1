"""Dodge: stay alive under fire, with eyes that see places but not speeds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids.colours import enlarge
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules

WIDTH, HEIGHT = 12.0, 10.0
"""Of the arena, in cells. The agent keeps to the lowest row of height 1."""
_STRIDE = 0.6
"""Cells an agent moves in a step."""
_REACH = 0.75
"""A fireball this near in x hits, while it is in the agent's row."""
_SLOTS, _SIDE = 16, 32


@dataclass(frozen=True)
class DodgeState:
    """The agent and the fireballs."""

    place: np.ndarray
    """float64 x of the agent, in cells, shape (rows,)."""
    fire: np.ndarray
    """float64 (x, y, dx, dy) in cells and cells per step, shape (rows, slots, 4)."""
    is_lit: np.ndarray
    """bool: slots in use, shape (rows, slots)."""
    steps: np.ndarray
    """int64, shape (rows,)."""


class Dodge(Rules):
    """Fireballs fly from the far wall towards the agent, more and more of them.

    Actions: 0 left, 1 stay, 2 right. Each step survived pays 1; a hit terminates.

    Observations:
        vector: float32 (1 + 3 num_seen,): own x, then (x, y) relative to the agent and 1 for each
            of the nearest fireballs; zeros where there are fewer. Lengths are in units of the
            arena, from -1 to 1. Speeds must be remembered.
        pixels: uint8 (32, 32, 3).

    Source: after ViZDoom's TakeCover scenario (Kempka et al. 2016, arXiv 1605.02097), in two
    dimensions.
    """

    def __init__(
        self,
        *,
        observation: Literal["vector", "pixels"] = "vector",
        first_rate: float = 0.1,
        last_rate: float = 0.45,
        num_seen: int = 6,
    ):
        """Fireballs per step grow from `first_rate` to `last_rate` while an episode lasts."""
        if not 0 <= first_rate <= last_rate <= 1:
            raise ConfigError(f"dodge: expected 0 <= {first_rate} <= {last_rate} <= 1")
        if not 1 <= num_seen <= _SLOTS:
            raise ConfigError(f"dodge: expected num_seen from 1 to {_SLOTS}, got {num_seen}")
        if observation not in ("vector", "pixels"):
            raise ConfigError(f"dodge: no observation {observation!r}; choose 'vector' or 'pixels'")
        self.max_steps: int = 500
        self._rates, self._in_pixels = (first_rate, last_rate), observation == "pixels"
        self.num_seen = num_seen
        self.action_space = Discrete(3)
        self.observation_space: Space = Box(-1, 1, (1 + 3 * num_seen,), np.float32)
        if self._in_pixels:
            self.observation_space = Box(0, 255, (_SIDE, _SIDE, 3), np.uint8)

    def start(self, draws: Draws) -> DodgeState:
        """Somewhere, and no fire yet."""
        count = len(draws.keys)
        place = 0.5 + draws.uniform(1)[:, 0] * (WIDTH - 1)
        fire, is_lit = np.zeros((count, _SLOTS, 4)), np.zeros((count, _SLOTS), bool)
        return DodgeState(place, fire, is_lit, np.zeros(count, np.int64))

    def transition(
        self, state: DodgeState, action: np.ndarray, draws: Draws
    ) -> tuple[DodgeState, np.ndarray, np.ndarray]:
        """Move, fly, launch."""
        place = np.clip(state.place + (action - 1) * _STRIDE, 0.5, WIDTH - 0.5)
        fire = state.fire.copy()
        fire[..., :2] += fire[..., 2:]
        x, y = fire[..., 0], fire[..., 1]
        is_lit = state.is_lit & (y > 0) & (x > 0) & (x < WIDTH)
        touching = is_lit & (y < 1) & (np.abs(x - place[:, None]) < _REACH)
        hit: np.ndarray = np.any(touching, axis=1)
        self._launch(place, fire, is_lit, state.steps, draws)
        after = DodgeState(place, fire, is_lit, state.steps + 1)
        return after, (~hit).astype(np.float32), hit

    def observe(self, state: DodgeState) -> np.ndarray:
        """As the chosen face shows it."""
        return self._pixels(state) if self._in_pixels else self._vector(state)

    def measure(self, state: DodgeState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: DodgeState) -> np.ndarray:
        """The arena from above, 128 pixels wide and high."""
        return enlarge(self._pixels(state), 4)

    def _launch(
        self,
        place: np.ndarray,
        fire: np.ndarray,
        is_lit: np.ndarray,
        steps: np.ndarray,
        draws: Draws,
    ) -> None:
        """Light a free slot in some rows of `fire`, aimed at the agent give or take 2 cells."""
        first, last = self._rates
        luck, column, aim, speed = draws.uniform(4).T
        rate = first + (last - first) * np.minimum(steps / self.max_steps, 1)
        slot = np.argmin(is_lit, axis=1)
        rows = np.flatnonzero((luck < rate) & ~is_lit.all(axis=1))
        x, down = WIDTH * column[rows], 0.4 + 0.4 * speed[rows]
        across = (place[rows] + 4 * aim[rows] - 2 - x) * down / HEIGHT
        fire[rows, slot[rows]] = np.stack([x, np.full_like(x, HEIGHT), across, -down], axis=1)
        is_lit[rows, slot[rows]] = True

    def _vector(self, state: DodgeState) -> np.ndarray:
        count = len(state.place)
        away = (state.fire[..., :2] - np.stack([state.place, np.zeros(count)], axis=1)[:, None]) / (
            WIDTH,
            HEIGHT,
        )
        distance = np.where(state.is_lit, (away**2).sum(axis=-1), np.inf)
        near = np.argsort(distance, axis=1, kind="stable")[:, : self.num_seen]
        rows = np.arange(count)[:, None]
        seen = np.ones((count, self.num_seen, 3))
        seen[..., :2] = away[rows, near]
        seen *= state.is_lit[rows, near][..., None]
        own = 2 * state.place[:, None] / WIDTH - 1
        return np.concatenate([own, seen.reshape(count, -1)], axis=1).astype(np.float32)

    def _pixels(self, state: DodgeState) -> np.ndarray:
        count = len(state.place)
        frames = np.zeros((count, _SIDE + 2, _SIDE + 2, 3), np.uint8)
        row, slot = np.nonzero(state.is_lit)
        x = (state.fire[row, slot, 0] / WIDTH * _SIDE).astype(np.int64)
        y = ((1 - state.fire[row, slot, 1] / HEIGHT) * _SIDE).astype(np.int64)
        for dy in range(3):
            for dx in range(3):
                frames[row, y.clip(0, _SIDE - 1) + dy, x.clip(0, _SIDE - 1) + dx] = (255, 120, 0)
        left = ((state.place - 0.5) / WIDTH * _SIDE).astype(np.int64) + 1
        rows, columns = np.arange(count)[:, None], left[:, None] + np.arange(3)
        for line in (_SIDE - 2, _SIDE - 1, _SIDE):
            frames[rows, line, columns] = (60, 220, 90)
        return np.ascontiguousarray(frames[:, 1:-1, 1:-1])
