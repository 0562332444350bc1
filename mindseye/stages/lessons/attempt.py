"""Lessons in reading a single attempt: what it tells of a command, and of trying it again."""

import numpy as np

from mindseye.agents.language.drafts import Hands, line_of
from mindseye.experience.memory import Attempt
from mindseye.models.language.prompts import render
from mindseye.models.language.small import Example
from mindseye.stages.lessons.manuals import drawn_technology
from mindseye.stages.lessons.memory import counted, lacking, state
from mindseye.worlds.minicraft.plans import Law, command_of
from mindseye.worlds.minicraft.technology import Craft, Gather, Technology


def one_attempt(rng: np.random.Generator) -> Example:
    """One line, and one question as a planner with a memory asks it."""
    technology = drawn_technology(rng)
    laws: list[Law] = [*technology.gathers, *technology.builds, *technology.crafts]
    law = laws[int(rng.integers(len(laws)))]
    had, built = _hands(rng, technology, law)
    lack = lacking(law, had, built)
    costs = {} if isinstance(law, Gather) else dict(law.costs)
    used = {name: costs[name] for name in had if name in costs}
    outcome = f"done, used {counted(used)}" if lack is None else lack
    line = line_of(Attempt(state(had, built), command_of(law), "", outcome, lack is None))
    asked = law if rng.random() < 0.8 else laws[int(rng.integers(len(laws)))]
    held, there = _hands(rng, technology, asked)
    now = Hands(held, frozenset(there)).about(line)
    needs, told = _told(lack, had, used, now) if asked is law else ("unknown", "unknown")
    values = {"experiences": [line], "command": command_of(asked)}
    if rng.random() < 0.4:
        return [render("plan_from_memory", **values)[1]], needs
    return [render("predict_outcome", state=now.text, **values)[1]], told


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
