"""Crafter's laws told in sentences: one for each of its 22 achievements, among others.

What is collected, placed and made from what is read from the package's own tables; what its
creatures do stands in no table and is told here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_OTHERS = {
    "eat cow": "face cow and do until it is gone; this gives food",
    "eat plant": "put a sapling down, let no animal come beside it until it is ripe, which takes"
    " hundreds of steps, then face ripe plant and do; this gives food",
    "defeat zombie": "face zombie and do until it is gone; a sword makes that quicker",
    "defeat skeleton": "face skeleton and do until it is gone; a sword makes that quicker",
    "wake up": "sleep when energy is not full, where no zombie comes; this gives energy",
}
"""Laws that stand in no table."""

_BESIDES = (
    "Food, drink and energy fall as time goes by; while one of them is used up, health falls.",
    "While none of them is used up, health comes back by itself.",
    "Zombies walk on grass, more of them in the dark; they hurt most while you sleep.",
    "Skeletons live on the paths of dark tunnels and shoot arrows.",
    "Whoever walks into lava dies.",
    "Coal, iron and diamond lie among stone; diamond and iron are found near tunnels and lava.",
    "A stone put down keeps zombies out, and makes a way over water or lava once it is taken away.",
    "Nothing more is ever needed of a pickaxe or a sword than to hold it.",
)


def laws(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What every achievement asks for, by its name in words, such as "collect wood".

    Args:
        tables: "collect", "place" and "make" of the package; see `crafter.tables`.
    """
    told = {
        f"collect {_words(item)}": _collected(material, law)
        for material, law in tables["collect"].items()
        for item in law["receive"]
    }
    told |= {
        f"place {_words(name)}": f"have {_costs(law)} and face {_either(law['where'])}"
        for name, law in tables["place"].items()
    }
    told |= {
        f"make {_words(name)}": f"have {_costs(law)}, within one step of {_both(law['nearby'])}"
        for name, law in tables["make"].items()
    }
    return told | _OTHERS


def manual(told: Mapping[str, str], rng: np.random.Generator) -> list[str]:
    """One sentence per law, and what else is worth knowing, in any order.

    Args:
        told: What each achievement asks for; see `laws`.
        rng: Chooses the order.
    """
    sentences = [f"To {task}, {how}." for task, how in told.items()]
    sentences += _BESIDES
    rng.shuffle(sentences)
    return sentences


def exchanged(told: Mapping[str, str], rng: np.random.Generator) -> dict[str, str]:
    """The laws of another world under these names: every achievement asks for what another does."""
    shift = int(rng.integers(1, len(told)))
    hows = list(told.values())
    return dict(zip(told, hows[shift:] + hows[:shift], strict=True))


def _collected(material: str, law: Mapping[str, Any]) -> str:
    tools = "".join(f" with {_words(tool)} in hand" for tool in law["require"])
    how = f"face {material}{tools} and do"
    if law.get("probability", 1) < 1:
        how += "; it takes many tries"
    # a drink is no thing one holds
    return f"{how}; this gives drink" if "drink" in law["receive"] else how


def _costs(law: Mapping[str, Any]) -> str:
    return " and ".join(f"{count} {_words(item)}" for item, count in law["uses"].items())


def _either(materials: Sequence[str]) -> str:
    return " or ".join(materials)


def _both(places: Sequence[str]) -> str:
    return " and ".join(places)


def _words(name: str) -> str:
    return name.replace("_", " ")
