"""A scripted expert for minicraft: it knows the technology and the whole land."""

from collections import deque

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree
from mindseye.worlds.grids.moves import NUM_MOVES, walk
from mindseye.worlds.minicraft import Minicraft
from mindseye.worlds.minicraft.laws import LandState
from mindseye.worlds.rules import RulesWorld

_MOVES = range(1, NUM_MOVES)


class ScriptedCrafter(Agent):
    """Pursues the laws of the technology in order, now and then at random.

    It demonstrates in one world, whose true state it reads instead of the observation. It does not
    eat, drink or fight.

    Args:
        world: A minicraft world; the one it will act in, already reset.
        noise: Probability of a random action.
        seed: Of its own generator.

    Raises:
        ConfigError: If the world is of another kind.
    """

    def __init__(self, world: RulesWorld, *, noise: float, seed: int):
        if not isinstance(world.rules, Minicraft):
            raise ConfigError(f"crafter: expected a minicraft world, got {world.rules}")
        self.world, self.rules, self.noise = world, world.rules, noise
        self._rng = np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """What the script says, or chance."""
        state: LandState = self.world.save().state
        rows = len(state.player)
        actions = self._rng.integers(self.rules.laws.num_actions, size=rows)
        for row in np.flatnonzero(self._rng.random(rows) >= self.noise):
            actions[row] = _Plan(self.rules, state, int(row)).action()
        return actions, None, {}


class _Plan:
    """What to do next in one land."""

    def __init__(self, rules: Minicraft, state: LandState, row: int):
        self.laws, self.size = rules.laws, rules.size
        self.tree = rules.technology
        self.terrain, self.player = state.terrain[row], int(state.player[row])
        self.held = dict(zip(self.tree.items, state.items[row].tolist(), strict=True))
        self.achieved = dict(zip(self.laws.achievements, state.achieved[row], strict=True))

    def action(self) -> int:
        for law in self.tree.gathers:
            # what needs a tool is gathered once the tool exists
            if not self.achieved[f"gather {law.item}"] and law.tool is None:
                return self._gather(law.item)
        for law in self.tree.builds:
            if not self.achieved[f"build {law.material}"]:
                return self._pay(law.costs) or self._chosen(law)
        for law in self.tree.crafts:
            if not self.achieved[f"craft {law.item}"]:
                return self._craft(law.item)
        for law in self.tree.gathers:
            if not self.achieved[f"gather {law.item}"]:
                return self._gather(law.item)
        return 0

    def _gather(self, item: str) -> int:
        law = next(law for law in self.tree.gathers if law.item == item)
        if law.tool is not None and not self.held[law.tool]:
            return self._craft(law.tool)
        return self._approach(law.material, touching=True)

    def _craft(self, item: str) -> int:
        law = next(law for law in self.tree.crafts if law.item == item)
        if paying := self._pay(law.costs):
            return paying
        if law.near is None:
            return self._chosen(law)
        return self._approach(law.near, touching=False) or self._chosen(law)

    def _pay(self, costs) -> int:
        """Gather what is still missing; 0 if nothing is."""
        for item, count in costs.items():
            if self.held[item] < count:
                return self._gather(item)
        return 0

    def _chosen(self, law) -> int:
        return NUM_MOVES + [*self.tree.builds, *self.tree.crafts].index(law)

    def _approach(self, material: str, *, touching: bool) -> int:
        """First move to the nearest cell of a material; 0 when near enough or without a way.

        Args:
            touching: Walk into it; otherwise stop beside it, corners included.
        """
        wanted = self.terrain == list(self.tree.materials).index(material)
        if not wanted.any():
            builds = [law for law in self.tree.builds if law.material == material]
            return (self._pay(builds[0].costs) or self._chosen(builds[0])) if builds else 0
        first, queue = {self.player: 0}, deque([self.player])
        while queue:
            here = queue.popleft()
            if not touching and wanted[self._square(here)].any():
                return first[here]
            for move in _MOVES:
                there = int(walk(np.asarray(here), np.asarray(move), self.size))
                if touching and wanted[there]:
                    return first[here] or move
                if there not in first and self.laws.is_walkable[self.terrain[there]]:
                    first[there] = first[here] or move
                    queue.append(there)
        return 0

    def _square(self, cell: int) -> np.ndarray:
        near = self.laws.around[cell]
        return near[near < len(self.terrain)]
