"""Technologies nobody has seen: laws, costs and names drawn anew from a seed."""

import numpy as np

from mindseye.worlds.minicraft.technology import Build, Craft, Gather, Technology

_OUTER, _VOWELS = "bdfghjklmnprstvwz", "aeiou"
_FREE_GATHERS = 2
"""So many materials need no tool; the rest need something crafted."""


def invented_words(rng: np.random.Generator, count: int) -> list[str]:
    """Different words that mean nothing, such as "dorek", over a hundred thousand of them."""
    words: dict[str, None] = {}
    while len(words) < count:
        outer, inner = rng.integers(len(_OUTER), size=3), rng.integers(len(_VOWELS), size=2)
        first, middle, last = (_OUTER[i] for i in outer)
        words[f"{first}{_VOWELS[inner[0]]}{middle}{_VOWELS[inner[1]]}{last}"] = None
    return list(words)


def invented(seed: int, *, gathers: int = 4, builds: int = 2, crafts: int = 5) -> Technology:
    """A technology whose every law is drawn: what gives what, what needs what, what it costs.

    Two materials can be had with bare hands. All else rests on what came before it, so that
    everything can be reached.

    Args:
        seed: Of everything, names included.
        gathers: Materials that yield an item, at least 2.
        builds: Stations.
        crafts: Items made of others.
    """
    rng = np.random.default_rng(seed)
    names = iter(invented_words(rng, 2 + 2 * gathers + builds + crafts))
    ground, path = next(names), next(names)
    sources = [next(names) for _ in range(gathers)]
    made: dict[str, list] = {"gather": [], "build": [], "craft": []}
    raw: list[str] = []
    for kind in _order(rng, gathers, builds, crafts):
        tools = [law.item for law in made["craft"]]
        if kind == "gather":
            source, item = sources[len(raw)], next(names)
            needs = len(raw) >= _FREE_GATHERS
            tool = str(rng.choice(tools)) if needs else None
            made[kind].append(Gather(source, item, leaves=source, tool=tool))
            raw.append(item)
        elif kind == "build":
            made[kind].append(Build(next(names), _costs(rng, raw, [])))
        else:
            stations = [law.material for law in made["build"]]
            near = str(rng.choice(stations)) if stations and rng.random() < 0.75 else None
            made[kind].append(Craft(next(names), _costs(rng, raw, tools), near))
    for laws in made.values():
        rng.shuffle(laws)
    materials = [ground, path, *sources, *(law.material for law in made["build"])]
    items = [law.item for law in (*made["gather"], *made["craft"])]
    colours = rng.integers(40, 256, size=(len(materials) + len(items), 3))
    return Technology(
        materials=materials,
        colours=[(int(r), int(g), int(b)) for r, g, b in colours],
        items=items,
        gathers=made["gather"],
        builds=made["build"],
        crafts=made["craft"],
        walkable=[ground, path],
    )


def _order(rng: np.random.Generator, gathers: int, builds: int, crafts: int) -> list[str]:
    """Kinds of law in the order in which they are drawn: bare hands, then a craft, then any."""
    rest = ["gather"] * (gathers - _FREE_GATHERS) + ["build"] * builds + ["craft"] * (crafts - 1)
    rng.shuffle(rest)
    return ["gather"] * _FREE_GATHERS + ["craft"] + rest


def _costs(rng: np.random.Generator, raw: list[str], tools: list[str]) -> dict[str, int]:
    """One to three things, mostly raw ones, one or two of each."""
    pool = [*raw, *(tool for tool in tools if rng.random() < 0.25)]
    many = min(len(pool), int(rng.integers(1, 4)))
    chosen = rng.choice(len(pool), size=many, replace=False)
    return {pool[i]: 1 if pool[i] in tools else int(rng.integers(1, 3)) for i in chosen}
