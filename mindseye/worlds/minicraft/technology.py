"""What can be gathered, built and crafted, as data: the laws that a reader must find out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Gather:
    """Walking into a material yields an item and may change the material."""

    material: str
    item: str
    leaves: str
    """Material that is there afterwards."""
    tool: str | None = None
    """Item that must be held."""
    chance: float = 1.0


@dataclass(frozen=True)
class Build:
    """Turns the cell below the walker into a material."""

    material: str
    costs: Mapping[str, int]


@dataclass(frozen=True)
class Craft:
    """Makes an item."""

    item: str
    costs: Mapping[str, int]
    near: str | None = None
    """Material that must be among the eight neighbours, or below."""


@dataclass(frozen=True)
class Technology:
    """A tree of laws. The order of materials and items is part of it: observations count on it."""

    materials: Sequence[str]
    """The first is open ground, the second is what gathering leaves behind."""
    colours: Sequence[tuple[int, int, int]]
    """Of the materials, then of the items."""
    items: Sequence[str]
    gathers: Sequence[Gather]
    builds: Sequence[Build]
    crafts: Sequence[Craft]
    walkable: Sequence[str]
    drink: str | None = None
    """Material that quenches thirst when walked into."""

    @property
    def achievements(self) -> Sequence[str]:
        """One per law, in the order gather, build, craft."""
        return (
            *(f"gather {law.item}" for law in self.gathers),
            *(f"build {law.material}" for law in self.builds),
            *(f"craft {law.item}" for law in self.crafts),
        )


BASIC = Technology(
    materials=("grass", "path", "tree", "stone", "table"),
    colours=(
        (60, 150, 60), (170, 140, 90), (20, 70, 30), (120, 120, 130), (150, 80, 20),
        (200, 140, 60), (170, 170, 180), (230, 200, 40), (80, 200, 230),
    ),
    items=("wood", "stone", "wood pickaxe", "stone pickaxe"),
    gathers=(
        Gather("tree", "wood", leaves="tree"),
        Gather("stone", "stone", leaves="path", tool="wood pickaxe"),
    ),
    builds=(Build("table", {"wood": 1}),),
    crafts=(
        Craft("wood pickaxe", {"wood": 1}, near="table"),
        Craft("stone pickaxe", {"wood": 1, "stone": 1}, near="table"),
    ),
    walkable=("grass", "path"),
)  # fmt: skip
"""Five achievements, from wood to a stone pickaxe."""

FULL = Technology(
    materials=("grass", "path", "tree", "stone", "table", "sand", "water", "coal", "iron",
               "furnace", "diamond"),
    colours=(
        (60, 150, 60), (170, 140, 90), (20, 70, 30), (120, 120, 130), (150, 80, 20),
        (230, 215, 150), (50, 100, 230), (40, 40, 45), (210, 150, 120), (250, 120, 30),
        (180, 250, 255),
        (200, 140, 60), (170, 170, 180), (70, 70, 80), (225, 170, 140), (200, 255, 255),
        (230, 200, 40), (80, 200, 230), (240, 240, 250), (240, 120, 160),
    ),
    items=("wood", "stone", "coal", "iron", "diamond", "wood pickaxe", "stone pickaxe",
           "iron pickaxe", "sword"),
    gathers=(
        Gather("tree", "wood", leaves="tree", chance=0.8),
        Gather("stone", "stone", leaves="path", tool="wood pickaxe"),
        Gather("coal", "coal", leaves="path", tool="wood pickaxe"),
        Gather("iron", "iron", leaves="path", tool="stone pickaxe"),
        Gather("diamond", "diamond", leaves="path", tool="iron pickaxe"),
    ),
    builds=(Build("table", {"wood": 2}), Build("furnace", {"stone": 2}),
            Build("stone", {"stone": 1})),
    crafts=(
        Craft("wood pickaxe", {"wood": 1}, near="table"),
        Craft("stone pickaxe", {"wood": 1, "stone": 1}, near="table"),
        Craft("iron pickaxe", {"wood": 1, "coal": 1, "iron": 1}, near="furnace"),
        Craft("sword", {"wood": 1, "stone": 1}, near="table"),
    ),
    walkable=("grass", "path", "sand"),
    drink="water",
)  # fmt: skip
"""Twelve achievements beside eating and drinking, after Crafter (Hafner 2021, 2109.06780)."""

_SYLLABLES = ("ba", "do", "fi", "ga", "ku", "lo", "mi", "nu", "pe", "ro", "sa", "ti", "vu", "ze")


def renamed(technology: Technology, seed: int) -> Technology:
    """The same laws under invented names and shuffled colours, with other costs.

    Whoever wants to craft here must read, or try: nothing learned by name carries over.
    """
    rng = np.random.default_rng(seed)
    old = list(dict.fromkeys([*technology.materials, *technology.items]))
    made: list[str] = []
    while len(made) < len(old):
        word = "".join(rng.choice(_SYLLABLES, size=int(rng.integers(2, 4))))
        if word not in made:
            made.append(word)
    names = dict(zip(old, made, strict=True))

    def priced(needs: Mapping[str, int]) -> dict[str, int]:
        return {names[item]: int(rng.integers(1, 4)) for item in needs}

    colours = [technology.colours[i] for i in rng.permutation(len(technology.colours))]
    return Technology(
        materials=[names[m] for m in technology.materials],
        colours=colours,
        items=[names[i] for i in technology.items],
        gathers=[
            replace(
                law,
                material=names[law.material],
                item=names[law.item],
                leaves=names[law.leaves],
                tool=None if law.tool is None else names[law.tool],
            )
            for law in technology.gathers
        ],
        builds=[Build(names[law.material], priced(law.costs)) for law in technology.builds],
        crafts=[
            Craft(names[law.item], priced(law.costs), None if law.near is None else names[law.near])
            for law in technology.crafts
        ],
        walkable=[names[m] for m in technology.walkable],
        drink=None if technology.drink is None else names[technology.drink],
    )
