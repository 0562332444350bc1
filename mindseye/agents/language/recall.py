"""What a planner keeps, and what it reads again before it plans: one way, and its rivals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mindseye.experience.memory import Attempt, Memory

Recall = Callable[[str, str], list[Attempt]]
"""From a state and a command to attempts worth reading, at most a few."""

_ALIKE = 0.5
"""Likeness below which an attempt is not worth reading; the command's share alone is 0.7."""


@dataclass
class Trust:
    """How often what was foreseen in one way came true; what was expected counts as two cases."""

    works: float
    cases: float = 2.0

    @property
    def chance(self) -> float:
        """That a step foreseen in this way works."""
        return self.works / self.cases

    def add(self, success: bool) -> None:
        """One case more."""
        self.works += success
        self.cases += 1


def _trust() -> dict[str, Trust]:
    expected = {"succeeds": 1.9, "split": 1.0, "unknown": 1.0, "fails": 0.1}
    return {word: Trust(works) for word, works in expected.items()}


@dataclass
class Life:
    """What one planner keeps from episode to episode, and how it uses it.

    Args:
        memory: Where attempts go at the end of an episode.
        recall: What is read again before a command.
        keeps: What of an episode's attempts goes there.
        rounds: Times a plan that is foreseen to fail is mended; 0: plans are not foreseen at all.
        patience: Failures after which an episode is given up.
    """

    memory: Memory
    recall: Recall
    keeps: Callable[[Sequence[Attempt]], Sequence[Attempt]] = list
    rounds: int = 3
    patience: int = 3
    trust: dict[str, Trust] = field(default_factory=_trust)
    """In what was foreseen; it grows and falls with what happens."""


@dataclass
class Episode:
    """What a planner knows within one episode."""

    life: Life
    tried: list[Attempt] = field(default_factory=list)
    plan: list[str] | None = None
    said: list[str] = field(default_factory=list)
    """What was foreseen of the steps of the plan that are not over yet."""
    failures: int = 0
    is_over: bool = False
    foreseen: list[float] = field(default_factory=list)
    """Chance of success of every plan made, as read out of attempts."""
    voted: list[float] = field(default_factory=list)
    """The same by a vote of the most alike attempts, without reading."""


def alike(memory: Memory, k: int) -> Recall:
    """The attempts most like state and command, of both outcomes; none that are not alike."""

    def recall(state: str, command: str) -> list[Attempt]:
        found = memory.nearest([(state, command)], k, balanced=True)[0]
        return [f.attempt for f in found if f.likeness > _ALIKE]

    return recall


def latest(memory: Memory, k: int) -> Recall:
    """The last attempts of both outcomes, whatever they were at: a buffer of reflections."""

    def recall(state: str, command: str) -> list[Attempt]:
        failed = [attempt for attempt in memory.attempts if not attempt.success]
        return [*successes(memory.attempts)[-(k // 2) :], *failed[k // 2 - k :]]

    return recall


def random_ones(memory: Memory, k: int, rng: np.random.Generator) -> Recall:
    """Any attempts, others whenever the memory has changed."""
    drawn: list[Attempt] = []
    known: list[Attempt] = []

    def recall(state: str, command: str) -> list[Attempt]:
        if known != memory.attempts:
            known[:] = memory.attempts
            drawn[:] = [known[i] for i in rng.permutation(len(known))[:k]]
        return drawn

    return recall


def successes(tried: Sequence[Attempt]) -> list[Attempt]:
    """Keeps what worked: a library of skills."""
    return [attempt for attempt in tried if attempt.success]


def confusing(rng: np.random.Generator) -> Callable[[Sequence[Attempt]], list[Attempt]]:
    """Keeps all attempts, but tells of each the outcome of any other: reading cannot help."""

    def keep(tried: Sequence[Attempt]) -> list[Attempt]:
        others = rng.permutation(len(tried)).tolist()
        return [replace(t, outcome=tried[i].outcome) for t, i in zip(tried, others, strict=True)]

    return keep


def nothing(state: str, command: str) -> list[Attempt]:
    """Recalls nothing; only the running episode is known."""
    return []
