"""A land as a list of named whole numbers, which is how programs about it see it."""

from dataclasses import dataclass

import numpy as np
from gymnasium.spaces import MultiDiscrete

from mindseye.worlds.minicraft.laws import HEALTH, MOST, NUM_VITALS, LandState
from mindseye.worlds.minicraft.minicraft import Minicraft
from mindseye.worlds.rules import Draws, Rules

_VITALS = ("health", "food", "drink")


@dataclass(frozen=True)
class Layout:
    """Where in a vector of facts everything stands, and what it is called."""

    size: int
    """Cells per side."""
    materials: tuple[str, ...]
    items: tuple[str, ...]
    achievements: tuple[str, ...]
    cows: int
    """How many there may be."""
    zombies: int
    actions: tuple[str, ...]

    @property
    def parts(self) -> dict[str, slice]:
        """terrain, player, items, achieved, vitals, cows, zombies."""
        counts = {
            "terrain": self.size**2,
            "player": 1,
            "items": len(self.items),
            "achieved": len(self.achievements),
            "vitals": NUM_VITALS,
            "cows": self.cows,
            "zombies": self.zombies,
        }
        ends = np.cumsum(list(counts.values())).tolist()
        return {
            name: slice(end - count, end)
            for (name, count), end in zip(counts.items(), ends, strict=True)
        }

    @property
    def domains(self) -> np.ndarray:
        """How many values each fact may have, int64 (facts,)."""
        cells = self.size**2
        return np.array(
            [len(self.materials)] * cells
            + [cells]
            + [MOST + 1] * len(self.items)
            + [2] * len(self.achievements)
            + [MOST + 1] * NUM_VITALS
            + [cells + 1] * (self.cows + self.zombies)
        )

    @property
    def names(self) -> list[str]:
        """One per fact, such as "items.wood" or "terrain.17"."""
        return [
            *(f"terrain.{cell}" for cell in range(self.size**2)),
            "player",
            *(f"items.{item}" for item in self.items),
            *(f"achieved.{name}" for name in self.achievements),
            *(f"vitals.{name}" for name in _VITALS),
            *(f"cows.{index}" for index in range(self.cows)),
            *(f"zombies.{index}" for index in range(self.zombies)),
        ]


class Facts(Rules):
    """Minicraft whose observation is everything there is, int64 (rows, facts).

    Facts are materials of all cells, the player's cell, counts of items, what was achieved, health,
    food and drink, and the cells of cows and zombies plus one (0 where there is none any more).

        world = RulesWorld(Facts(Minicraft(FULL, size=12, ...)), num_worlds=4)

    Args:
        minicraft: The rules, with any face of silent actions.
    """

    def __init__(self, minicraft: Minicraft):
        self.minicraft, self.max_steps = minicraft, minicraft.max_steps
        first = minicraft.start(Draws(np.zeros(1, np.uint64), np.zeros(1, np.int64)))
        technology, laws = minicraft.technology, minicraft.laws
        self.layout = Layout(
            minicraft.size,
            tuple(technology.materials),
            tuple(technology.items),
            tuple(laws.achievements),
            first.cows.shape[1],
            first.zombies.shape[1],
            tuple(minicraft.commands),
        )
        self.observation_space = MultiDiscrete(self.layout.domains)
        self.action_space = minicraft.action_space

    def start(self, draws: Draws) -> LandState:
        """As minicraft does."""
        return self.minicraft.start(draws)

    def transition(
        self, state: LandState, action: np.ndarray, draws: Draws
    ) -> tuple[LandState, np.ndarray, np.ndarray]:
        """As minicraft does."""
        return self.minicraft.transition(state, action, draws)

    def observe(self, state: LandState) -> np.ndarray:
        """All facts; health below nothing counts as nothing."""
        return np.concatenate(
            [
                state.terrain,
                state.player[:, None],
                state.items,
                state.achieved,
                np.maximum(state.vitals, 0),
                state.cows + 1,
                state.zombies + 1,
            ],
            axis=1,
        ).astype(np.int64)

    def state(self, facts: np.ndarray) -> LandState:
        """What `observe` told, as a state again."""
        part = {name: facts[:, where] for name, where in self.layout.parts.items()}
        return LandState(
            terrain=part["terrain"].astype(np.uint8),
            player=part["player"][:, 0].copy(),
            items=part["items"].copy(),
            achieved=part["achieved"].astype(bool),
            vitals=part["vitals"].copy(),
            cows=part["cows"] - 1,
            zombies=part["zombies"] - 1,
        )

    def outcome(self, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What going from some facts to others pays, and whether it ends the episode.

        Returns:
            Rewards, float32 (rows,): 1 per new achievement and 0.1 per point of health; and bool
            (rows,): nothing is left to achieve, or to live on.
        """
        parts = self.layout.parts
        achieved, health = parts["achieved"], parts["vitals"].start + HEALTH
        new = (after[:, achieved] & ~before[:, achieved]).sum(1)
        change = after[:, health] - before[:, health]
        ended = (after[:, health] <= 0) | after[:, achieved].all(1)
        return (new + 0.1 * change).astype(np.float32), ended

    def measure(self, state: LandState) -> dict[str, np.ndarray]:
        """As minicraft does."""
        return self.minicraft.measure(state)

    def picture(self, state: LandState) -> np.ndarray:
        """As minicraft does."""
        return self.minicraft.picture(state)
