"""Demonstrations, what would have come of other commands, and what to learn from both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mindseye.agents.language.agent import Asking, LanguageAgent, Mind
from mindseye.agents.language.tinkering import (
    THINK,
    WHICH,
    after,
    asked,
    follow_script,
    lack_of,
    missing,
    take_notes,
    thought_over,
)
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import LanguageModel
from mindseye.models.language.small import Example
from mindseye.worlds.rules import RulesWorld
from mindseye.worlds.rules.world import Moment

Bench = Callable[[int], RulesWorld]
"""A task: any number of equal worlds of one technology with one goal."""


@dataclass(frozen=True)
class Fork:
    """A moment of an episode, what was done then, and what comes of it."""

    mind: Mind
    """As it was when the command was chosen."""
    bench: Bench
    moment: Moment
    command: str
    outcome: str
    """What the world said next."""


@dataclass(frozen=True)
class Played:
    """An episode."""

    success: bool
    forks: Sequence[Fork]

    @property
    def failed(self) -> int:
        """Commands that the world refused."""
        return sum(bool(lack_of(fork.outcome)) for fork in self.forks)

    @property
    def known_to_fail(self) -> int:
        """Commands given although what was found out before says that they fail."""
        return sum(bool(missing(fork.mind, fork.command)) for fork in self.forks)


def play(agent: LanguageAgent, benches: Sequence[Bench]) -> list[Played]:
    """One episode at every task, side by side."""
    worlds = [bench(1) for bench in benches]
    texts = [world.reset(seed=0)[0][0] for world in worlds]
    minds = agent.initial(len(worlds))
    forks: list[list[Fork]] = [[] for _ in worlds]
    won = [False] * len(worlds)
    open_ = list(range(len(worlds)))
    while open_:
        said, new, _ = agent.act([texts[i] for i in open_], [minds[i] for i in open_])
        going = []
        for i, command, mind in zip(open_, said, new, strict=True):
            moment = worlds[i].save()
            told, paid, ended, cut, _ = worlds[i].step([command])
            forks[i].append(Fork(mind, benches[i], moment, command, told[0]))
            minds[i], texts[i], won[i] = mind, told[0], bool(paid[0] > 0)
            if not (ended[0] or cut[0]):
                going.append(i)
        open_ = going
    return [Played(success, steps) for success, steps in zip(won, forks, strict=True)]


def demonstrations(model: LanguageModel, benches: Sequence[Bench]) -> list[Fork]:
    """All steps of a script that finds out what is needed, goes for it, and succeeds.

    Raises:
        ConfigError: If it never does.
    """
    script = LanguageAgent(Asking(model), [take_notes, follow_script])
    shown = [fork for played in play(script, benches) if played.success for fork in played.forks]
    if not shown:
        raise ConfigError("demonstrations: none succeeded; allow more steps in an episode")
    return shown


def proposals(
    model: LanguageModel, shown: Sequence[Fork], alternatives: int, seed: int
) -> list[list[str]]:
    """Other commands that a model might have given at the same moments.

    Args:
        model: Proposes at temperature 1, among what is admissible.
        shown: The moments.
        alternatives: Different commands per moment, at the most; never the one that was given.
        seed: Of the proposals.
    """
    found = model.complete(
        [asked(fork.mind, WHICH) for fork in shown], samples=2 * alternatives, temperature=1.0,
        choices=[fork.mind.admissible for fork in shown], seed=seed,
    )  # fmt: skip
    said = [dict.fromkeys(answer.text for answer in answers) for answers in found]
    return [
        [command for command in each if command != fork.command][:alternatives]
        for fork, each in zip(shown, said, strict=True)
    ]


def branch(shown: Sequence[Fork], others: Sequence[Sequence[str]]) -> list[list[Fork]]:
    """What comes of other commands, each given in the very moment of a demonstration."""
    branches = []
    for fork, commands in zip(shown, others, strict=True):
        told: Sequence[str] = []
        if commands:
            world = fork.bench(len(commands))
            world.load(fork.moment, np.zeros(len(commands), np.int64))
            told = world.step(list(commands))[0]
        branches.append(
            [replace(fork, command=c, outcome=o) for c, o in zip(commands, told, strict=True)]
        )
    return branches


def imitating(shown: Sequence[Fork]) -> list[Example]:
    """The command that was given at every moment."""
    return [(asked(fork.mind, WHICH), fork.command) for fork in shown]


def foretelling(forks: Sequence[Fork], outcomes: Sequence[str]) -> list[Example]:
    """What the world said next: what became of the command, and what is held and built then."""
    return [
        (asked(fork.mind, after(fork.command)), _news(outcome))
        for fork, outcome in zip(forks, outcomes, strict=True)
    ]


def reflections(shown: Sequence[Fork], branches: Sequence[Sequence[Fork]]) -> list[str]:
    """Why the command given is better than others, by what came of all of them."""
    return [
        " ".join([*(_of_other(other) for other in others[:_WEIGHED]), _of_chosen(fork)])
        for fork, others in zip(shown, branches, strict=True)
    ]


def reflecting(shown: Sequence[Fork], thoughts: Sequence[str]) -> list[Example]:
    """A thought at every moment, then the command that was given; both are learned."""
    return [
        (thought_over(asked(fork.mind, THINK), thought), fork.command)
        for fork, thought in zip(shown, thoughts, strict=True)
    ]


_WEIGHED = 3
"""Alternatives in a reflection."""


def _news(text: str) -> str:
    first, _, hands, *_ = text.split("\n")
    return f"{first}\n{hands}"


def _of_other(fork: Fork) -> str:
    lack = lack_of(fork.outcome)
    return f"{fork.command}: {lack or 'done, not needed now'}."


def _of_chosen(fork: Fork) -> str:
    return f"{fork.command}: {lack_of(fork.outcome) or 'done'}."


def mixed_up(forks: Sequence[Fork], texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """The same texts, each at another moment of the same technology: what must not help."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for at, fork in enumerate(forks):
        groups.setdefault(tuple(fork.mind.admissible), []).append(at)
    mixed = list(texts)
    for members in groups.values():
        order = rng.permutation(members)
        for at, other in zip(order, np.roll(order, 1), strict=True):
            mixed[at] = texts[other]
    return mixed
