"""Finding out the rules of a game by playing it, and playing by the rules found.

Between episodes the notes are rewritten: rules are induced from what happened, and a playbook is
drawn from the rules. Within an episode every cell's moves are foreseen by the rules alone, what
they lead to is judged by the playbook, and the shortest way to something good is taken; where
nothing good is in reach, to something unknown.

Source: "Cogito, ergo ludo" (2025), arXiv 2509.25052, sections 2 and 3.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mindseye.agents.language.agent import Asking, LanguageAgent, Mind, Question
from mindseye.core.episode import Episode

_DID = re.compile(r"You did (\S+): (.+)")
_MOVED = re.compile(r"(\S) moved (up|down|left|right) onto (\S)\.")
_ROW = re.compile(r"Row \d+: ([^.]*)\.")
_STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
_VERDICTS = ("good", "bad", "open", "wasted")
_RECENT = 12
"""Different lines of transcript that a rule is induced from."""


@dataclass
class Notes:
    """What an agent knows of a game, in words; rewritten between episodes."""

    me: str = ""
    """The sign of what moves."""
    rules: dict[str, str] = field(default_factory=dict)
    """By question: "what does kelun do?" to "moves A down"."""
    playbook: dict[str, str] = field(default_factory=dict)
    """By sign: seek, avoid or pass."""
    version: int = 0
    """Rewritings so far; kept with every episode that was played by them."""
    lines: dict[str, list[str]] = field(default_factory=dict)
    """By question: the latest lines of transcript that bear on it."""

    def rule_lines(self) -> list[str]:
        """Rules as the prompt `foresee` reads them."""
        told = []
        for question, rule in self.rules.items():
            if rule == "unknown":
                continue
            word = question.split()[2 if question.startswith("what does") else 3].rstrip("?")
            told.append(f"{word} {rule}." if question.endswith("do?") else f"on {word}: {rule}.")
        return told

    def state_dict(self) -> dict:
        """JSON-ready."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping) -> None:
        """Go on from it."""
        for name, value in state.items():
            setattr(self, name, value)


def reflect(ask: Asking, notes: Notes, episodes: Sequence[Episode], *, rewrite: bool) -> None:
    """Rewrite notes after episodes.

    Args:
        ask: Who induces.
        notes: Changed in place.
        episodes: Of text observations whose first line tells what the last command did.
        rewrite: Otherwise transcripts are kept but rules stay as they are.
    """
    touched: dict[str, None] = {}
    for episode in episodes:
        for text in episode.observations[1:]:
            line = text.split("\n")[0]
            said = _DID.match(line)
            if said is None:
                continue
            questions = [f"what does {said[1]} do?"]
            if moved := _MOVED.search(line):
                notes.me = moved[1]
                questions.append(f"what happens on {moved[3]}?")
            for question in questions:
                # said twice, a line tells no more, and would push out others that do
                kept = [other for other in notes.lines.get(question, ()) if other != line]
                notes.lines[question] = [*kept, line][-_RECENT:]
                touched[question] = None
    if not rewrite or not touched:
        return
    mind = Mind()
    asked = [
        Question(
            "induce",
            {
                "transcript": "\n".join(notes.lines[question]),
                "rule": notes.rules.get(question, "unknown"),
                "question": question,
            },
        )
        for question in touched
    ]
    notes.rules.update(zip(touched, ask([mind], [asked])[0], strict=True))
    for question, rule in notes.rules.items():
        if question.startswith("what happens on"):
            sign = question.split()[3].rstrip("?")
            good, bad = "reward 1" in rule, "ends, reward 0" in rule
            notes.playbook[sign] = "seek" if good else "avoid" if bad else "pass"
    notes.version += 1


def player(ask: Asking, notes: Notes, rng: np.random.Generator) -> LanguageAgent:
    """An agent that plays by notes, which others may rewrite between episodes.

    Args:
        ask: Who foresees and judges.
        notes: Read at every step.
        rng: Chooses where notes say nothing.
    """

    def think(minds: Sequence[Mind], ask: Asking) -> None:
        for mind in minds:
            mind.facts["asked"] = 0
            tried = mind.tried(_grid)
            fresh = [command for command in mind.admissible if command not in tried]
            # drawn at every step, so that what is drawn later does not hang on what is known
            at_random = str(rng.choice(fresh or list(mind.admissible)))
            mind.command = _choose(mind, ask, notes, fresh) or at_random

    return LanguageAgent(ask, [think])


def _grid(text: str) -> list[list[str]]:
    return [row.split() for row in _ROW.findall(text)]


def _choose(mind: Mind, ask: Asking, notes: Notes, fresh: Sequence[str]) -> str | None:
    """By the rules, and with one of the commands that have not led back here lately."""
    grid = _grid(mind.observation)
    signs = [(y, x, sign) for y, row in enumerate(grid) for x, sign in enumerate(row)]
    places = [(y, x) for y, x, sign in signs if sign == notes.me]
    if not notes.rules or not places:
        return None
    outcomes = _foreseen(mind, ask, notes, grid)
    verdicts = _judged(mind, ask, notes, sorted(set(outcomes.values())))
    for wanted in ("good", "unknown"):
        if first := _way(places[0], outcomes, verdicts, wanted, mind.admissible, fresh):
            return first
    return None


def _foreseen(mind: Mind, ask: Asking, notes: Notes, grid: list[list[str]]) -> dict:
    """What every command would lead to from every cell, by the rules."""
    rules = "\n".join(notes.rule_lines())
    keys, questions = [], []
    for y, row in enumerate(grid):
        for x, _ in enumerate(row):
            around = {way: _at(grid, y + dy, x + dx) for way, (dy, dx) in _STEPS.items()}
            told = ", ".join(f"{way} is {sign}" for way, sign in around.items())
            surroundings = f"{notes.me} stands here: {told}."
            for command in mind.admissible:
                values = {"rules": rules, "surroundings": surroundings, "action": command}
                keys.append((y, x, command))
                questions.append(Question("foresee", values))
    return dict(zip(keys, ask([mind], [questions])[0], strict=True))


def _judged(mind: Mind, ask: Asking, notes: Notes, outcomes: list[str]) -> dict[str, str]:
    """Good, bad, open or wasted; what is not known is unknown."""
    playbook = "\n".join(f"{sign}: {verdict}." for sign, verdict in notes.playbook.items())
    known = [outcome for outcome in outcomes if "unknown" not in outcome]
    questions = [
        Question("judge", {"playbook": playbook, "outcome": outcome}, _VERDICTS)
        for outcome in known
    ]
    verdicts = dict(zip(known, ask([mind], [questions])[0], strict=True))
    return {outcome: verdicts.get(outcome, "unknown") for outcome in outcomes}


def _way(
    start, outcomes: dict, verdicts: dict, wanted: str, commands: Sequence[str],
    fresh: Sequence[str],
) -> str | None:  # fmt: skip
    """First command of a shortest way, through moves judged open, to what is wanted.

    It begins with a fresh command: what led back here before is foreseen wrongly, whatever it is.
    """
    first: dict = {start: ""}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for command in fresh if here == start else commands:
            outcome = outcomes.get((*here, command), "unknown.")
            verdict = verdicts.get(outcome, "unknown")
            if verdict == wanted:
                return first[here] or command
            moved = re.match(r"(up|down|left|right) onto", outcome)
            if verdict != "open" or moved is None:
                continue
            dy, dx = _STEPS[moved[1]]
            there = (here[0] + dy, here[1] + dx)
            if there not in first:
                first[there] = first[here] or command
                queue.append(there)
    return None


def _at(grid: list[list[str]], y: int, x: int) -> str:
    inside = 0 <= y < len(grid) and 0 <= x < len(grid[0])
    return grid[y][x] if inside else "edge"
