"""Thoughts for any world of words: each asks little, leaves notes, and goes before others.

    lessons = Lessons()
    thoughts = [recall(memory), lessons.remind, plan, within(12, look_ahead(dream)), react]
    agent = LanguageAgent(Asking(open_language()), thoughts)

Notes are lines under a heading; whatever is asked later is shown all of them. `react` decides.
After episodes, `memory.add(attempts_of(episodes))` and `reflect` keep what they teach.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mindseye.agents.language.agent import Asking, Mind, Question, Thought, without_commands
from mindseye.core.episode import Episode
from mindseye.core.errors import ConfigError
from mindseye.experience.memory import Attempt, Memory

_TASK = re.compile(r"^Task: (.+)$", re.MULTILINE)
_PATIENCE = 4
"""Steps that a plan is given before it may be called stuck."""
_TOLD = 12
"""Last steps of an episode that a lesson is drawn from."""


def note(mind: Mind, heading: str, lines: Sequence[str]) -> None:
    """Write lines under a heading, in place of those that stood there; none removes it."""
    others = {h: told for h, told in mind.facts.get("notes", {}).items() if h != heading}
    kept = [line for line in lines if line]
    mind.facts["notes"] = {**others, heading: kept} if kept else others


def situation(mind: Mind) -> dict[str, Any]:
    """What the prompts of these thoughts are filled with."""
    return {
        "notes": mind.facts.get("notes", {}),
        "past": mind.past,
        "observation": mind.observation,
        "commands": mind.admissible,
    }


def react(minds: Sequence[Mind], ask: Asking) -> None:
    """Think in a sentence, then choose one command of those that are left.

    Two questions; with one left it chooses without thinking, and with none the first command is
    taken. Where a thought before has left a single command, nothing is asked.

    Raises:
        ConfigError: If an observation lists no commands.

    Source: Yao et al. (2022), "ReAct", arXiv 2210.03629. Differs: commands are chosen from a list.
    """
    if not all(mind.admissible for mind in minds):
        raise ConfigError("react: an observation lists no commands; use a world of words")
    is_open = [len(mind.admissible) > 1 for mind in minds]
    asked = [
        [Question("think", situation(mind))] if open_ and ask.left(mind) > 1 else []
        for mind, open_ in zip(minds, is_open, strict=True)
    ]
    for mind, answers in zip(minds, ask(minds, asked), strict=True):
        note(mind, "thought", [_line(answer) for answer in answers])
    asked = [
        [Question("react", situation(mind), mind.admissible)] if open_ and ask.left(mind) else []
        for mind, open_ in zip(minds, is_open, strict=True)
    ]
    for mind, answers in zip(minds, ask(minds, asked), strict=True):
        mind.command = answers[0] if answers else mind.admissible[0]


def plan(minds: Sequence[Mind], ask: Asking) -> None:
    """Write sub-goals at first, and again when the same is seen for the third time.

    One question, and none in most steps.

    Source: Wang et al. (2023), "Plan-and-Solve", arXiv 2305.04091. Differs: replans when stuck.
    """
    asked = [[Question("plan", situation(mind))] if _needs_plan(mind) else [] for mind in minds]
    for mind, answers in zip(minds, ask(minds, asked), strict=True):
        goals = [goal.strip(" .") for answer in answers for goal in _line(answer).split(";")]
        if any(goals):
            note(mind, "plan", goals)
            mind.facts["planned"] = mind.step


def _needs_plan(mind: Mind) -> bool:
    if "plan" not in mind.facts.get("notes", {}):
        return True
    seen = sum(before == mind.observation for before, _ in mind.past)
    return seen > 1 and mind.step - mind.facts["planned"] >= _PATIENCE


def recall(memory: Memory, k: int = 4) -> Thought:
    """Puts attempts at like tasks into the mind, of both outcomes; nobody is asked.

    Args:
        memory: Of whole attempts, as `attempts_of` makes them, or of anything else.
        k: Attempts at most.
    """

    def think(minds: Sequence[Mind], ask: Asking) -> None:
        queries = [(mind.observation, task_of(mind.observation)) for mind in minds]
        for mind, found in zip(minds, memory.nearest(queries, k, balanced=True), strict=True):
            told = [f"{f.attempt.task}: {f.attempt.plan}: {f.attempt.outcome}" for f in found]
            note(mind, "tried before", told)
            mind.trace += [f"recall: {line}" for line in told]

    return think


def attempts_of(episodes: Sequence[Episode]) -> list[Attempt]:
    """Episodes of text as attempts at their tasks; one that paid anything was a success."""
    attempts = []
    for episode in episodes:
        first, success = episode.observations[0], episode.total_reward > 0
        steps = f"{len(episode)} steps"
        attempts.append(
            Attempt(
                state=without_commands(first),
                task=task_of(first),
                plan=", ".join(episode.actions),
                outcome=f"fulfilled in {steps}" if success else f"not fulfilled in {steps}",
                success=success,
                step="" if success else episode.actions[-1],
                reason="" if success else without_commands(episode.observations[-1]),
            )
        )
    return attempts


@dataclass
class Lessons:
    """What was learned from failures; the latest few are kept, for all tasks alike."""

    texts: list[str] = field(default_factory=list)
    most: int = 3

    def remind(self, minds: Sequence[Mind], ask: Asking) -> None:
        """The thought that puts them into the mind; nobody is asked."""
        for mind in minds:
            note(mind, "lessons", self.texts)
            mind.trace += [f"lesson: {text}" for text in self.texts]

    def state_dict(self) -> dict:
        """JSON-ready."""
        return {"texts": list(self.texts)}

    def load_state_dict(self, state: Mapping) -> None:
        """Go on from it."""
        self.texts = list(state["texts"])


def reflect(ask: Asking, lessons: Lessons, episodes: Sequence[Episode]) -> list[str]:
    """Draw a lesson from every episode that paid nothing, for the episodes to come.

    One question per episode. What is new is kept in `lessons`.

    Returns:
        What was said of each of them.

    Source: Shinn et al. (2023), "Reflexion", arXiv 2303.11366. Differs: lessons hold for all tasks.
    """
    failed = [episode for episode in episodes if episode.total_reward <= 0]
    asked = [[_about(episode)] for episode in failed]
    said = [_line(answer) for (answer,) in ask([Mind() for _ in failed], asked)]
    for text in said:
        if text and text not in lessons.texts:
            lessons.texts = [*lessons.texts, text][-lessons.most :]
    return said


def _about(episode: Episode) -> Question:
    seen = [without_commands(text) for text in episode.observations]
    past = list(zip(seen, episode.actions, strict=False))[-_TOLD:]
    if len(episode) > len(past):
        past = [(seen[0], "..."), *past]
    outcome = f"The task was not fulfilled in {len(episode)} steps."
    return Question("reflect", {"past": past, "observation": seen[-1], "outcome": outcome})


def task_of(text: str) -> str:
    """What an observation says the task is; empty if it does not say."""
    found = _TASK.search(text)
    return found[1].rstrip(".") if found else ""


def _line(answer: str) -> str:
    """A free answer's first line."""
    return answer.strip().split("\n")[0].strip()
