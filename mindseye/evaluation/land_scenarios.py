"""Situations in a land, each about one mechanic, and mutants of what comes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mindseye.evaluation.states import Situation
from mindseye.worlds.minicraft.facts import Facts, Layout
from mindseye.worlds.rules import Draws

_MOVES = {"up": (-1, 0), "left": (0, -1), "down": (1, 0), "right": (0, 1)}
_MUTANTS = 10


@dataclass
class _Stage:
    """A land being arranged; the player stands away from the edge, looking some way."""

    layout: Layout
    facts: np.ndarray
    rng: np.random.Generator
    move: str = ""

    def __post_init__(self):
        size = self.layout.size
        y, x = self.rng.integers(2, size - 2, size=2)
        self.facts[self.layout.parts["player"]] = y * size + x
        self.move = str(self.rng.choice(list(_MOVES)))
        for part in ("cows", "zombies"):
            self.facts[self.layout.parts[part]] = 0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                self.lay("grass", self.cell(down, right))

    def cell(self, down: int = 0, right: int = 0) -> int:
        """A cell relative to the player."""
        here = int(self.facts[self.layout.parts["player"]][0])
        return here + down * self.layout.size + right

    def ahead(self, steps: int = 1) -> int:
        """The cell the move leads to."""
        down, right = _MOVES[self.move]
        return self.cell(steps * down, steps * right)

    def lay(self, material: str, cell: int) -> None:
        self.facts[cell] = self.layout.materials.index(material)

    def hold(self, **counts: int) -> None:
        first = self.layout.parts["items"].start
        for item, count in counts.items():
            self.facts[first + self.layout.items.index(item.replace("_", " "))] = count

    def feel(self, **vitals: int) -> None:
        first = self.layout.parts["vitals"].start
        for number, vital in enumerate(("health", "food", "drink")):
            self.facts[first + number] = vitals.get(vital, int(self.facts[first + number]))

    def put(self, herd: str, cell: int) -> None:
        self.facts[self.layout.parts[herd].start] = cell + 1


def _walk(onto: str, **held: int) -> Callable[[_Stage], str]:
    def arrange(stage: _Stage) -> str:
        stage.lay(onto, stage.ahead())
        stage.hold(**held)
        return stage.move

    return arrange


def _do(action: str, *, table: bool = False, furnace: bool = False, **held: int):
    def arrange(stage: _Stage) -> str:
        stage.hold(**held)
        for is_there, material in ((table, "table"), (furnace, "furnace")):
            if is_there:
                stage.lay(material, stage.cell(-1 if material == "table" else 1, 0))
        return action

    return arrange


def _meet(herd: str, steps: int, action: str | None = None) -> Callable[[_Stage], str]:
    def arrange(stage: _Stage) -> str:
        stage.put(herd, stage.ahead(steps))
        stage.lay("grass", stage.ahead(steps))
        return action or stage.move

    return arrange


def _feel(**vitals: int) -> Callable[[_Stage], str]:
    def arrange(stage: _Stage) -> str:
        stage.feel(**vitals)
        return "stay"

    return arrange


def _thirsty(stage: _Stage) -> str:
    stage.feel(drink=4)
    return _walk("water")(stage)


def _hungry(stage: _Stage) -> str:
    stage.feel(food=2)
    return _meet("cows", 1)(stage)


SCENARIOS: Mapping[str, Callable[[_Stage], str]] = {
    "walk on grass": _walk("grass"),
    "walk on sand": _walk("sand"),
    "walk into a table": _walk("table"),
    "gather wood": _walk("tree"),
    "stone without a pickaxe": _walk("stone"),
    "stone with a pickaxe": _walk("stone", wood_pickaxe=1),
    "coal with a pickaxe": _walk("coal", wood_pickaxe=1),
    "iron with a wood pickaxe": _walk("iron", wood_pickaxe=1),
    "build a table": _do("build table", wood=3),
    "build a table without wood": _do("build table", wood=1),
    "place a stone": _do("build stone", stone=2),
    "craft a pickaxe": _do("craft wood pickaxe", table=True, wood=2),
    "craft a pickaxe away from a table": _do("craft wood pickaxe", wood=2),
    "craft a sword": _do("craft sword", table=True, wood=2, stone=2),
    "drink": _thirsty,
    "eat a cow": _hungry,
    "a cow wanders": _meet("cows", 2, "stay"),
    "a zombie comes": _meet("zombies", 2, "stay"),
    "slay a zombie": _meet("zombies", 1),
    "a zombie hits": _meet("zombies", 1, "stay"),
    "starve": _feel(food=0, health=5),
    "recover": _feel(food=6, drink=6, health=5),
}
"""How a stage is arranged for each mechanic, and the action taken there."""


def situations(facts: Facts, count: int, seed: int) -> list[Situation]:
    """`count` situations of every scenario, on lands and with luck of their own.

    Args:
        facts: A land with needs, at least 6 cells wide, with the full technology.
        count: Per scenario.
        seed: Of lands, luck and mutants.
    """
    layout, rng, made = facts.layout, np.random.default_rng(seed), []
    for name, arrange in SCENARIOS.items():
        keys = rng.integers(2**63, size=count).astype(np.uint64)
        draws = Draws(keys, np.zeros(count, np.int64))
        lands = facts.observe(facts.start(draws))
        actions = []
        for land in lands:
            actions.append(layout.actions.index(arrange(_Stage(layout, land, rng))))
        numbers = np.array(actions)
        later = Draws(keys, np.ones(count, np.int64))
        reached = facts.observe(facts.transition(facts.state(lands), numbers, later)[0])
        made += [
            Situation(name, land, action, after, mutants(layout, land, after, rng))
            for land, action, after in zip(lands, actions, reached, strict=True)
        ]
    return made


Mutator = Callable[[Layout, np.ndarray, np.ndarray, np.random.Generator], None]
"""Changes the last state but one, in place; hands are the layout, the state before, and luck."""


def _jump(layout: Layout, before: np.ndarray, after: np.ndarray, rng: np.random.Generator) -> None:
    """Movement that is not possible, or that is not made."""
    size, here = layout.size, int(before[layout.parts["player"]][0])
    y, x = np.clip(np.divmod(here, size) + rng.integers(-2, 3, size=2), 0, size - 1)
    after[layout.parts["player"]] = y * size + x


def _collect(layout: Layout, before, after: np.ndarray, rng: np.random.Generator) -> None:
    fact = rng.integers(layout.parts["items"].start, layout.parts["items"].stop)
    after[fact] = min(after[fact] + 1, 9)


def _craft(layout: Layout, before, after: np.ndarray, rng: np.random.Generator) -> None:
    names = [name for name in layout.achievements if name.startswith("craft ")]
    name = str(rng.choice(names))
    after[layout.parts["achieved"].start + layout.achievements.index(name)] = 1
    item = layout.items.index(name.removeprefix("craft "))
    after[layout.parts["items"].start + item] += after[layout.parts["items"].start + item] < 9


def _place(layout: Layout, before: np.ndarray, after: np.ndarray, rng: np.random.Generator) -> None:
    size, here = layout.size, int(before[layout.parts["player"]][0])
    y, x = np.clip(np.divmod(here, size) + rng.integers(-1, 2, size=2), 0, size - 1)
    after[y * size + x] = rng.integers(len(layout.materials))


def _hurt(layout: Layout, before, after: np.ndarray, rng: np.random.Generator) -> None:
    health = layout.parts["vitals"].start
    after[health] = np.clip(after[health] + rng.choice([-3, -2, 2, 3]), 0, 9)


def _vanish(layout: Layout, before, after: np.ndarray, rng: np.random.Generator) -> None:
    after[_someone(layout, after, rng)] = 0


def _stray(layout: Layout, before, after: np.ndarray, rng: np.random.Generator) -> None:
    after[_someone(layout, after, rng)] = 1 + rng.integers(layout.size**2)


def _lose(layout: Layout, before, after: np.ndarray, rng: np.random.Generator) -> None:
    fact = rng.integers(layout.parts["items"].start, layout.parts["items"].stop)
    after[fact] = (after[fact] + rng.integers(1, 4)) % 10


def _someone(layout: Layout, after: np.ndarray, rng: np.random.Generator) -> int:
    mobs = np.arange(layout.parts["cows"].start, layout.parts["zombies"].stop)
    alive = mobs[after[mobs] > 0]
    return int(rng.choice(alive if len(alive) else mobs))


MUTATORS: Mapping[str, Mutator] = {
    "illegal movement": _jump,
    "illegal collection": _collect,
    "illegal crafting": _craft,
    "illegal placement": _place,
    "player's health": _hurt,
    "creature's life": _vanish,
    "creature's place": _stray,
    "inventory": _lose,
}


def mutants(
    layout: Layout,
    before: np.ndarray,
    after: np.ndarray,
    rng: np.random.Generator,
    *,
    most: int = _MUTANTS,
) -> np.ndarray:
    """Up to `most` states that did not come, one change each, different from the truth."""
    made, names = [], list(MUTATORS)
    for number in range(most):
        mutant = after.copy()
        MUTATORS[names[number % len(names)]](layout, before, mutant, rng)
        if (mutant != after).any():
            made.append(mutant)
    return np.unique(np.array(made).reshape(-1, len(after)), axis=0)
