"""Looking ahead: what would each of a few commands lead to, in a world model's imagination?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from mindseye.agents.language.agent import Asking, Mind, Question, Thought
from mindseye.agents.language.thoughts import note, situation
from mindseye.core import tree
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import WorldModel
from mindseye.core.spaces import Words

_HOPE = 0.5
"""Worth of an end that pays nothing yet but is judged to be within reach of the task."""
_OVER = 0.5
"""Probability of going on at or below which nothing further is imagined."""
_SHOWN = 160
"""Letters of an imagined observation in notes and traces."""


@dataclass
class _Future:
    """What one command may lead to."""

    row: int
    state: tree.Tree
    """Of the world model, a batch of one."""
    mind: Mind
    """As it would be there; its command is the next one to imagine."""
    said: list[str]
    value: float = 0.0
    alive: float = 1.0
    """Probability that the episode goes on."""

    @property
    def told(self) -> str:
        """For notes and traces."""
        lines = [line for line in self.mind.observation.split("\n") if not line.startswith("Task")]
        seen = " ".join(lines)[:_SHOWN]
        return f"{', then '.join(self.said)}: {seen} Worth {self.value:.2f}."


def look_ahead(
    model: WorldModel, *, width: int = 3, depth: int = 2, discount: float = 0.95
) -> Thought:
    """Imagines what the likeliest commands lead to, and leaves those that promise most.

    The language model proposes `width` commands, one after the other (none are asked for where no
    more can be done), and goes on in each future until `depth`. A future is worth its discounted
    rewards; where nothing was paid and the episode goes on, half a reward if the language model
    judges the task to be within reach. Of equal futures all are left; where all are equal, so is
    everything else. Every question and every imagined step count as one of the budget; a row whose
    budget ends is decided by what was imagined until then. The best command is also left as the
    decision, so this thought may be the last.

    Args:
        model: Speaks words, such as `LanguageWorldModel`.
        width: Commands imagined.
        depth: Steps imagined of each.
        discount: Of rewards, per step.

    Raises:
        ConfigError: If the model does not speak words, or nothing would be imagined.

    Source: Hao et al. (2023), "RAP", arXiv 2305.14992: a language model's world model and its
        judgement as reward. Differs: a beam of single futures in place of a tree search.
    """
    if not isinstance(model.action_space, Words) or width < 1 or depth < 1:
        raise ConfigError("look ahead: expected a world model of words, width and depth 1 or more")

    def think(minds: Sequence[Mind], ask: Asking) -> None:
        states = _observed(model, minds)
        futures = [
            _Future(row, states[row], replace(minds[row], command=command), [command])
            for row, proposed in enumerate(_proposed(minds, ask, width))
            for command in proposed
        ]
        imagined: list[_Future] = []
        reached = futures
        for step in range(depth):
            reached = [future for future in reached if ask.spend(minds[future.row])]
            _imagine(model, reached, discount**step)
            imagined = reached if step == 0 else imagined
            reached = [f for f in reached if f.alive > _OVER and f.mind.admissible]
            if step < depth - 1:
                reached = _gone_on(reached, minds, ask)
        _judge(reached, minds, ask, discount**depth)
        for row, mind in enumerate(minds):
            _decide(mind, [future for future in imagined if future.row == row])

    return think


def _observed(model: WorldModel, minds: Sequence[Mind]) -> list[tree.Tree]:
    """The world model's state of every row, after what was seen last."""
    before = [mind.facts.get("imagining") for mind in minds]
    before = [model.initial(1) if state is None else state for state in before]
    done = [mind.past[-1][1] if mind.past else "" for mind in minds]
    is_first = torch.tensor([not mind.past for mind in minds])
    seen = [mind.text for mind in minds]
    state = model.observe(tree.concatenate(before), done, seen, is_first)
    rows = [tree.take(state, np.array([i])) for i in range(len(minds))]
    for mind, row in zip(minds, rows, strict=True):
        mind.facts["imagining"] = row
    return rows


def _proposed(minds: Sequence[Mind], ask: Asking, width: int) -> list[list[str]]:
    """The likeliest commands of every row: the best, the best of the rest, and so on."""
    chosen = [list(mind.admissible) if len(mind.admissible) <= width else [] for mind in minds]
    for _ in range(width):
        asked = []
        for mind, known in zip(minds, chosen, strict=True):
            rest = [command for command in mind.admissible if command not in known]
            # one question is kept for imagining
            is_open = rest and len(known) < width and ask.left(mind) > len(known) + 1
            values = {**situation(mind), "commands": rest}
            asked.append([Question("react", values, rest)] if is_open else [])
        for known, answers in zip(chosen, ask(minds, asked), strict=True):
            known += [answer for answer in answers if answer]
    return chosen


def _imagine(model: WorldModel, futures: Sequence[_Future], weight: float) -> None:
    if not futures:
        return
    state = tree.concatenate([future.state for future in futures])
    state = model.imagine(state, [future.mind.command for future in futures])
    predicted = model.predict(state)
    for i, future in enumerate(futures):
        future.state = tree.take(state, np.array([i]))
        future.value += weight * future.alive * float(predicted.reward[i])
        future.alive *= float(predicted.continuation[i])
        future.mind = future.mind.moved_on(predicted.observation[i])


def _gone_on(futures: Sequence[_Future], minds: Sequence[Mind], ask: Asking) -> list[_Future]:
    """Those futures for which a next command could be chosen."""
    answers = _asked(futures, minds, ask, "react", None)
    for future, answer in zip(futures, answers, strict=True):
        future.mind.command = answer
        future.said += [answer] if answer else []
    return [future for future, answer in zip(futures, answers, strict=True) if answer]


def _judge(futures: Sequence[_Future], minds: Sequence[Mind], ask: Asking, weight: float) -> None:
    """Hope, where nothing was paid; in a row all such futures are judged or none."""
    unpaid = [future for future in futures if future.value <= 0]
    counts = Counter(future.row for future in unpaid)
    fair = [future for future in unpaid if counts[future.row] <= ask.left(minds[future.row])]
    answers = _asked(fair, minds, ask, "promise", ("yes", "no"))
    for future, answer in zip(fair, answers, strict=True):
        future.value += weight * future.alive * _HOPE * (answer == "yes")


def _asked(futures, minds, ask: Asking, prompt: str, choices) -> list[str]:
    """One question about each future, on the budget of its row."""
    asked: list[list[Question]] = [[] for _ in minds]
    for future in futures:
        could = future.mind.admissible if choices is None else choices
        asked[future.row].append(Question(prompt, situation(future.mind), could))
    answers = [iter(told) for told in ask(minds, asked)]
    return [next(answers[future.row]) for future in futures]


def _decide(mind: Mind, futures: Sequence[_Future]) -> None:
    """Leave the best; where all are alike, all that could be done."""
    note(mind, "imagined", [future.told for future in futures])
    mind.trace += [f"look_ahead: {future.told}" for future in futures]
    if not futures:
        return
    best = max(future.value for future in futures)
    left = [future.said[0] for future in futures if future.value >= best - 1e-6]
    mind.command = left[0]
    if len(left) < len(futures):
        mind.admissible = left
        mind.trace.append(f"look_ahead: left are {'; '.join(left)}")
