"""A technology told in sentences, among others that do not matter."""

from collections.abc import Mapping

import numpy as np

from mindseye.worlds.minicraft.invention import invented_words
from mindseye.worlds.minicraft.technology import Build, Craft, Gather, Technology

_GATHERED = (
    "Get {item} by walking into {source} {tool}.",
    "{item} comes from {source}, when you walk into it {tool}.",
    "To get {item}, walk into {source} {tool}.",
)
_BUILT = (
    "To build {thing} you need {costs}.",
    "{thing} is built from {costs}.",
    "Build {thing} once you have {costs}.",
)
_CRAFTED = (
    "To craft {thing} you need {costs}{near}.",
    "{thing} is crafted{near} from {costs}.",
    "Craft {thing}{near} once you have {costs}.",
)
_IDLE = (
    "The old people of {a} sing about {b} at night.",
    "Travellers say that {a} looks best in the rain.",
    "A poem about {a} was once lost near {b}.",
    "{a} is a nice word, but {b} is nicer.",
    "Nobody knows who painted {a} on the walls of {b}.",
)


def manual(technology: Technology, rng: np.random.Generator, *, idle: int = 0) -> list[str]:
    """One sentence per law, in any order and in varied words.

    Args:
        technology: What is told.
        rng: Chooses words and order.
        idle: Further sentences that name things but tell nothing of use.
    """
    told = [sentence(law, rng) for law in technology.gathers]
    told += [sentence(law, rng) for law in (*technology.builds, *technology.crafts)]
    told += idle_sentences(technology, rng, idle)
    rng.shuffle(told)
    return told


def idle_sentences(technology: Technology, rng: np.random.Generator, count: int) -> list[str]:
    """Sentences that name things but tell nothing of use."""
    things = [*technology.materials, *technology.items, *invented_words(rng, 4)]
    told = []
    for _ in range(count):
        a, b = rng.choice(len(things), size=2, replace=False)
        told.append(str(rng.choice(_IDLE)).format(a=things[a], b=things[b]))
    return told


def sentence(law: Gather | Build | Craft, rng: np.random.Generator) -> str:
    """One law in words."""
    if isinstance(law, Gather):
        tool = f"with {law.tool} in hand" if law.tool else ""
        told = str(rng.choice(_GATHERED)).format(source=law.material, item=law.item, tool=tool)
        return told.replace(" .", ".")
    costs = costs_in_words(law.costs)
    if isinstance(law, Build):
        return str(rng.choice(_BUILT)).format(thing=law.material, costs=costs)
    near = f" beside {law.near}" if law.near else ""
    return str(rng.choice(_CRAFTED)).format(thing=law.item, costs=costs, near=near)


def costs_in_words(costs: Mapping[str, int]) -> str:
    """Such as "2 kelun and 1 zatip"."""
    return " and ".join(f"{count} {item}" for item, count in costs.items())
