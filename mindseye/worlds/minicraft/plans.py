"""What must be done, in order, to make a thing: the teacher's knowledge of a technology."""

from collections import Counter
from collections.abc import Mapping

from mindseye.worlds.minicraft.technology import Build, Craft, Gather, Technology

Law = Gather | Build | Craft


def law_of(technology: Technology, thing: str) -> Law | None:
    """The law that makes an item or builds a station; None if no law does.

    Where a material both lies about and can be built, the law that builds it.
    """
    for law in (*technology.crafts, *technology.gathers):
        if law.item == thing:
            return law
    return next((law for law in technology.builds if law.material == thing), None)


def command_of(law: Law) -> str:
    """How one says that a law be used."""
    match law:
        case Gather():
            return f"gather {law.item}"
        case Build():
            return f"build {law.material}"
        case Craft():
            return f"craft {law.item}"


def plan_for(
    technology: Technology, thing: str, held: Mapping[str, int], built: frozenset[str]
) -> list[str]:
    """Commands, in an order that works, that make one more of a thing.

    Args:
        technology: The laws.
        thing: Item or station.
        held: Counts of items.
        built: Stations that are there.
    """
    plan: list[str] = []
    hands, stations = Counter(held), set(built)

    def need(what: str, count: int) -> None:
        while hands[what] < count:
            make(what)

    def make(what: str) -> None:
        law = law_of(technology, what)
        assert law is not None, what
        if isinstance(law, Gather):
            if law.tool is not None:
                need(law.tool, 1)
        else:
            place = law.near if isinstance(law, Craft) else None
            if place is not None and place not in stations:
                make(place)
            # paying for one thing may use up what was had for another: go round until all is there
            while any(hands[item] < count for item, count in law.costs.items()):
                for item, count in law.costs.items():
                    need(item, count)
            hands.subtract(law.costs)
        if isinstance(law, Build):
            stations.add(law.material)
        else:
            hands[what] += 1
        plan.append(command_of(law))

    make(thing)
    return plan
