"""An explorer without a goal: it does what it did least."""

import numpy as np

from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree
from mindseye.worlds.grids.moves import DOWN, LEFT, NUM_MOVES, RIGHT, UP, walk
from mindseye.worlds.minicraft.facts import Layout


class CuriousWalker(Agent):
    """Makes what it made least, and walks to what it walked into least; else acts by chance.

    It knows no law: it walks in a straight line, whatever is in the way, and rewards are not looked
    at. Its memory are counts of what was tried: walking into each material or creature, and each
    other action.

    Args:
        layout: Of the facts it observes.
        chance: Probability of an action by chance.
        seed: Of its own generator.
    """

    def __init__(self, layout: Layout, *, chance: float = 0.5, seed: int = 0):
        self.layout, self.chance = layout, chance
        self._rng = np.random.default_rng(seed)
        self._creatures = len(layout.materials)
        self._deeds = self._creatures + 2

    def initial(self, batch_size: int) -> Tree:
        """Nothing tried, float32 (rows, kinds)."""
        kinds = self._deeds + len(self.layout.actions)
        return np.zeros((batch_size, kinds), np.float32)

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Actions, and the counts with them."""
        facts, counts = np.asarray(observation), memory.copy()
        actions = np.zeros(len(facts), np.int64)
        for row, (now, tried) in enumerate(zip(facts, counts, strict=True)):
            if self._rng.random() < self.chance:
                actions[row] = self._rng.integers(len(self.layout.actions))
            else:
                actions[row] = self._least(now, tried)
            self._note(now, int(actions[row]), tried)
        return actions, counts, {}

    def _least(self, facts: np.ndarray, tried: np.ndarray) -> int:
        """Towards the nearest thing of the kind that was tried least, or the deed itself."""
        size, here = self.layout.size, int(facts[self.layout.parts["player"]][0])
        kinds = self._kinds(facts)
        kinds[here] = -1
        options = [*np.unique(kinds[kinds >= 0]).tolist()]
        options += [self._deeds + a for a in range(len(self.layout.actions)) if self._is_deed(a)]
        chosen = min(options, key=lambda kind: tried[kind] + self._rng.random())
        if chosen >= self._deeds:
            return chosen - self._deeds
        cells = np.flatnonzero(kinds == chosen)
        down, right = cells // size - here // size, cells % size - here % size
        nearest = int(np.argmin(np.abs(down) + np.abs(right)))
        if abs(down[nearest]) > abs(right[nearest]):
            return DOWN if down[nearest] > 0 else UP
        return RIGHT if right[nearest] > 0 else LEFT

    def _note(self, facts: np.ndarray, action: int, tried: np.ndarray) -> None:
        if self._is_deed(action):
            tried[self._deeds + action] += 1
            return
        here = facts[self.layout.parts["player"]]
        there = walk(here, np.array([action]), self.layout.size)
        if there[0] != here[0]:
            tried[self._kinds(facts)[there[0]]] += 1

    def _is_deed(self, action: int) -> bool:
        return not 0 < action < NUM_MOVES

    def _kinds(self, facts: np.ndarray) -> np.ndarray:
        """What is in every cell: a material, or a creature."""
        kinds = facts[self.layout.parts["terrain"]].copy()
        for number, herd in enumerate(("cows", "zombies")):
            cells = facts[self.layout.parts[herd]]
            kinds[cells[cells > 0] - 1] = self._creatures + number
        return kinds
