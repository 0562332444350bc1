"""What the small language model learns: texts of our own worlds, drawn anew every time."""

from collections.abc import Callable

import numpy as np

from mindseye.models.language.small import Example
from mindseye.stages.lessons import crafting, games, manuals

__all__ = ["LESSONS", "draw"]

LESSONS: dict[str, tuple[Callable[[np.random.Generator], Example], float]] = {
    "needs": (manuals.needs, 4.0),
    "relevant": (manuals.relevant, 1.0),
    "missing": (crafting.missing, 3.0),
    "task": (crafting.task, 2.0),
    "act": (crafting.act, 3.0),
    "induce": (games.induce, 3.0),
    "foresee": (games.foresee, 2.0),
    "judge": (games.judge, 1.0),
}
"""Every lesson, and how often it is drawn next to the others."""


def draw(rng: np.random.Generator, count: int) -> list[tuple[str, Example]]:
    """Lessons by name, at random."""
    names = list(LESSONS)
    weights = np.array([weight for _, weight in LESSONS.values()])
    drawn = rng.choice(len(names), size=count, p=weights / weights.sum())
    return [(names[i], LESSONS[names[i]][0](rng)) for i in drawn]
