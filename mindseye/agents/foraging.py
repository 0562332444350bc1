"""Scripted strategies of a land, told as what to pursue in turn; they read facts only."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree
from mindseye.worlds.grids.moves import NUM_MOVES, walk
from mindseye.worlds.minicraft.facts import Layout
from mindseye.worlds.minicraft.technology import Technology

_STAY = 0


@dataclass(frozen=True)
class Pursuit:
    """One thing to do until it is done."""

    deed: str
    """gather, build, craft, drink, eat or fight."""
    thing: str = ""
    """Item or material."""
    until: int = 1
    """For gather: hold so many; for drink and eat: feel so well."""


class Forager(Agent):
    """Pursues the first thing on its list that is not done; stays when nothing can be done.

    Args:
        layout: Of the facts it observes.
        technology: What gives what.
        pursuits: In order.
    """

    def __init__(self, layout: Layout, technology: Technology, pursuits: Sequence[Pursuit]):
        self.layout, self.technology, self.pursuits = layout, technology, pursuits
        self._walkable = np.isin(layout.materials, technology.walkable)
        cells = np.arange(layout.size**2)
        self._ways = [walk(cells, np.full(len(cells), move), layout.size).tolist()
                      for move in range(NUM_MOVES)]  # fmt: skip

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """What the first open pursuit asks for."""
        return np.array([self._next(facts) for facts in np.asarray(observation)]), None, {}

    def _next(self, facts: np.ndarray) -> int:
        for pursuit in self.pursuits:
            if not self._is_done(facts, pursuit):
                return self._towards(facts, pursuit)
        return _STAY

    def _is_done(self, facts: np.ndarray, pursuit: Pursuit) -> bool:
        if pursuit.deed in ("gather", "craft"):
            return self._held(facts, pursuit.thing) >= pursuit.until
        if pursuit.deed == "build":
            name = f"build {pursuit.thing}"
            achieved = self.layout.parts["achieved"].start + self.layout.achievements.index(name)
            return bool(facts[achieved])
        if pursuit.deed == "fight":
            return not (facts[self.layout.parts["zombies"]] > 0).any()
        _, food, drink = facts[self.layout.parts["vitals"]]
        return bool((food if pursuit.deed == "eat" else drink) >= pursuit.until)

    def _towards(self, facts: np.ndarray, pursuit: Pursuit) -> int:
        layout = self.layout
        if pursuit.deed == "build":
            return layout.actions.index(f"build {pursuit.thing}")
        if pursuit.deed == "craft":
            near = next(c.near for c in self.technology.crafts if c.item == pursuit.thing)
            table = self._cells(facts, near) if near else set()
            move = self._way(facts, {there for cell in table for there in self._beside(cell)})
            return move or layout.actions.index(f"craft {pursuit.thing}")
        if pursuit.deed in ("eat", "fight"):
            herd = "cows" if pursuit.deed == "eat" else "zombies"
            alive = facts[layout.parts[herd]]
            return self._way(facts, set((alive[alive > 0] - 1).tolist()))
        source = self.technology.drink
        if pursuit.deed == "gather":
            laws = self.technology.gathers
            source = next(law.material for law in laws if law.item == pursuit.thing)
        return self._way(facts, self._cells(facts, str(source)))

    def _held(self, facts: np.ndarray, item: str) -> int:
        return int(facts[self.layout.parts["items"].start + self.layout.items.index(item)])

    def _cells(self, facts: np.ndarray, material: str) -> set[int]:
        terrain = facts[self.layout.parts["terrain"]]
        return set(np.flatnonzero(terrain == self.layout.materials.index(material)).tolist())

    def _beside(self, cell: int) -> list[int]:
        return [self._ways[move][cell] for move in range(NUM_MOVES)]

    def _way(self, facts: np.ndarray, goals: set[int]) -> int:
        """First move of a shortest walk into one of some cells; 0 if there, or if there is none."""
        here = int(facts[self.layout.parts["player"]][0])
        free = self._walkable[facts[self.layout.parts["terrain"]]]
        first, queue = {here: _STAY}, deque([here])
        if here in goals:
            return _STAY
        while queue:
            cell = queue.popleft()
            for move in range(1, NUM_MOVES):
                there = self._ways[move][cell]
                if there in first:
                    continue
                first[there] = first[cell] or move
                if there in goals:
                    return first[there]
                if free[there]:
                    queue.append(there)
        return _STAY
