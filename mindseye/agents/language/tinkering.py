"""Acting in a workshop whose laws are found out by failing: thoughts of a script and of a model.

All of them see the same: the observation, and what the failures of the running episode told.
"""

import re
from collections.abc import Mapping, Sequence

from mindseye.agents.language.agent import Asking, Mind
from mindseye.agents.language.drafts import TASK, Hands, hands_of
from mindseye.core.protocols import Messages
from mindseye.models.language.prompts import render

WHICH, THINK = "which command?", "what would come of it, and which command?"
"""Questions."""
_FAILED = re.compile(r"You cannot (.*?): (you need .*)\.")
_NEED = re.compile(r"you need (?:(\d+) more )?(\w+)(?: (built|in hand))?")

Needs = Mapping[str, Sequence[str]]
"""What commands are known to need, in the order found out: "2 zat", "fip in hand"."""


def after(command: str) -> str:
    """The question what comes of a command."""
    return f"what happens after {command}?"


def asked(mind: Mind, question: str) -> Messages:
    """What a model is asked about a moment."""
    known = [f"{command} needs {', '.join(needs)}" for command, needs in needs_of(mind).items()]
    return render(
        "tinker", known=known, observation=mind.observation, admissible=mind.admissible,
        question=question,
    )  # fmt: skip


def needs_of(mind: Mind) -> Needs:
    """What was found out so far in this episode."""
    return mind.facts.get("needs", {})


def missing(mind: Mind, command: str) -> list[str]:
    """What a command is known to need and is not there: why it will fail."""
    needs, hands = needs_of(mind).get(command, ()), hands_of(mind.observation)
    return [need for need in needs if not _is_there(need, hands)]


def lack_of(text: str) -> str:
    """Why the last command failed, as the world told it: "you need 2 more zat"; empty if not."""
    failed = _FAILED.search(text)
    return failed[2] if failed else ""


def take_notes(minds: Sequence[Mind], ask: Asking) -> None:
    """Thought: what the last failure told is kept until the episode ends."""
    for mind in minds:
        failed = _FAILED.search(mind.observation)
        need = _NEED.match(failed[2]) if failed else None
        if failed is None or need is None:
            continue
        more, name, where = need.groups()
        held = hands_of(mind.observation).held.get(name, 0)
        told = f"{int(more) + held} {name}" if more else f"{name} {where}"
        before = needs_of(mind)
        kept = [other for other in before.get(failed[1], ()) if name not in other.split()]
        mind.facts["needs"] = {**before, failed[1]: [*kept, told]}


def follow_script(minds: Sequence[Mind], ask: Asking) -> None:
    """Thought: go for the task, and for what is known to be missing before it.

    It asks nobody, and knows no more than its notes. What nothing is known of is tried.
    """
    for mind in minds:
        task = TASK.search(mind.observation)
        makes = {command.split(" ", 1)[1]: command for command in mind.admissible}
        command = task[1] if task else mind.admissible[0]
        while lacks := missing(mind, command):
            command = makes[_name(lacks[0])]
        mind.command = command


def choose(minds: Sequence[Mind], ask: Asking) -> None:
    """Thought: the model names one of the admissible commands."""
    _choose(minds, ask, [asked(mind, WHICH) for mind in minds])


def think_and_choose(minds: Sequence[Mind], ask: Asking) -> None:
    """Thought: the model says what would come of this and that, and then a command."""
    prompts = [asked(mind, THINK) for mind in minds]
    thoughts = ask.model.complete(
        prompts, max_tokens=ask.max_tokens, temperature=ask.temperature, seed=minds[0].step
    )
    for mind, (thought,) in zip(minds, thoughts, strict=True):
        mind.trace.append(f"thought: {thought.text}")
    _choose(
        minds, ask,
        [thought_over(p, thought.text) for p, (thought,) in zip(prompts, thoughts, strict=True)],
    )  # fmt: skip


def thought_over(prompt: Messages, thought: str) -> Messages:
    """The conversation after a thought, where a command is asked for."""
    answer = {"role": "assistant", "content": thought}
    return [*prompt, answer, {"role": "user", "content": f"question: {WHICH}"}]


def _choose(minds: Sequence[Mind], ask: Asking, prompts: Sequence[Messages]) -> None:
    found = ask.model.complete(
        prompts, temperature=ask.temperature, choices=[mind.admissible for mind in minds],
        # or else whoever is where it was draws what it drew
        seed=minds[0].step,
    )  # fmt: skip
    for mind, (completion,) in zip(minds, found, strict=True):
        mind.command = completion.text


def _is_there(need: str, hands: Hands) -> bool:
    first, *rest = need.split()
    if first.isdigit():
        return hands.held.get(rest[0], 0) >= int(first)
    return first in hands.built if rest == ["built"] else hands.held.get(first, 0) > 0


def _name(need: str) -> str:
    first, second, *_ = need.split()
    return second if first.isdigit() else first
