"""Lessons in learning from one's own attempts: what commands need, whether they will succeed."""

import numpy as np

from mindseye.models.language.prompts import render
from mindseye.models.language.small import Example
from mindseye.stages.lessons.manuals import conversation, drawn_technology
from mindseye.worlds.minicraft.plans import Law, command_of
from mindseye.worlds.minicraft.technology import Craft, Gather, Technology


class _Attempts:
    """Commands tried with whatever was at hand, and what became of them."""

    def __init__(self, rng: np.random.Generator, size: float):
        self.technology: Technology = drawn_technology(rng, size)
        technology = self.technology
        self.laws: list[Law] = [*technology.gathers, *technology.builds, *technology.crafts]
        self.rng = rng
        some = rng.choice(len(self.laws), size=min(4, len(self.laws)), replace=False)
        self.tried = [self.laws[i] for i in some]
        self.lines: list[str] = []
        self.known: dict[str, _Known] = {}
        for _ in range(int(rng.integers(0, 3 + round(6 * size)))):
            self.attempt(self.tried[int(rng.integers(len(self.tried)))])

    def attempt(self, law: Law) -> None:
        """One line more, and what it tells."""
        had, built = self.hands(law)
        lack = lacking(law, had, built)
        command = command_of(law)
        known = self.known.setdefault(command, _Known())
        costs = {} if isinstance(law, Gather) else dict(law.costs)
        if lack is None:
            outcome = f"done, used {counted(costs)}"
            known.costs, known.succeeded = costs, True
        else:
            outcome = lack
            known.learn(lack, had)
        self.lines.append(f"{command}: {outcome}; {state(had, built)}")

    def hands(self, law: Law) -> tuple[dict[str, int], list[str]]:
        """Things held and built: enough for a law, or a little short of it."""
        rng, technology = self.rng, self.technology
        had = {item: int(rng.integers(1, 4)) for item in technology.items if rng.random() < 0.25}
        built = [law.material for law in technology.builds if rng.random() < 0.4]
        if isinstance(law, Gather):
            if law.tool and rng.random() < 0.6:
                had[law.tool] = 1
        else:
            for item, count in law.costs.items():
                if rng.random() < 0.8:
                    had[item] = max(0, count - int(rng.random() < 0.25))
            near = law.near if isinstance(law, Craft) else None
            if near and rng.random() < 0.7 and near not in built:
                built.append(near)
        order = [item for item in technology.items if had.get(item, 0) > 0]
        stations = [law.material for law in technology.builds if law.material in built]
        return {item: had[item] for item in order}, stations

    def asked(self) -> Law:
        """A law to be asked about: mostly one that was tried."""
        pool = self.tried if self.rng.random() < 0.85 else self.laws
        return pool[int(self.rng.integers(len(pool)))]


class _Known:
    """What attempts told about one command."""

    def __init__(self):
        self.costs: dict[str, int] = {}
        self.built: list[str] = []
        self.hand: list[str] = []
        self.succeeded = False

    def learn(self, lack: str, had: dict[str, int]) -> None:
        words = lack.split()
        if words[-1] == "built":
            self.built = [words[2]]
        elif words[-1] == "hand":
            self.hand = [words[2]]
        elif not self.succeeded:
            self.costs[words[4]] = had.get(words[4], 0) + int(words[2])

    def needs(self) -> str:
        """As the prompt `plan_from_memory` wants it said."""
        parts = [f"{count} {item}" for item, count in self.costs.items()]
        parts += [f"{place} built" for place in self.built] + [f"{t} in hand" for t in self.hand]
        if parts:
            return ", ".join(parts)
        return "nothing" if self.succeeded else "unknown"

    def outcome(self, had: dict[str, int], built: list[str]) -> str:
        """As the prompt `predict_outcome` wants it said."""
        for tool in self.hand:
            if not had.get(tool):
                return f"fails: you need {tool} in hand"
        for place in self.built:
            if place not in built:
                return f"fails: you need {place} built"
        lacks = {item: n - had.get(item, 0) for item, n in self.costs.items()}
        if lacks and max(lacks.values()) > 0:
            item = max(lacks, key=lambda name: lacks[name])
            return f"fails: you need {lacks[item]} more {item}"
        return "succeeds" if self.succeeded else "unknown"


def lacking(law: Law, had: dict[str, int], built: list[str]) -> str | None:
    """The first thing missing, as a workshop says it; None if nothing is."""
    if isinstance(law, Gather):
        return None if not law.tool or had.get(law.tool) else f"you need {law.tool} in hand"
    if isinstance(law, Craft) and law.near and law.near not in built:
        return f"you need {law.near} built"
    lacks = {item: count - had.get(item, 0) for item, count in law.costs.items()}
    item = max(lacks, key=lambda name: lacks[name])
    return f"you need {lacks[item]} more {item}" if lacks[item] > 0 else None


def state(had: dict[str, int], built: list[str]) -> str:
    """Such as "had 1 zat, 2 kelm; built lomik"."""
    return f"had {counted(had)}; built {', '.join(built) or 'nothing'}"


def counted(things: dict[str, int]) -> str:
    """Such as "1 zat, 2 kelm", or "nothing"."""
    return ", ".join(f"{count} {item}" for item, count in things.items()) or "nothing"


def plan_from_memory(rng: np.random.Generator, size: float = 1.0) -> Example:
    """What must be had before a command, by attempts."""
    attempts = _Attempts(rng, size)
    laws = [attempts.asked() for _ in range(5)]
    commands = [command_of(law) for law in laws]
    prompts = [
        render("plan_from_memory", experiences=attempts.lines, command=command)
        for command in commands
    ]
    return conversation(prompts, [attempts.known.get(c, _Known()).needs() for c in commands])


def predict_outcome(rng: np.random.Generator, size: float = 1.0) -> Example:
    """What will become of a command, by attempts."""
    attempts = _Attempts(rng, size)
    prompts, answers = [], []
    for _ in range(4):
        law = attempts.asked()
        command = command_of(law)
        had, built = attempts.hands(law)
        now = state(had, built)
        prompts.append(
            render("predict_outcome", experiences=attempts.lines, state=now, command=command)
        )
        answers.append(attempts.known.get(command, _Known()).outcome(had, built))
    return conversation(prompts, answers, lines=2)
