"""The state of a land, and the pure function that moves it on."""

from dataclasses import dataclass

import numpy as np

from mindseye.worlds.grids.moves import NUM_MOVES, walk
from mindseye.worlds.minicraft.technology import Technology
from mindseye.worlds.rules import Draws

MOST = 9
"""Of any item, and of every vital."""
HEALTH, FOOD, DRINK = range(3)
NUM_VITALS = 3
_HUNGER, _THIRST, _CHANGE = 1 / 30, 1 / 25, 1 / 10
"""Chances per step to lose food, drink, and to gain or lose health."""


@dataclass(frozen=True)
class LandState:
    """Everything there is, one row per world; cell (x, y) has number y · size + x."""

    terrain: np.ndarray
    """uint8 material per cell, shape (rows, size²)."""
    player: np.ndarray
    """int64 cell, shape (rows,)."""
    items: np.ndarray
    """int64 counts, shape (rows, items)."""
    achieved: np.ndarray
    """bool, shape (rows, achievements)."""
    vitals: np.ndarray
    """int64 health, food and drink, shape (rows, 3)."""
    cows: np.ndarray
    """int64 cells, −1 where one was eaten, shape (rows, cows)."""
    zombies: np.ndarray
    """int64 cells, −1 where one was slain, shape (rows, zombies)."""


class Laws:
    """A technology as arrays, ready to be applied to many rows at once.

    Args:
        technology: What can be done.
        size: Cells per side of the land.
        has_needs: Whether food and drink run out.
    """

    def __init__(self, technology: Technology, size: int, *, has_needs: bool):
        self.technology, self.size, self.has_needs = technology, size, has_needs
        self.achievements = list(technology.achievements)
        if has_needs:
            self.achievements += ["drink", "eat"]
        material = {name: i for i, name in enumerate(technology.materials)}
        item = {name: i for i, name in enumerate(technology.items)}
        self.is_walkable = np.isin(technology.materials, technology.walkable)
        self.drink = material[technology.drink] if technology.drink and has_needs else -1
        self._gathers = [
            (
                material[law.material],
                item[law.item],
                material[law.leaves],
                -1 if law.tool is None else item[law.tool],
                law.chance,
            )
            for law in technology.gathers
        ]
        self._builds = [(material[b.material], self._cost(b.costs)) for b in technology.builds]
        self._crafts = [
            (item[c.item], self._cost(c.costs), -1 if c.near is None else material[c.near])
            for c in technology.crafts
        ]
        self.num_actions = NUM_MOVES + len(self._builds) + len(self._crafts)
        self.around = _around(size)
        """Every cell and its eight neighbours, (size², 9); size² stands for outside."""

    def _cost(self, costs) -> np.ndarray:
        return np.array([costs.get(name, 0) for name in self.technology.items], np.int64)

    def transition(
        self, state: LandState, action: np.ndarray, draws: Draws
    ) -> tuple[LandState, np.ndarray, np.ndarray]:
        """The land one step later.

        Every first achievement of an episode pays 1, health 0.1 per point. The episode terminates
        when health is gone or nothing is left to achieve.

        Args:
            state: Left as it is.
            action: 0 stay, 1 up, 2 left, 3 down, 4 right, then builds, then crafts; shape (rows,).
            draws: Of chance.
        """
        after = LandState(
            state.terrain.copy(), state.player.copy(), state.items.copy(), state.achieved.copy(),
            state.vitals.copy(), state.cows.copy(), state.zombies.copy(),
        )  # fmt: skip
        self._walk(after, action, draws)
        self._make(after, action)
        if self.has_needs:
            self._live(after, draws)
            self._stray(after, draws)
        new = (after.achieved & ~state.achieved).sum(1)
        health = after.vitals[:, HEALTH] - state.vitals[:, HEALTH]
        ended = (after.vitals[:, HEALTH] <= 0) | after.achieved.all(1)
        return after, (new + 0.1 * health).astype(np.float32), ended

    def _walk(self, state: LandState, action: np.ndarray, draws: Draws) -> None:
        rows = np.arange(len(action))
        there = walk(state.player, np.where(action < NUM_MOVES, action, 0), self.size)
        bumped = there != state.player
        met = state.terrain[rows, there]
        meat = bumped[:, None] & (state.cows == there[:, None])
        foe = bumped[:, None] & (state.zombies == there[:, None])
        free = ~meat.any(1) & ~foe.any(1)
        if self.has_needs:
            self._meet(state, bumped & (met == self.drink) & free, meat, foe)
        luck = draws.uniform(1, use=0)[:, 0]
        for index, (material, item, leaves, tool, chance) in enumerate(self._gathers):
            may = bumped & free & (met == material) & (luck < chance)
            if tool >= 0:
                may &= state.items[:, tool] > 0
            may &= state.items[:, item] < MOST
            state.items[may, item] += 1
            state.terrain[rows[may], there[may]] = leaves
            state.achieved[may, index] = True
        goes = bumped & free & self.is_walkable[met]
        state.player[goes] = there[goes]

    def _meet(
        self, state: LandState, drinks: np.ndarray, meat: np.ndarray, foe: np.ndarray
    ) -> None:
        eats = meat.any(1)
        state.vitals[drinks, DRINK] = np.minimum(state.vitals[drinks, DRINK] + 1, MOST)
        state.vitals[eats, FOOD] = np.minimum(state.vitals[eats, FOOD] + 6, MOST)
        state.achieved[drinks, -2] = True
        state.achieved[eats, -1] = True
        state.cows[meat] = -1
        state.zombies[foe] = -1

    def _make(self, state: LandState, action: np.ndarray) -> None:
        rows, first = np.arange(len(action)), len(self._gathers)
        for index, (material, cost) in enumerate(self._builds):
            may = (action == NUM_MOVES + index) & (state.items >= cost).all(1)
            may &= state.terrain[rows, state.player] != material
            state.items[may] -= cost
            state.terrain[rows[may], state.player[may]] = material
            state.achieved[may, first + index] = True
        near = None
        for index, (item, cost, place) in enumerate(self._crafts):
            chosen = action == NUM_MOVES + len(self._builds) + index
            may = chosen & (state.items >= cost).all(1) & (state.items[:, item] < MOST)
            if place >= 0:
                if near is None:
                    padded = np.pad(state.terrain, ((0, 0), (0, 1)), constant_values=255)
                    near = padded[rows[:, None], self.around[state.player]]
                may &= (near == place).any(1)
            state.items[may] -= cost
            state.items[may, item] += 1
            state.achieved[may, first + len(self._builds) + index] = True

    def _live(self, state: LandState, draws: Draws) -> None:
        luck = draws.uniform(3, use=1)
        vitals = state.vitals
        vitals[:, FOOD] -= (luck[:, 0] < _HUNGER) & (vitals[:, FOOD] > 0)
        vitals[:, DRINK] -= (luck[:, 1] < _THIRST) & (vitals[:, DRINK] > 0)
        starves = (vitals[:, [FOOD, DRINK]] == 0).any(1)
        change = np.where(starves, -1, 1) * (luck[:, 2] < _CHANGE)
        vitals[:, HEALTH] = np.minimum(vitals[:, HEALTH] + change, MOST)

    def _stray(self, state: LandState, draws: Draws) -> None:
        """Cows wander, zombies come closer and hit whom they touch."""
        rows = np.arange(len(state.player))
        for herd, use in ((state.cows, 8), (state.zombies, 64)):
            for index in range(herd.shape[1]):
                luck = draws.uniform(3, use=use + 4 * index)
                move = 1 + (luck[:, 0] * 4).astype(np.int64)
                if herd is state.zombies:
                    move = np.where(luck[:, 1] < 0.6, self._towards(herd[:, index], state), move)
                here = herd[:, index]
                there = walk(np.maximum(here, 0), move, self.size)
                free = self.is_walkable[state.terrain[rows, there]] & (there != state.player)
                for other in (state.cows, state.zombies):
                    free &= ~(other == there[:, None]).any(1)
                goes = (here >= 0) & free & (luck[:, 2] < 0.5)
                herd[goes, index] = there[goes]
        y, x = np.divmod(state.player, self.size)
        near_y, near_x = np.divmod(np.maximum(state.zombies, 0), self.size)
        touches = np.abs(near_y - y[:, None]) + np.abs(near_x - x[:, None]) == 1
        luck = draws.uniform(state.zombies.shape[1], use=128)
        hit = touches & (state.zombies >= 0) & (luck < 0.3)
        state.vitals[:, HEALTH] -= 2 * hit.any(1)

    def _towards(self, here: np.ndarray, state: LandState) -> np.ndarray:
        y, x = np.divmod(np.maximum(here, 0), self.size)
        down, right = state.player // self.size - y, state.player % self.size - x
        vertical = np.where(down > 0, 3, 1)
        return np.where(np.abs(down) > np.abs(right), vertical, np.where(right > 0, 4, 2))


def _around(size: int) -> np.ndarray:
    """Every cell and its eight neighbours, shape (size², 9); size² stands for outside."""
    y, x = np.divmod(np.arange(size * size), size)
    found = []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            inside = (y + down >= 0) & (y + down < size) & (x + right >= 0) & (x + right < size)
            found.append(np.where(inside, (y + down) * size + x + right, size * size))
    return np.stack(found, 1)
