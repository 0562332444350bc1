"""Minicraft: gather, build, craft, and stay alive; one state, three faces."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words, with_commands
from mindseye.core.tree import Tree
from mindseye.worlds.minicraft.land import land
from mindseye.worlds.minicraft.laws import MOST, NUM_VITALS, LandState, Laws
from mindseye.worlds.minicraft.sentences import describe
from mindseye.worlds.minicraft.technology import Technology
from mindseye.worlds.rules import Draws, Rules

_PLAYER, _COW, _ZOMBIE, _OUTSIDE = (250, 250, 250), (140, 60, 60), (90, 220, 40), (0, 0, 0)
_VITALS = ((230, 50, 60), (240, 160, 40), (60, 140, 250))


class Minicraft(Rules):
    """A land seen from above. Walking into things gathers, eats or fights them.

    Observations:
        pixels: uint8, a square of `cell` pixels per cell seen, below them rows of squares for what
            is held (and health, food and drink), the brighter the more.
        symbols: {"view": codes of the cells seen, "items": counts, "vitals": counts}.
        text: what is around, what is held, how one feels, and what can be done. Actions are then
            words, too: "stay", "up", "left", "down", "right", "build ...", "craft ...".

    Args:
        technology: What can be done.
        size: Cells per side.
        view: Cells per side that are seen, centred on the player; 0: all of them.
        is_wild: Lakes and mountains instead of a few trees and stones.
        has_needs: Hunger, thirst, cows and zombies.
        observation: The face.
        cell: Pixels per cell.
        max_steps: Steps until an episode is truncated.

    Raises:
        ConfigError: If a size is impossible, or no such face exists.

    Source: after Crafter (Hafner 2021, arXiv 2109.06780), smaller, and without facing.
    """

    def __init__(
        self,
        technology: Technology,
        *,
        size: int,
        view: int,
        is_wild: bool,
        has_needs: bool,
        observation: Literal["pixels", "symbols", "text"],
        cell: int,
        max_steps: int,
    ):
        if not 4 <= size <= 64 or view < 0 or (view and view % 2 == 0) or view > size:
            raise ConfigError(
                f"minicraft: expected a size from 4 to 64 and an odd view up to it (or 0), got"
                f" {size} and {view}"
            )
        self.technology, self.size, self.max_steps = technology, size, max_steps
        self.laws = Laws(technology, size, has_needs=has_needs)
        self._view, self._has_needs, self._cell = view, has_needs, cell
        self._side = view or size
        self._herds = (2, 2) if has_needs else (0, 0)
        self._land = land(technology, size, is_wild=is_wild)
        self.commands = [
            *("stay", "up", "left", "down", "right"),
            *(f"build {law.material}" for law in technology.builds),
            *(f"craft {law.item}" for law in technology.crafts),
        ]
        self._number = {command: action for action, command in enumerate(self.commands)}
        is_spoken = observation == "text"
        self.action_space = Words() if is_spoken else Discrete(self.laws.num_actions)
        codes = len(technology.materials) + 4
        self._colours = np.array(
            [
                *technology.colours[: len(technology.materials)],
                _PLAYER, _COW, _ZOMBIE, _OUTSIDE,
            ],
            np.uint8,
        )  # fmt: skip
        self._held = np.array(
            [
                *technology.colours[len(technology.materials) :],
                *(_VITALS if has_needs else ()),
            ],
            np.float32,
        )
        self._codes = codes
        self._first_code = len(technology.materials)
        self.observation_space, self._face = self._faces(observation)

    def start(self, draws: Draws) -> LandState:
        """A land from the pool, empty hands, full of life."""
        rows, (terrain, player) = len(draws.keys), self._land
        which = draws.integers(len(terrain), 1)[:, 0]
        laws, counts = self.laws, self._herds
        places = draws.integers(self.size**2, max(1, sum(counts)), use=4)
        chosen = terrain[which]
        for column in range(sum(counts)):
            here = places[:, column]
            fits = laws.is_walkable[chosen[np.arange(rows), here]] & (here != player[which])
            places[:, column] = np.where(fits, here, -1)
        return LandState(
            terrain=chosen.copy(),
            player=player[which].astype(np.int64),
            items=np.zeros((rows, len(self.technology.items)), np.int64),
            achieved=np.zeros((rows, len(laws.achievements)), bool),
            vitals=np.full((rows, NUM_VITALS), MOST, np.int64),
            cows=places[:, : counts[0]].copy(),
            zombies=places[:, counts[0] : sum(counts)].copy(),
        )

    def transition(
        self, state: LandState, action: np.ndarray | list[str], draws: Draws
    ) -> tuple[LandState, np.ndarray, np.ndarray]:
        """See `Laws.transition`; a command that is not known is waited out."""
        if isinstance(action, list):
            action = np.array([self._number.get(command, 0) for command in action])
        return self.laws.transition(state, action, draws)

    def observe(self, state: LandState) -> Tree:
        """As the chosen face shows it."""
        return self._face(state)

    def measure(self, state: LandState) -> dict[str, np.ndarray]:
        """`achieved`: how many achievements so far, float32."""
        return {"achieved": state.achieved.sum(1).astype(np.float32)}

    def picture(self, state: LandState) -> np.ndarray:
        """What the player sees, 24 pixels per cell."""
        return self._painted(state, 24)

    def codes(self, state: LandState) -> np.ndarray:
        """Cells seen: material, or player, cow, zombie, outside; uint8 (rows, side, side)."""
        cells = state.terrain.copy()
        rows = np.arange(len(cells))
        for herd, code in (
            (state.cows, self._first_code + 1),
            (state.zombies, self._first_code + 2),
        ):
            for index in range(herd.shape[1]):
                alive = herd[:, index] >= 0
                cells[rows[alive], herd[alive, index]] = code
        cells[rows, state.player] = self._first_code
        cells = cells.reshape(len(rows), self.size, self.size)
        if not self._view:
            return cells
        half = self._view // 2
        around = ((0, 0), (half, half), (half, half))
        padded = np.pad(cells, around, constant_values=self._first_code + 3)
        y, x = np.divmod(state.player, self.size)
        near = np.arange(self._view)
        return padded[rows[:, None, None], (y[:, None] + near)[:, :, None],
                      (x[:, None] + near)[:, None, :]]  # fmt: skip

    def _faces(self, observation: str) -> tuple[Space, Callable[[LandState], Tree]]:
        side, held = self._side, len(self.technology.items)
        if observation == "pixels":
            high = (side + -(-len(self._held) // side)) * self._cell
            return Box(0, 255, (high, side * self._cell, 3), np.uint8), self._pixels
        if observation == "symbols":
            parts: dict[str, Space] = {
                "view": MultiDiscrete(np.full((side, side), self._codes), dtype=np.uint8),
                "items": MultiDiscrete(np.full(held, MOST + 1)),
                "vitals": MultiDiscrete(np.full(NUM_VITALS, MOST + 1)),
            }
            return Dict(parts, sort_keys=False), self._symbols
        if observation == "text":
            return Words(), self._text
        raise ConfigError(
            f"minicraft: no observation {observation!r}; choose 'pixels', 'symbols' or 'text'"
        )

    def _pixels(self, state: LandState) -> np.ndarray:
        return self._painted(state, self._cell)

    def _painted(self, state: LandState, cell: int) -> np.ndarray:
        rows, side = len(state.player), self._side
        cells = self._colours[self.codes(state)]
        counts = state.items
        if self._has_needs:
            counts = np.concatenate([counts, state.vitals], 1)
        light = np.where(counts > 0, 0.4 + 0.6 * np.minimum(counts, 4) / 4, 0)[..., None]
        shelf = np.zeros((rows, -(-len(self._held) // side) * side, 3), np.uint8)
        shelf[:, : len(self._held)] = (light * self._held).astype(np.uint8)
        whole = np.concatenate([cells, shelf.reshape(rows, -1, side, 3)], 1)
        return np.repeat(np.repeat(whole, cell, axis=1), cell, axis=2)

    def _symbols(self, state: LandState) -> Tree:
        vitals = np.maximum(state.vitals, 0)
        return {"view": self.codes(state), "items": state.items.copy(), "vitals": vitals}

    def _text(self, state: LandState) -> list[str]:
        names = [*self.technology.materials, "you", "cow", "zombie", "the edge of the world"]
        vitals = np.maximum(state.vitals, 0) if self._has_needs else None
        told = describe(
            self.codes(state),
            names,
            self._first_code,
            state.terrain[np.arange(len(state.player)), state.player],
            state.items,
            self.technology.items,
            vitals,
        )
        return [with_commands(text, self.commands) for text in told]
