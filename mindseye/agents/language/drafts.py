"""Plans in the making: put together from what attempts tell, foreseen, and mended."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mindseye.agents.language.agent import Mind, Question
from mindseye.agents.language.recall import Episode
from mindseye.core.errors import WorldError
from mindseye.experience.memory import Attempt

_HELD = re.compile(r"You hold (.*?)\. You built (.*?)\.(?:\n|$)")
TASK = re.compile(r"Task: (.*?)\.")
_LONGEST, DEEPEST = 60, 8
"""Commands in a plan; needs within needs."""


@dataclass(frozen=True)
class Hands:
    """What is held and built."""

    held: Mapping[str, int]
    built: frozenset[str]

    @property
    def text(self) -> str:
        """As memories have it: "had 1 zat, 2 kelm; built lomik"."""
        return f"had {counted(self.held)}; built {', '.join(sorted(self.built)) or 'nothing'}"

    def about(self, line: str) -> "Hands":
        """Only what a line speaks of; it says nothing about the rest."""
        words = set(re.findall(r"\w+", line))
        held = {name: count for name, count in self.held.items() if name in words}
        return Hands(held, self.built & words)


def hands_of(text: str) -> Hands:
    """What an observation says is held and built.

    Raises:
        WorldError: If it says nothing of it.
    """
    found = _HELD.search(text)
    if found is None:
        raise WorldError(f"mindful: expected 'You hold ... You built ...', got {text[:80]!r}")
    held, built = (() if part == "nothing" else part.split(", ") for part in found.groups())
    counts = (part.split(" ", 1) for part in held)
    return Hands({name: int(count) for count, name in counts}, frozenset(built))


class Draft:
    """A plan in the making."""

    def __init__(self, mind: Mind):
        self.mind = mind
        self.episode: Episode = mind.facts["now"]
        self.hands = hands_of(mind.observation)
        task = TASK.search(mind.observation)
        if task is None:
            raise WorldError(f"mindful: expected 'Task: ...', got {mind.observation[:80]!r}")
        self.goal = task[1]
        self.makes = {command.split(" ", 1)[1]: command for command in mind.admissible}
        self.needs: dict[str, list[tuple[int | None, str]]] = {}
        self.steps: list[str] = []
        self.told: list[str] = []
        self.said: list[str] = []
        self.left = 0
        self.best: tuple[list[str], float] = [], -1.0
        self._lines: dict[str, list[str]] = {}

    def lines(self, command: str) -> list[str]:
        """What is recalled about a command, and what was tried in this episode."""
        if command not in self._lines:
            recalled = self.episode.life.recall(self.hands.text, command)
            now = [attempt for attempt in self.episode.tried if attempt.task == command]
            self._lines[command] = [line_of(attempt) for attempt in [*recalled, *now[-4:]]]
        return self._lines[command]

    def unasked(self) -> list[str]:
        """Commands on the way to the goal whose needs are not known yet."""
        seen: dict[str, None] = {self.goal: None}
        for command in seen.copy():
            self._reach(command, seen)
        return [command for command in seen if command not in self.needs]

    def _reach(self, command: str, seen: dict[str, None]) -> None:
        for _, name in self.needs.get(command, []):
            further = self.makes.get(name)
            if further is not None and further not in seen:
                seen[further] = None
                self._reach(further, seen)

    def compose(self) -> None:
        """All needs first; what is held is counted on wherever it is needed, twice if need be."""
        self.steps = []
        self._make(self.goal, self.hands, self.steps, set(), ())
        self.best = list(self.steps), 0.5

    def _make(
        self,
        command: str,
        hands: Hands,
        steps: list[str],
        coming: set[str],
        within: tuple[str, ...],
    ) -> None:
        if command in within or len(within) > DEEPEST or len(steps) > _LONGEST:
            return
        for count, name in self.needs.get(command, []):
            further = self.makes.get(name)
            if further is None:
                continue
            if count is None:
                there = name in hands.built or hands.held.get(name, 0) or name in coming
                times = 0 if there else 1
                coming.add(name)
            else:
                times = max(0, count - hands.held.get(name, 0))
            for _ in range(times):
                self._make(further, hands, steps, coming, (*within, command))
        steps.append(command)

    def states(self) -> list[Hands]:
        """Hands before every step, if all goes well."""
        held, built, found = Counter(self.hands.held), set(self.hands.built), []
        for command in self.steps:
            found.append(Hands({n: c for n, c in held.items() if c > 0}, frozenset(built)))
            verb, name = command.split(" ", 1)
            for count, item in self.needs.get(command, []):
                held[item] -= count or 0
            if verb == "build":
                built.add(name)
            else:
                held[name] += 1
        return found

    def questions(self) -> list[Question]:
        """What will become of every step, by each of the lines about it?"""
        return [
            Question(
                "predict_outcome",
                {"experiences": [line], "state": hands.about(line).text, "command": command},
            )
            for command, hands in zip(self.steps, self.states(), strict=True)
            for line in self.lines(command)
        ]

    def judge(self, told: Sequence[str]) -> None:
        """What the answers to `questions` say of every step; keep the plan if it is the best."""
        rest = iter(told)
        self.told, said = [], []
        for command in self.steps:
            each = [next(rest) for _ in self.lines(command)]
            fails = [text for text in each if text.startswith("fails")]
            # the first failure is what can be mended
            self.told.append(fails[0] if fails else "")
            works = "succeeds" in each
            said.append("split" if fails and works else "fails" if fails else
                        "succeeds" if works else "unknown")  # fmt: skip
        chance = float(np.prod([self.episode.life.trust[word].chance for word in said]))
        if chance > self.best[1] or self.left == self.episode.life.rounds:
            self.best, self.said = (list(self.steps), chance), said

    def vote(self) -> float:
        """Chance that the best plan succeeds, by the outcomes of attempts alike."""
        self.steps = list(self.best[0])
        pairs = zip(self.states(), self.steps, strict=True)
        queries = [(hands.text, command) for hands, command in pairs]
        return float(np.prod(self.episode.life.memory.foresee(queries)))

    def mend(self) -> bool:
        """Put what is missing before the first step foreseen to fail; False if nothing can be."""
        at = next((i for i, text in enumerate(self.told) if text.startswith("fails")), None)
        if at is None or self.left == 0 or len(self.steps) > _LONGEST:
            return False
        self.left -= 1
        more: list[str] = []
        for count, name in _needed(self.told[at]):
            further = self.makes.get(name)
            for _ in range(count or 1 if further else 0):
                self._make(further or "", self.states()[at], more, set(), (self.steps[at],))
        self.steps[at:at] = more
        return bool(more)


def about_needs(command: str, line: str) -> Question:
    """What does a line tell of what a command needs?"""
    return Question("plan_from_memory", {"experiences": [line], "command": command})


def together(told: Sequence[str]) -> list[tuple[int | None, str]]:
    """What several attempts tell of one command: of every price the highest, each place once."""
    most: dict[str, int | None] = {}
    for count, name in (need for text in told for need in _needed(text)):
        known = most.setdefault(name, count)
        if count is not None and known is not None:
            most[name] = max(known, count)
    return [(count, name) for name, count in most.items()]


def _needed(text: str) -> list[tuple[int | None, str]]:
    """Counts and names in "2 zat, lomik built, fip in hand" or "fails: you need 1 more zat"."""
    found = re.findall(r"(?:(\d+) (?:more )?)?([^\s,:]+)(?: (?:built|in hand))?(?:,|$)", text)
    return [
        (int(count) if count else None, name)
        for count, name in found
        if name not in ("nothing", "unknown", "succeeds")
    ]


def line_of(attempt: Attempt) -> str:
    """An attempt as it is told: "craft fip: you need 1 more zat; had nothing; built lomik"."""
    return f"{attempt.task}: {attempt.outcome}; {attempt.state}"


def counted(things: Mapping[str, int]) -> str:
    """Such as "1 zat, 2 kelm", or "nothing"."""
    return ", ".join(f"{count} {name}" for name, count in things.items()) or "nothing"
