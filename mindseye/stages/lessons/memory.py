"""Lessons in reading a single attempt: what it tells of a command, and of trying it again."""

import numpy as np

from mindseye.agents.language.drafts import Hands, counted, line_of
from mindseye.experience.memory import Attempt
from mindseye.models.language.prompts import render
from mindseye.models.language.small import Example
from mindseye.stages.lessons.manuals import conversation, drawn_technology
from mindseye.worlds.minicraft.plans import Law, command_of
from mindseye.worlds.minicraft.technology import Craft, Gather, Technology


class _Tried:
    """A command tried with whatever was at hand, what became of it, and what is asked then."""

    def __init__(self, rng: np.random.Generator):
        self.rng, self.technology = rng, drawn_technology(rng)
        technology = self.technology
        self.laws: list[Law] = [*technology.gathers, *technology.builds, *technology.crafts]
        self.law = self.laws[int(rng.integers(len(self.laws)))]
        self.had, built = _hands(rng, technology, self.law)
        self.lack = lacking(self.law, self.had, built)
        costs = {} if isinstance(self.law, Gather) else dict(self.law.costs)
        self.used = {name: costs[name] for name in self.had if name in costs}
        outcome = self.lack or f"done, used {counted(self.used)}"
        before = Hands(self.had, frozenset(built)).text
        attempt = Attempt(before, command_of(self.law), "", outcome, self.lack is None)
        self.line = line_of(attempt)

    def asked(self) -> tuple[Law, Hands, str, str]:
        """A command, what is at hand, what is known to be needed, and what will happen."""
        law = self.law
        if self.rng.random() < 0.2:
            law = self.laws[int(self.rng.integers(len(self.laws)))]
        held, there = _hands(self.rng, self.technology, law)
        now = Hands(held, frozenset(there)).about(self.line)
        if law is not self.law:
            return law, now, "unknown", "unknown"
        return law, now, *_told(self.lack, self.had, self.used, now)


def plan_from_memory(rng: np.random.Generator, size: float = 1.0) -> Example:
    """What must be had before a command, by one attempt, whatever the size."""
    tried = _Tried(rng)
    law, _, needs, _ = tried.asked()
    values = {"experiences": [tried.line], "command": command_of(law)}
    return [render("plan_from_memory", **values)[1]], needs


def predict_outcome(rng: np.random.Generator, size: float = 1.0) -> Example:
    """What will become of a command, by one attempt, several times."""
    tried = _Tried(rng)
    prompts, answers = [], []
    for _ in range(1 + round(3 * size)):
        law, now, _, told = tried.asked()
        values = {"experiences": [tried.line], "state": now.text, "command": command_of(law)}
        prompts.append(render("predict_outcome", **values))
        answers.append(told)
    return conversation(prompts, answers, lines=2)


def _told(
    lack: str | None, had: dict[str, int], used: dict[str, int], now: Hands
) -> tuple[str, str]:
    """What is known to be needed, and what will happen now."""
    if lack is None:
        short = {name: n - now.held.get(name, 0) for name, n in used.items()}
        worst = max(short, key=lambda name: short[name], default="")
        fails = short.get(worst, 0) > 0
        return counted(
            used
        ), f"fails: you need {short[worst]} more {worst}" if fails else "succeeds"
    words = lack.split()
    if words[-1] == "built":
        return f"{words[2]} built", "unknown" if words[2] in now.built else f"fails: {lack}"
    if words[-1] == "hand":
        return f"{words[2]} in hand", "unknown" if now.held.get(words[2]) else f"fails: {lack}"
    total = had.get(words[4], 0) + int(words[2])
    left = total - now.held.get(words[4], 0)
    told = f"fails: you need {left} more {words[4]}" if left > 0 else "unknown"
    return f"{total} {words[4]}", told


def _hands(
    rng: np.random.Generator, technology: Technology, law: Law
) -> tuple[dict[str, int], list[str]]:
    """Things held and built: what a law needs, or a little less, and a few things more."""
    most = float(rng.choice([0.0, 0.15, 0.4]))
    had = {item: int(rng.integers(1, 5)) for item in technology.items if rng.random() < most}
    built = [place.material for place in technology.builds if rng.random() < 0.4]
    if isinstance(law, Gather):
        if law.tool and rng.random() < 0.6:
            had[law.tool] = 1
    else:
        for item, count in law.costs.items():
            if rng.random() < 0.8:
                had[item] = max(0, count + int(rng.choice([-1, -1, 0, 0, 1])))
        if isinstance(law, Craft) and law.near and law.near not in built and rng.random() < 0.7:
            built.append(law.near)
    return {item: had[item] for item in technology.items if had.get(item, 0) > 0}, sorted(built)


def lacking(law: Law, had: dict[str, int], built: list[str]) -> str | None:
    """The first thing missing, as a workshop says it; None if nothing is."""
    if isinstance(law, Gather):
        return None if not law.tool or had.get(law.tool) else f"you need {law.tool} in hand"
    if isinstance(law, Craft) and law.near and law.near not in built:
        return f"you need {law.near} built"
    lacks = {item: count - had.get(item, 0) for item, count in law.costs.items()}
    item = max(lacks, key=lambda name: lacks[name])
    return f"you need {lacks[item]} more {item}" if lacks[item] > 0 else None
