"""An agent that thinks in words: one loop, composed of thoughts.

A thought is a function of the minds of all rows at once. It asks a language model what it wants to
know, within a budget, and writes what it made of the answers into each mind; the last one leaves a
command. What was asked and answered is the trace, kept with every step of an episode.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mindseye.core.protocols import Agent, LanguageModel, Messages
from mindseye.core.spaces import commands
from mindseye.core.tree import Tree
from mindseye.models.language.prompts import render

_LATEST = 8
"""Steps that a mind looks back on."""


@dataclass
class Mind:
    """What one row knows in one episode; thoughts write into it."""

    text: str = ""
    """What was seen last, as it came."""
    observation: str = ""
    """The text seen last, without the line of commands."""
    previous: str = ""
    """The text before it."""
    admissible: Sequence[str] = ()
    """What can be done now; a thought that decides something narrows it."""
    past: tuple[tuple[str, str], ...] = ()
    """The latest observations and what was done on seeing them, oldest first."""
    command: str = ""
    """What was done last; the last thought replaces it."""
    step: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    """Notes of the thoughts themselves, by name."""
    trace: list[str] = field(default_factory=list)
    """Questions and answers of the present step."""

    def moved_on(self, text: str) -> "Mind":
        """The mind after another observation; this one stays as it is."""
        past = (*self.past, (self.observation, self.command)) if self.step else ()
        return Mind(
            text=text,
            observation=without_commands(text),
            previous=self.observation,
            admissible=commands(text),
            past=past[-_LATEST:],
            command=self.command,
            step=self.step + 1,
            facts=dict(self.facts),
        )

    def tried(self, view: Callable[[str], Any] = str) -> list[str]:
        """What was done lately on seeing the same, and led back here.

        Args:
            view: The part of an observation that counts.
        """
        here = view(self.observation)
        return [done for seen, done in self.past if view(seen) == here]


def without_commands(text: str) -> str:
    """A text without its last line, if that lists commands."""
    return text.rsplit("\n", 1)[0] if commands(text) else text


@dataclass(frozen=True)
class Question:
    """Something to ask in one row: a prompt by name, its values, and admissible answers."""

    prompt: str
    values: Mapping[str, Any]
    choices: Sequence[str] | None = None

    @property
    def messages(self) -> Messages:
        """The prompt, filled in."""
        return render(self.prompt, **self.values)


class Asking:
    """A language model within a budget of questions per row and step.

    A `Remembered` model answers equal questions once.

    Args:
        model: Who is asked.
        budget: Questions per row and step; what goes beyond is answered with nothing.
        max_tokens: Of one answer.
        temperature: 0 takes the likeliest answer.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        budget: int = 40,
        max_tokens: int = 48,
        temperature: float = 0.0,
    ):
        self.model, self.budget = model, budget
        self.max_tokens, self.temperature = max_tokens, temperature
        self.refused = 0
        """Questions beyond the budget so far."""

    def __call__(
        self, minds: Sequence[Mind], questions: Sequence[Sequence[Question]]
    ) -> list[list[str]]:
        """Answers to each row's questions; all that share their form are asked at once."""
        answers = [[""] * len(asked) for asked in questions]
        for free in (True, False):
            wanted = [
                (row, at, question)
                for row, asked in enumerate(questions)
                for at, question in enumerate(asked)
                if (question.choices is None) == free
            ]
            self._ask(minds, wanted, answers, free)
        return answers

    def left(self, mind: Mind) -> int:
        """Questions that a row may still ask in this step, or in this thought if it has a share."""
        return mind.facts.get("share", self.budget) - mind.facts.get("asked", 0)

    def spend(self, mind: Mind) -> bool:
        """Count one question, or anything that costs as much; False if there is none left."""
        if self.left(mind) <= 0:
            self.refused += 1
            return False
        mind.facts["asked"] = mind.facts.get("asked", 0) + 1
        return True

    def _ask(self, minds, wanted, answers, free: bool) -> None:
        open_ = [asked for asked in wanted if self.spend(minds[asked[0]])]
        if not open_:
            return
        found = self.model.complete(
            [question.messages for *_, question in open_],
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            choices=None if free else [question.choices or () for *_, question in open_],
        )
        for (row, at, question), (completion, *_) in zip(open_, found, strict=True):
            answers[row][at] = completion.text
            asked = question.messages[-1]["content"].split("\n")[-1]
            minds[row].trace.append(f"{question.prompt}: {asked} {completion.text}")


Thought = Callable[[Sequence[Mind], Asking], None]
"""One step of thinking, for all rows: reads and writes minds."""


def within(budget: int, thought: Thought) -> Thought:
    """A thought with a budget of its own: at most so many of the questions of a step."""

    def think(minds: Sequence[Mind], ask: Asking) -> None:
        before = [mind.facts.get("share", ask.budget) for mind in minds]
        for mind in minds:
            mind.facts["share"] = mind.facts.get("asked", 0) + min(budget, ask.left(mind))
        thought(minds, ask)
        for mind, share in zip(minds, before, strict=True):
            mind.facts["share"] = share

    return think


class LanguageAgent(Agent):
    """Thinks its thoughts in turn and does what the last one decided.

        agent = LanguageAgent(Asking(open_language()), [react])

    Args:
        ask: Who answers.
        thoughts: In order; one of them must leave a command in every mind.
        begin: Facts every episode begins with.
    """

    def __init__(
        self,
        ask: Asking,
        thoughts: Sequence[Thought],
        *,
        begin: Callable[[], dict[str, Any]] = dict,
    ):
        self.ask, self.thoughts, self.begin = ask, list(thoughts), begin

    def initial(self, batch_size: int) -> Tree:
        """A fresh mind per row."""
        return [Mind(facts=self.begin()) for _ in range(batch_size)]

    def act(
        self, observation: Tree, memory: Tree, *, explore: bool = False
    ) -> tuple[list[str], Tree, dict[str, Tree]]:
        """Commands, minds, and the trace of thought as the extra "thought"."""
        minds = [mind.moved_on(text) for mind, text in zip(memory, observation, strict=True)]
        for mind in minds:
            mind.facts["asked"] = 0
        for thought in self.thoughts:
            thought(minds, self.ask)
        told = ["\n".join([*mind.trace, f"command: {mind.command}"]) for mind in minds]
        return [mind.command for mind in minds], minds, {"thought": told}
