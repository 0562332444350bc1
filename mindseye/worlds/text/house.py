"""What there is in the house: rooms, places to put things, things, and what may be asked for."""

ROOMS = {
    "kitchen": ("fridge", "microwave", "sink", "counter", "cabinet 1", "cabinet 2"),
    "living room": ("table", "sofa", "shelf"),
    "bedroom": ("bed", "desk", "drawer 1", "drawer 2"),
}
PLACES = tuple(place for places in ROOMS.values() for place in places)
ROOM_OF = tuple(room for room, places in enumerate(ROOMS.values()) for _ in places)
HAS_DOOR = tuple(
    place in ("fridge", "microwave") or place.startswith(("cabinet", "drawer")) for place in PLACES
)
_FOOD = ("fridge", "counter", "cabinet 1", "cabinet 2", "table")
_DISHES = ("cabinet 1", "cabinet 2", "counter", "table", "shelf", "desk")
_PAPER = ("desk", "drawer 1", "drawer 2", "shelf", "sofa", "bed", "table")
STARTS = {
    "mug": _DISHES, "plate": _DISHES, "knife": _DISHES, "apple": _FOOD, "egg": _FOOD,
    "bread": _FOOD, "book": _PAPER, "pen": _PAPER, "towel": _PAPER,
}  # fmt: skip
"""Things, and where they may lie at first."""
THINGS = tuple(STARTS)
CONDITIONS = ("", "clean", "hot", "cool")
TREATMENTS = {"clean": ("clean", "sink"), "heat": ("hot", "microwave"), "cool": ("cool", "fridge")}
"""Verbs, what they make of a thing, and where."""
_WASHABLE, _EDIBLE = ("mug", "plate", "knife", "apple"), ("mug", "apple", "egg", "bread")
SUITS = {"": THINGS, "clean": _WASHABLE, "hot": _EDIBLE, "cool": _EDIBLE}
"""Things each condition is asked of."""
TARGETS = ("counter", "table", "sofa", "shelf", "bed", "desk", "cabinet 1", "drawer 1")


def on(place: str) -> str:
    """Such as "on the desk", "in the drawer 1"."""
    return f"{'in' if HAS_DOOR[PLACES.index(place)] else 'on'} the {place}"


def goals() -> list[tuple[int, int, int]]:
    """All that may be asked for: thing, condition, place."""
    return [
        (THINGS.index(thing), condition, PLACES.index(place))
        for condition, name in enumerate(CONDITIONS)
        for thing in SUITS[name]
        for place in TARGETS
    ]
