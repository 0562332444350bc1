"""How a land of cells is read: which facts change in which ways, and what is said about when.

A *view* looks at one kind of fact (say, how many of an item are held) once per state, or once per
cow, and tells it relatively: possible values are "one more" or "the cell ahead",
never numbers, so that what is found holds anywhere. What may be said of a view are *literals*, true
or false, and their negations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

_MOVES = ("up", "left", "down", "right")
_DOWN, _RIGHT = np.array([-1, 0, 1, 0]), np.array([0, -1, 0, 1])
_MOST = 9
_DEEDS = ("the action is", "one walks", "ahead of")
_SIDES = ("ahead of", "to the left of", "behind", "to the right of")


class LandLayout(Protocol):
    """What a reader must know of a land; facts are laid out as `parts` says."""

    @property
    def size(self) -> int:
        """Cells per side."""
        ...

    @property
    def materials(self) -> Sequence[str]:
        """Of cells, by code."""
        ...

    @property
    def items(self) -> Sequence[str]:
        """That can be held."""
        ...

    @property
    def achievements(self) -> Sequence[str]:
        """That can be made."""
        ...

    @property
    def actions(self) -> Sequence[str]:
        """By number."""
        ...

    @property
    def parts(self) -> Mapping[str, slice]:
        """terrain, player, items, achieved, vitals, cows, zombies (these as cell + 1, or 0)."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """One per fact, such as "items.wood" or "terrain.17"."""
        ...


@dataclass(frozen=True)
class Kind:
    """One kind of fact: its name, its relative outcomes, and the literals of its views."""

    name: str
    outcomes: Sequence[str]
    literals: Sequence[str]
    prices: np.ndarray
    """What naming a literal costs in nats: what is done explains more than what is not."""
    is_once: bool = False
    """Whether it changes but once."""

    def unchanged(self, counts: np.ndarray) -> bool:
        """Whether counts of outcomes say that nothing ever changed."""
        return bool(counts[self.outcomes.index("no change")] == counts.sum())


@dataclass(frozen=True)
class View:
    """Looks at one kind in a batch of states; n looks."""

    row: np.ndarray
    """State looked at, int64 (n,)."""
    fact: np.ndarray
    """Fact looked at, int64 (n,)."""
    values: np.ndarray
    """What each outcome would be as a value, −1 where impossible, int64 (n, outcomes)."""
    literals: np.ndarray
    """bool (n, literals)."""


class LandReader:
    """Reads lands of one layout.

    Directions are relative: of the player, ahead is where the action leads; of a cow or a zombie,
    ahead is where the player is.
    """

    def __init__(self, layout: LandLayout):
        self.layout, self.size = layout, layout.size
        self._walks = np.array([_MOVES.index(a) if a in _MOVES else -1 for a in layout.actions])
        materials, items = list(layout.materials), list(layout.items)
        self._met = [*materials, "a cow", "a zombie", "the edge"]
        plain = [
            *(f"the action is {action}" for action in layout.actions),
            "one walks",
            *(f"one walks into {met}" for met in self._met),
            *(f"one holds {item}" for item in items),
            *(f"one holds two of {item}" for item in items),
            *(f"{material} is near" for material in materials),
            *(f"one stands on {material}" for material in materials),
            *(f"{vital} is {n}" for vital in ("food", "drink", "health") for n in (0, _MOST)),
            "a zombie is beside one",
        ]
        mob = [
            "one walks into it",
            *(f"{side} it is {met}" for side in _SIDES for met in [*self._met, "the player"]),
            "the player is beside it",
        ]
        changes = [f"{change:+d}" if change else "no change" for change in range(-_MOST, _MOST + 1)]
        steps = ["no change", "ahead", "to the left", "behind", "to the right", "gone"]
        becomes = ["no change", *materials]
        prices, mob_prices = _prices(plain), _prices(mob)
        plain, mob = _doubled(plain), _doubled(mob)
        self.kinds = [
            Kind("player", steps[:2], plain, prices),
            Kind("cell ahead", becomes, plain, prices),
            Kind("cell below", becomes, plain, prices),
            *(Kind(item, changes, plain, prices) for item in items),
            *(
                Kind(f"achieved {name}", changes, plain, prices, is_once=True)
                for name in layout.achievements
            ),
            *(Kind(vital, changes, plain, prices) for vital in ("health", "food", "drink")),
            Kind("cow", steps, mob, mob_prices),
            Kind("zombie", steps, mob, mob_prices),
        ]

    def views(self, states: np.ndarray, actions: np.ndarray) -> list[View]:
        """One per kind, of states (rows, facts) and actions (rows,)."""
        parts, rows = self.layout.parts, np.arange(len(states))
        terrain, player = states[:, parts["terrain"]], states[:, parts["player"]][:, 0]
        direction = self._walks[actions]
        there, inside = self._ahead(player, direction)
        cows, zombies = states[:, parts["cows"]] - 1, states[:, parts["zombies"]] - 1
        met = self._meets(terrain, there, inside, cows, zombies)
        met[direction < 0] = -1
        plain = self._plain(states, actions, player, met, direction >= 0, zombies)
        values = np.stack([player, np.where((direction >= 0) & inside, there, -1)], 1)
        looks = [View(rows, np.full(len(rows), parts["player"].start), values, plain)]
        walking = (direction >= 0) & inside
        for cell, where in ((there, walking), (player, np.ones(len(rows), bool))):
            now = terrain[rows, cell][where]
            all_materials = np.tile(np.arange(len(self.layout.materials)), (len(now), 1))
            other = np.where(all_materials == now[:, None], -1, all_materials)
            values = np.concatenate([now[:, None], other], 1)
            looks.append(View(rows[where], cell[where], values, plain[where]))
        for part in ("items", "achieved", "vitals"):
            for fact in range(parts[part].start, parts[part].stop):
                # what was achieved stays so, and is looked at no more
                kept = rows if part != "achieved" else np.flatnonzero(states[:, fact] == 0)
                values = states[kept, fact, None] + np.arange(-_MOST, _MOST + 1)
                values = np.where((values < 0) | (values > _MOST), -1, values)
                looks.append(View(kept, np.full(len(kept), fact), values, plain[kept]))
        for part, herd in (("cows", cows), ("zombies", zombies)):
            first = parts[part].start
            looks.append(self._herd(herd, first, terrain, player, cows, zombies, there, direction))
        return looks

    def _plain(self, states, actions, player, met, walks, zombies) -> np.ndarray:
        parts, layout = self.layout.parts, self.layout
        terrain, items = states[:, parts["terrain"]], states[:, parts["items"]]
        kinds = np.arange(len(layout.materials))
        around = np.stack([self._at(terrain, player, y, x) for y, x in _square()], 1)
        health, food, drink = states[:, parts["vitals"]].T
        bounds = [vital == n for vital in (food, drink, health) for n in (0, _MOST)]
        beside = (self._apart(zombies, player) == 1) & (zombies >= 0)
        told = [
            actions[:, None] == np.arange(len(layout.actions)),
            walks[:, None],
            met[:, None] == np.arange(len(self._met)),
            items > 0,
            items > 1,
            (around[:, :, None] == kinds).any(1),
            terrain[np.arange(len(player)), player][:, None] == kinds,
            np.stack(bounds, 1),
            beside.any(1, keepdims=True),
        ]
        return _negated(np.concatenate(told, 1))

    def _herd(self, herd, first, terrain, player, cows, zombies, there, direction) -> View:
        """Every living one; ahead of it is the player, if one goes along the longer side."""
        row, which = np.nonzero(herd >= 0)
        here, now = herd[row, which], player[row]
        down, right = now // self.size - here // self.size, now % self.size - here % self.size
        ahead = np.where(
            np.abs(down) > np.abs(right), np.where(down > 0, 2, 0), np.where(right > 0, 3, 1)
        )
        told = [((there[row] == here) & (direction[row] >= 0))[:, None]]
        values = [here + 1]
        for turn in range(4):
            cell, free = self._ahead(here, (ahead + turn) % 4)
            met = self._meets(terrain[row], cell, free, cows[row], zombies[row])
            met[free & (cell == now)] = len(self._met)
            told.append(met[:, None] == np.arange(len(self._met) + 1))
            values.append(np.where(free, cell + 1, -1))
        told.append((np.abs(down) + np.abs(right) == 1)[:, None])
        values = np.stack([*values, 0 * here], 1)
        return View(row, first + which, values, _negated(np.concatenate(told, 1)))

    def _ahead(self, cell: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next cell that way and whether there is one; the cell itself where there is none."""
        y, x = np.divmod(cell, self.size)
        y, x = y + _DOWN[direction], x + _RIGHT[direction]
        inside = (y >= 0) & (y < self.size) & (x >= 0) & (x < self.size)
        inside &= direction >= 0
        return np.where(inside, y * self.size + x, cell), inside

    def _meets(self, terrain, there, inside, cows, zombies) -> np.ndarray:
        """Number in `_met` of what is in a cell."""
        met = terrain[np.arange(len(there)), there].copy()
        materials = len(self.layout.materials)
        met[(cows == there[:, None]).any(1)] = materials
        met[(zombies == there[:, None]).any(1)] = materials + 1
        met[~inside] = materials + 2
        return met

    def _at(self, terrain: np.ndarray, cell: np.ndarray, down: int, right: int) -> np.ndarray:
        """Material so far away, −1 outside."""
        y, x = np.divmod(cell, self.size)
        y, x = y + down, x + right
        inside = (y >= 0) & (y < self.size) & (x >= 0) & (x < self.size)
        there = np.where(inside, y * self.size + x, 0)
        return np.where(inside, terrain[np.arange(len(cell)), there], -1)

    def _apart(self, herd: np.ndarray, player: np.ndarray) -> np.ndarray:
        """Steps between each of a herd and the player."""
        down = np.abs(herd // self.size - player[:, None] // self.size)
        return down + np.abs(herd % self.size - player[:, None] % self.size)


def _square() -> list[tuple[int, int]]:
    return [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]


def _prices(names: list[str]) -> np.ndarray:
    """Of literals, then of their negations."""
    prices = np.array([2.0 if name.startswith(_DEEDS) else 3.0 for name in names])
    prices[[name.endswith((" is 0", f" is {_MOST}")) for name in names]] = 4.0
    return np.concatenate([prices, prices + 1.5])


def _doubled(names: list[str]) -> list[str]:
    return [*names, *(f"not ({name})" for name in names)]


def _negated(told: np.ndarray) -> np.ndarray:
    return np.concatenate([told, ~told], 1)
