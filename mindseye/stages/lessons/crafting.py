"""Lessons in deciding: what is missing, what comes first, where to walk."""

import numpy as np

from mindseye.models.language.prompts import render
from mindseye.models.language.small import Example
from mindseye.stages.lessons.manuals import conversation
from mindseye.worlds.minicraft.invention import invented_words
from mindseye.worlds.minicraft.manual import sentence
from mindseye.worlds.minicraft.plans import Law
from mindseye.worlds.minicraft.technology import Build, Craft, Gather

_MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


class _Scene:
    """What one might see and hold, in the words of the text face of minicraft."""

    def __init__(self, rng: np.random.Generator, size: float):
        names = invented_words(rng, 14)
        many = int(rng.integers(1, 3 + round(4 * size)))
        self.places = names[:many]
        self.items = names[7:]
        self.at = {
            place: (int(rng.integers(-8, 9)), int(rng.integers(-8, 9)) or 1)
            for place in self.places
        }
        for place in self.places:
            if rng.random() < 0.3:
                near = [(0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
                self.at[place] = near[int(rng.integers(8))]
        held = rng.choice(
            len(self.items), size=int(rng.integers(0, 2 + round(3 * size))), replace=False
        )
        most = 10 if rng.random() < 0.3 else 5
        self.held = {self.items[i]: int(rng.integers(1, most)) for i in sorted(held.tolist())}
        self.below = names[6] if rng.random() < 0.2 else None

    def text(self) -> str:
        seen = sorted((abs(y) + abs(x), f"{p} {_where(y, x)}") for p, (y, x) in self.at.items())
        parts = [f"You see {', '.join(words for _, words in seen)}."]
        if self.below:
            parts.append(f"You stand on {self.below}.")
        held = ", ".join(f"{count} {item}" for item, count in self.held.items())
        parts.append(f"You hold {held or 'nothing'}.")
        return " ".join(parts)


def missing(rng: np.random.Generator, size: float = 1.0) -> Example:
    """What of the needed is there, and what is not."""
    scene = _Scene(rng, size)
    prompts, answers = [], []
    for _ in range(5):
        law, checks, lacks = _law(rng, scene)
        prompts.append(render("missing", observation=scene.text(), sentence=sentence(law, rng)))
        answers.append(f"{', '.join(checks) or 'nothing'}: {', '.join(lacks) or 'nothing'}")
    return conversation(prompts, answers, lines=2)


def _law(rng: np.random.Generator, scene: "_Scene") -> tuple[Law, list[str], list[str]]:
    """A law about what is here, what of it is there, and what is missing."""
    thing = invented_words(rng, 1)[0]
    if rng.random() < 0.3:
        source = scene.places[int(rng.integers(len(scene.places)))]
        tool = _any(rng, scene) if rng.random() < 0.7 else None
        return Gather(source, thing, source, tool), *_there(tool, tool in scene.held)
    some = rng.choice(len(scene.items), size=int(rng.integers(1, 4)), replace=False)
    costs = {scene.items[i]: int(rng.integers(1, 4)) for i in some}
    if scene.held and rng.random() < 0.6:
        costs[_any(rng, scene)] = int(rng.integers(1, 4))
    held = {item: scene.held.get(item, 0) for item in costs}
    checks = [f"{count} {item} of {held[item]}" for item, count in costs.items()]
    lacks = [f"{n - held[item]} {item}" for item, n in costs.items() if held[item] < n]
    if rng.random() < 0.4:
        return Build(thing, costs), checks, lacks
    near = None
    known = [*scene.places, *([scene.below] if scene.below else [])]
    if rng.random() < 0.7:
        is_known = rng.random() < 0.6
        near = known[int(rng.integers(len(known)))] if is_known else invented_words(rng, 1)[0]
    place, absent = _there(near, near in known)
    return Craft(thing, costs, near), [*checks, *place], [*lacks, *absent]


def _there(name: str | None, is_there: bool) -> tuple[list[str], list[str]]:
    """What is said of a tool or a place, and whether it is missing."""
    if name is None:
        return [], []
    return ([f"{name} yes"], []) if is_there else ([f"{name} no"], [name])


def task(rng: np.random.Generator, size: float = 1.0) -> Example:
    """Which of several tasks lacks least."""
    names = invented_words(rng, 16)
    tasks: list[tuple[str, str]] = []
    lacks: list[int] = []
    for index in range(int(rng.integers(2, 4 + round(6 * size)))):
        counts = rng.integers(1, 4, size=int(rng.integers(0, 4))).tolist()
        said = [f"{count} {names[int(rng.integers(16))]}" for count in counts]
        place = rng.random() < 0.3
        said += [names[int(rng.integers(16))]] if place else []
        verb = str(rng.choice(["get", "build", "craft"]))
        tasks.append((f"{verb} {names[index]}", ", ".join(said) or "nothing"))
        lacks.append(sum(counts) + place)
    return [render("task", tasks=tasks)[1]], tasks[int(np.argmin(lacks))][0]


def act(rng: np.random.Generator, size: float = 1.0) -> Example:
    """Which command furthers a task; several in one place."""
    scene = _Scene(rng, size)
    asked = [_errand(rng, scene) for _ in range(5)]
    prompts = [
        render("act", observation=scene.text(), last=last, task=said) for last, said, _ in asked
    ]
    return conversation(prompts, [answer for *_, answer in asked], lines=3)


def _errand(rng: np.random.Generator, scene: _Scene) -> tuple[str, str, str]:
    """What happened last, a task, and the command that furthers it."""
    target = scene.places[int(rng.integers(len(scene.places)))]
    way = scene.at[target]
    item = scene.items[int(rng.integers(len(scene.items)))]
    kind = str(rng.choice(["get", "craft", "beside", "build"], p=[0.5, 0.1, 0.3, 0.1]))
    last, blocked = "stay: nothing", None
    if rng.random() < 0.8:
        move = _ways(way)[0] if rng.random() < 0.5 else str(rng.choice(list(_MOVES)))
        became = str(rng.choice(["moved", "nothing", "other", "same"], p=[0.4, 0.3, 0.15, 0.15]))
        got = item if became == "same" else scene.items[int(rng.integers(len(scene.items)))]
        is_of_use = became == "moved" or (kind == "get" and became in ("same", "other"))
        is_of_use = is_of_use and (became == "moved" or got == item)
        last = f"{move}: " + (became if became in ("moved", "nothing") else f"got 1 {got}")
        blocked = None if is_of_use else move
    if kind in ("build", "craft"):
        return last, f"{kind} {item}", f"{kind} {item}"
    if scene.below and kind == "beside" and rng.random() < 0.3:
        return last, f"craft {item} beside {scene.below}", f"craft {item}"
    said = f"get {item} from {target}" if kind == "get" else f"craft {item} beside {target}"
    is_near = kind == "beside" and max(map(abs, way)) <= 1
    if is_near:
        return last, said, f"{target} {_where(*way)}. craft {item}"
    failed = "" if blocked is None else f"{blocked} nothing. "
    return last, said, f"{target} {_where(*way)}. {failed}{_walk(way, blocked)}"


def _any(rng: np.random.Generator, scene: _Scene) -> str:
    pool = list(scene.held) if scene.held and rng.random() < 0.5 else scene.items
    return pool[int(rng.integers(len(pool)))]


def _ways(way: tuple[int, int]) -> list[str]:
    """All moves, the most promising first: along the longer way, along the other, then aside."""
    down, right = way
    vertical = ["down", "up"] if down >= 0 else ["up", "down"]
    across = ["right", "left"] if right >= 0 else ["left", "right"]
    first, second = (vertical, across) if abs(down) > abs(right) else (across, vertical)
    return [first[0], second[0], second[1], first[1]]


def _walk(way: tuple[int, int], blocked: str | None) -> str:
    return next(move for move in _ways(way) if move != blocked)


def _where(down: int, right: int) -> str:
    vertical = f"{abs(down)} {'down' if down > 0 else 'up'}" if down else ""
    across = f"{abs(right)} {'right' if right > 0 else 'left'}" if right else ""
    return " and ".join(part for part in (vertical, across) if part)
