"""What the small language model learns: texts of our own worlds, drawn anew every time."""

from collections.abc import Callable

import numpy as np

from mindseye.models.language.small import Example
from mindseye.stages.lessons import crafting, facts, games, manuals, memory

__all__ = ["LESSONS", "draw"]

Lesson = Callable[[np.random.Generator, float], Example]
"""A lesson drawn by a generator, of a size in (0, 1]."""

LESSONS: dict[str, tuple[Lesson, float]] = {
    "facts": (facts.facts, 2.0),
    "needs": (manuals.needs, 8.0),
    "relevant": (manuals.relevant, 0.5),
    "missing": (crafting.missing, 8.0),
    "task": (crafting.task, 3.0),
    "act": (crafting.act, 5.0),
    "induce": (games.induce, 3.0),
    "foresee": (games.foresee, 3.0),
    "judge": (games.judge, 0.7),
    "plan_from_memory": (memory.plan_from_memory, 1.5),
    "predict_outcome": (memory.predict_outcome, 3.0),
}
"""Every lesson, named by its prompt, and how often it is drawn next to the others."""

_ALONE, _GROWN = 0.12, 0.5
"""Shares of training: facts alone until the first, then lessons that grow until the second."""


def draw(rng: np.random.Generator, count: int, progress: float = 1.0) -> list[tuple[str, Example]]:
    """Lessons by name, at random.

    Whoever cannot look up a name yet learns nothing from a whole manual: begun with everything,
    looking up was not learned within 400 updates, begun with facts alone within 100.

    Args:
        rng: Draws.
        count: Of lessons.
        progress: Share of training that is done: at first facts alone, then all lessons, small at
            the beginning.
    """
    names = list(LESSONS) if progress >= _ALONE else ["facts"]
    weights = np.array([LESSONS[name][1] for name in names])
    drawn = rng.choice(len(names), size=count, p=weights / weights.sum())
    size = min(1.0, max(0.1, (progress - _ALONE) / (_GROWN - _ALONE)))
    return [(names[i], LESSONS[names[i]][0](rng, size)) for i in drawn]
