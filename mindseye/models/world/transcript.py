"""How a step of a world is written down for a language model, and read back strictly.

What is asked: transitions that were alike, the task, the last states and actions. What is answered:
a line of reasoning, the next state with its commands, and what it pays:

    Reason: 12 is opened.
    Item 12: red cotton shirt, 35. Sizes: small, large. Chosen: none.
    You can: choose small; choose large; buy; back.
    Reward 0, done no.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mindseye.core.episode import Episode
from mindseye.core.errors import ModelError
from mindseye.core.protocols import Messages
from mindseye.core.spaces import commands
from mindseye.models.language.prompts import render

_PAYS = re.compile(r"Reward ([01]), done (yes|no)\.")
_REASON, _TASK = "Reason: ", "Task: "
_NUMBER = re.compile(r"\d+")

Past = tuple[tuple[str, str], ...]
"""States and the actions taken in them, oldest first; states without their task."""


@dataclass(frozen=True)
class Outcome:
    """What an action led to."""

    state: str
    """Without its task."""
    reward: float
    done: bool
    reason: str = ""


@dataclass(frozen=True)
class Transition:
    """One step that was taken, and what came of it."""

    task: str
    past: Past
    """The state acted in and the action last, earlier ones before them."""
    outcome: Outcome
    source: str = ""
    """Which episode it is from."""

    @property
    def state(self) -> str:
        """In which the action was taken."""
        return self.past[-1][0]

    @property
    def action(self) -> str:
        """What was done."""
        return self.past[-1][1]


Explain = Callable[[str, str, str, str, float], str]
"""Why an action led there: task, state, action, next state and reward to a line of text."""


def split(text: str) -> tuple[str, str]:
    """An observation's first line, if it names a task, and the rest."""
    head, _, rest = text.partition("\n")
    return (head, rest) if head.startswith(_TASK) and rest else ("", text)


def join(task: str, state: str) -> str:
    """An observation, as `split` took it apart."""
    return f"{task}\n{state}" if task else state


def transitions(episode: Episode, source: str, explain: Explain | None = None) -> list[Transition]:
    """The steps of an episode of texts.

    Args:
        source: Names the episode, so that a step is not explained by its own neighbours.
        explain: Says why, for each step.
    """
    parts = [split(text) for text in episode.observations]
    told, last = [], len(episode) - 1
    for t, action in enumerate(episode.actions):
        task, state = parts[t]
        after, reward = parts[t + 1][1], float(episode.rewards[t])
        reason = "" if explain is None else explain(task, state, action, after, reward)
        past = tuple(zip((s for _, s in parts[: t + 1]), episode.actions[: t + 1], strict=True))
        outcome = Outcome(after, reward, episode.terminated and t == last, reason)
        told.append(Transition(task, past, outcome, source))
    return told


def question(
    task: str, past: Past, similar: Sequence[Transition], *, reasons: bool = True
) -> Messages:
    """What a language model is asked."""
    told = {"task": task, "past": past, "similar": similar, "reasons": reasons}
    return render("next_state", **told, answer=answer)


def answer(outcome: Outcome, *, reasons: bool) -> str:
    """What it should answer."""
    told = f"{outcome.state}\nReward {outcome.reward:.0f}, done {'yes' if outcome.done else 'no'}."
    return f"{_REASON}{outcome.reason}\n{told}" if reasons else told


def read(text: str, asked: Messages, *, reasons: bool) -> Outcome:
    """An answer taken apart and checked.

    It must have the form above; every number in it must have been read in the question; nothing is
    paid before the end; and what can be done must be different, named things.

    Raises:
        ModelError: Saying what is wrong.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    reason = ""
    if reasons:
        if not lines or not lines[0].startswith(_REASON):
            raise ModelError("answer: expected a line 'Reason: ...' at first")
        reason = lines.pop(0).removeprefix(_REASON)
    pays = _PAYS.fullmatch(lines[-1]) if lines else None
    if pays is None:
        raise ModelError("answer: expected a last line 'Reward 0, done no.' or the like")
    state = "\n".join(lines[:-1])
    can = commands(state)
    if not can or not all(can) or len(set(can)) < len(can) or not state.endswith("."):
        raise ModelError("answer: expected a line 'You can: ...; ... .' of different commands")
    reward, done = float(pays[1]), pays[2] == "yes"
    if reward and not done:
        raise ModelError("answer: a reward is paid only at the end")
    known = set(_NUMBER.findall("\n".join(message["content"] for message in asked)))
    if strange := [number for number in _NUMBER.findall(state) if number not in known]:
        raise ModelError(f"answer: {strange[0]} stands nowhere in what was read")
    return Outcome(state, reward, done, reason)
