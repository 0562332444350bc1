"""What the agent sees, in a sentence."""

from functools import lru_cache

import numpy as np

from mindseye.worlds.grids.colours import NAMES as COLOURS
from mindseye.worlds.grids.levels import PHRASES
from mindseye.worlds.grids.objects import DOOR_STATES, EMPTY, TRIPLES, TYPES, UNSEEN
from mindseye.worlds.grids.view import SIDE

_FACING = ("east", "south", "west", "north")
_SIGHTS = ("door", "key", "ball", "box", "goal", "lava")
_IS_SIGHT = np.isin(TRIPLES[:, 0], [TYPES.index(kind) for kind in _SIGHTS])
_MIDDLE, _NEAREST = SIDE // 2, SIDE - 1


def name(code: int) -> str:
    """An object in words, such as "locked yellow door"."""
    kind, colour, state = TRIPLES[code]
    word = TYPES[kind]
    if word in ("empty", "wall", "lava"):
        return word
    words = [DOOR_STATES[state]] if word == "door" else []
    return " ".join([*words, COLOURS[colour], word])


def mission(target: int, phrase: int) -> str:
    """A request to fetch an object."""
    return PHRASES[phrase].format(name(target))


def describe(views: np.ndarray, direction: np.ndarray) -> list[str]:
    """One sentence or two per row, from views of shape (rows, 7, 7)."""
    packed = views.tobytes()
    size = SIDE * SIDE
    starts = range(0, len(packed), size)
    return [
        _sentence(packed[at : at + size], way)
        for at, way in zip(starts, direction.tolist(), strict=True)
    ]


@lru_cache(maxsize=1 << 16)
def _sentence(view: bytes, direction: int) -> str:
    cells = np.frombuffer(view, np.uint8).reshape(SIDE, SIDE)
    parts = [f"You face {_FACING[direction]}.", _ahead(cells[_MIDDLE, :_NEAREST][::-1].tolist())]
    seen = [
        (_NEAREST - row, column - _MIDDLE, int(cells[column, row]))
        for column, row in np.argwhere(_IS_SIGHT[cells])
        if (column, row) != (_MIDDLE, _NEAREST)
    ]
    for ahead, side, code in sorted(seen):
        parts.append(f"{_with_article(code).capitalize()} is {_where(ahead, side)}.")
    own = int(cells[_MIDDLE, _NEAREST])
    if own != EMPTY:
        parts.append(f"You carry {_with_article(own)}.")
    return " ".join(parts)


def _ahead(line: list[int]) -> str:
    free = next((i for i, code in enumerate(line) if code != EMPTY), len(line))
    cells = "1 free cell" if free == 1 else f"{free} free cells"
    if free == len(line) or line[free] == UNSEEN:
        return f"Ahead: {cells}."
    return f"Ahead: {cells}, then {_with_article(line[free])}."


def _where(ahead: int, side: int) -> str:
    places = [f"{ahead} ahead"] if ahead else []
    if side:
        places.append(f"{abs(side)} to the {'right' if side > 0 else 'left'}")
    return " and ".join(places)


def _with_article(code: int) -> str:
    words = name(code)
    if words == "lava":
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
