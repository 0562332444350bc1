"""Problems for ALFWorld's engine, drawn from a seed: a room, what is in it, and what is wanted.

They are written in PDDL over the domain `alfred` that the package `alfworld` brings. Names and
affordances follow ALFRED (Shridhar et al. 2020, arXiv 1912.01734), reduced.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mindseye.core.errors import ConfigError

TASKS = ("pick", "light", "clean", "heat", "cool", "two")
"""ALFWorld's six: pick and place, look at under a lamp, place clean, hot or cool, place two."""


@dataclass(frozen=True)
class Problem:
    """A game: its beginning and its goal."""

    goal: str
    """In words, such as "put a clean apple in countertop"."""
    pddl: str


class _Kind(NamedTuple):
    """A kind of room: most receptacles of each sort, and where which objects may be."""

    receptacles: dict[str, int]
    places: dict[str, tuple[str, ...]]


_OPENABLE = {"cabinet", "drawer", "fridge", "microwave", "dresser"}
_FOOD = ("countertop", "fridge", "diningtable", "sinkbasin", "microwave", "garbagecan")
_DISH = ("countertop", "cabinet", "diningtable", "sinkbasin", "shelf", "fridge", "microwave")
_TOOL = ("countertop", "drawer", "diningtable", "sinkbasin")
_PAPER = ("desk", "drawer", "sidetable", "shelf", "bed", "dresser")
_SMALL = ("coffeetable", "sidetable", "sofa", "drawer", "shelf", "tvstand", "armchair")
_BATH = ("countertop", "cabinet", "drawer", "sinkbasin", "garbagecan", "toilet")
_LAMP = "desklamp"
_LIT = {"bedroom": "desk", "living room": "sidetable"}
"""Where the lamp stands."""
_ROOMS = {
    "kitchen": _Kind(
        {
            "countertop": 3, "cabinet": 6, "drawer": 5, "diningtable": 1, "shelf": 2,
            "garbagecan": 1, "fridge": 1, "microwave": 1, "sinkbasin": 1,
        },
        {
            **dict.fromkeys(("apple", "bread", "egg", "lettuce", "potato", "tomato"), _FOOD),
            **dict.fromkeys(("bowl", "cup", "mug", "plate"), _DISH),
            **dict.fromkeys(("fork", "knife", "spatula", "spoon"), _TOOL),
        },
    ),
    "bedroom": _Kind(
        {"bed": 1, "desk": 2, "sidetable": 2, "drawer": 5, "shelf": 3, "dresser": 1},
        dict.fromkeys(
            ("alarmclock", "book", "cd", "cellphone", "creditcard", "keychain", "pen", "pencil"),
            _PAPER,
        ),
    ),
    "living room": _Kind(
        {
            "sofa": 1, "armchair": 2, "coffeetable": 1, "sidetable": 2, "drawer": 4, "shelf": 2,
            "tvstand": 1,
        },
        dict.fromkeys(
            ("box", "creditcard", "keychain", "newspaper", "remotecontrol", "statue", "watch"),
            _SMALL,
        ),
    ),
    "bathroom": _Kind(
        {"countertop": 2, "cabinet": 4, "drawer": 3, "garbagecan": 1, "sinkbasin": 2, "toilet": 1},
        dict.fromkeys(("candle", "cloth", "soapbar", "soapbottle", "spraybottle"), _BATH),
    ),
}  # fmt: skip
_FOODS = ("apple", "bread", "egg", "potato", "tomato")
_AFFORDS = {
    "clean": ("apple", "bowl", "cloth", "cup", "fork", "knife", "lettuce", "mug", "plate",
              "potato", "soapbar", "spatula", "spoon", "tomato"),
    "heat": (*_FOODS, "cup", "mug", "plate"),
    "cool": (*_FOODS, "bowl", "cup", "lettuce", "mug", "plate"),
}  # fmt: skip
_ABLE = {"clean": "cleanable", "heat": "heatable", "cool": "coolable"}
_MADE = {"clean": "isclean", "heat": "ishot", "cool": "iscool"}
_WORDS = {"clean": "clean ", "heat": "hot ", "cool": "cool "}
_STATIONS = {"clean": "sinkbasin", "heat": "microwave", "cool": "fridge"}
_TYPES = ("sinkbasin", "microwave", "fridge"), ("knife", "butterknife")
"""Receptacles and objects that the domain names, so that every problem must."""


def problem(task: str, rng: np.random.Generator, *, things: int = 8) -> Problem:
    """One game, in a kind of room that has what the task takes.

    What is wanted is never where it is wanted already, and all that can be opened is shut.

    Args:
        task: Of `TASKS`.
        rng: Draws all of it.
        things: How many objects besides those that are wanted.

    Raises:
        ConfigError: If there is no such task.
    """
    if task not in TASKS:
        raise ConfigError(f"alfworld: no task {task!r}; there are {', '.join(TASKS)}, any")
    fitting = [(room, thing) for room in _ROOMS for thing in _wanted(task, room)]
    rooms = list(dict.fromkeys(room for room, _ in fitting))
    name = rooms[int(rng.integers(len(rooms)))]
    thing = _one([thing for room, thing in fitting if room == name], rng)
    room = _ROOMS[name]
    wanted = [p for p in room.places[thing] if p in room.receptacles and p != _STATIONS.get(task)]
    target = _one(wanted, rng)
    # what the task takes is there at least once
    needs = {target, _STATIONS.get(task), _LIT.get(name)}
    counts = {
        place: int(rng.integers(1 if place in needs else 0, most + 1))
        for place, most in room.receptacles.items()
    }
    elsewhere = [p for p in room.places[thing] if counts.get(p) and p != target]
    if not elsewhere:
        other = _one([p for p in room.places[thing] if p in counts and p != target], rng)
        counts[other], elsewhere = 1, [other]
    placed = [(thing, _one(elsewhere, rng)) for _ in range(2 if task == "two" else 1)]
    others = [other for other in room.places if other != thing]
    for _ in range(things):
        other = _one(others, rng)
        there = [place for place in room.places[other] if counts.get(place)]
        if there:
            placed.append((other, _one(there, rng)))
    if name in _LIT:
        placed.append((_LAMP, _LIT[name]))
    numbered = [(o, place, int(rng.integers(1, counts[place] + 1))) for o, place in placed]
    goal = _goal(task, thing, target)
    return Problem(_told(task, thing, target), _written(room, counts, numbered, goal))


def _wanted(task: str, room: str) -> list[str]:
    kind = _ROOMS[room]
    if task == "light":
        return list(kind.places) if room in _LIT else []
    if task not in _STATIONS:
        return list(kind.places)
    if _STATIONS[task] not in kind.receptacles:
        return []
    return [thing for thing in kind.places if thing in _AFFORDS[task]]


def _one(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _told(task: str, thing: str, target: str) -> str:
    if task == "light":
        return f"look at {thing} under the {_LAMP}"
    if task == "two":
        return f"put two {thing} in {target}"
    return f"put a {_WORDS.get(task, '')}{thing} in {target}"


def _goal(task: str, thing: str, target: str) -> str:
    if task == "light":
        return (
            f"(exists (?t - object ?r - receptacle ?a - agent ?l - location) (and (objecttype ?t"
            f" {_LAMP}type) (toggleable ?t) (istoggled ?t) (receptacleatlocation ?r ?l)"
            f" (atlocation ?a ?l) (inreceptacle ?t ?r))) (exists (?o - object ?a - agent)"
            f" (and (objecttype ?o {thing}type) (holds ?a ?o)))"
        )
    there = f"(receptacletype ?r {target}type)"
    if task == "two":
        return (
            f"(exists (?r - receptacle ?o - object ?p - object) (and {there} (not (= ?o ?p))"
            f" (objecttype ?o {thing}type) (inreceptacle ?o ?r)"
            f" (objecttype ?p {thing}type) (inreceptacle ?p ?r)))"
        )
    made = f" ({_ABLE[task]} ?o) ({_MADE[task]} ?o)" if task in _MADE else ""
    return (
        f"(exists (?r - receptacle ?o - object) (and {there} (objecttype ?o {thing}type)"
        f" (inreceptacle ?o ?r){made}))"
    )


def _written(
    room: _Kind, counts: dict[str, int], things: Sequence[tuple[str, str, int]], goal: str
) -> str:
    receptacles = [(place, n + 1) for place, count in counts.items() for n in range(count)]
    objects = [(thing, n, place, at) for n, (thing, place, at) in enumerate(things, 1)]
    rtypes = sorted({*_TYPES[0], *counts})
    otypes = sorted({*_TYPES[1], *room.places, *(thing for thing, *_ in objects)})
    lines = ["(define (problem made) (:domain alfred)", "(:objects", "agent1 - agent"]
    lines += [f"loc_bar_{n} - location" for n in range(len(receptacles) + 1)]
    lines += [f"{_name(*receptacle)} - receptacle" for receptacle in receptacles]
    lines += [f"{_name(thing, n)} - object" for thing, n, *_ in objects]
    lines += [f"{name}type - rtype" for name in rtypes] + [f"{o}type - otype" for o in otypes]
    lines += [")", "(:init", "(= (total-cost) 0)", "(atlocation agent1 loc_bar_0)"]
    location = {}
    for number, (place, n) in enumerate(receptacles, 1):
        location[place, n] = f"loc_bar_{number}"
        name = _name(place, n)
        lines += [
            f"(receptacletype {name} {place}type)",
            f"(receptacleatlocation {name} loc_bar_{number})",
        ]
        lines += [f"(openable {name})"] if place in _OPENABLE else []
    lines += [
        f"(cancontain {place}type {thing}type)"
        for thing, places in room.places.items()
        for place in places
        if place in counts
    ]
    for thing, n, place, at in objects:
        lines += _facts(thing, _name(thing, n), _name(place, at), location[place, at])
    return "\n".join([*lines, ")", f"(:goal (and {goal}))", "(:metric minimize (total-cost))", ")"])


def _facts(thing: str, name: str, place: str, location: str) -> Iterator[str]:
    yield f"(objecttype {name} {thing}type)"
    yield f"(inreceptacle {name} {place})"
    yield f"(objectatlocation {name} {location})"
    yield f"(toggleable {name})" if thing == _LAMP else f"(pickupable {name})"
    for task, able in _ABLE.items():
        if thing in _AFFORDS[task]:
            yield f"({able} {name})"


def _name(kind: str, number: int) -> str:
    """As ALFWorld writes names: what is before the first bar is told, numbers are given anew."""
    if kind == "sinkbasin":
        return f"sink_bar_{number:02}_bar_sinkbasin"
    return f"{kind}_bar_{number:02}"
