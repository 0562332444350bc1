"""Steps of a recorded episode in words: what was done, thought, seen and paid."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.spaces import commands
from mindseye.core.tree import Tree, named_leaves
from mindseye.experience.index import EpisodeRecord
from mindseye.experience.schema import ColumnSpec, grow
from mindseye.studio.naming import action_names
from mindseye.studio.recorded import Recorded

_LONGEST = 6000
"""Characters of one text that are shown."""
_MOST_NUMBERS = 8
_THOUGHT = "thought"
_COMMAND = "command"
_LABEL = re.compile(r"([a-z][a-z_ ]{0,30}): ?(.*)")


@dataclass(frozen=True)
class Step:
    """One arrival: what led there, and what was found."""

    at: int
    """Steps since the beginning; 0 is where it began, which nothing led to."""
    action: str
    reward: float
    thoughts: Sequence[tuple[str, str]]
    """What was thought before the action: names of questions or notes, and what was said."""
    notes: Sequence[tuple[str, float]]
    """Other numbers that the agent recorded about the action."""
    texts: Sequence[str]
    """What was seen that can be read, without the list of commands."""
    could: Sequence[str]
    """Commands that were offered on arrival."""


def steps_of(recorded: Recorded, record: EpisodeRecord, first: int, count: int) -> list[Step]:
    """Arrivals `first` to `first + count`, as far as the episode goes.

    Raises:
        DataError: If they cannot be read.
    """
    stop = max(first, min(first + count, record.rows))
    places = range(first, stop)
    names = action_names(record.origin.world, recorded.action_space)
    actions = _tree(recorded, record, recorded.columns("action"), first, stop)
    (reward,) = recorded.columns("reward")
    rewards = recorded.rows(record, reward, first, stop)
    spoken = [spec for spec in recorded.columns("observation") if spec.dtype is None]
    seen = [recorded.rows(record, spec, first, stop) for spec in spoken]
    extras = recorded.extras(record)
    words = [(s, recorded.rows(record, s, first, stop)) for s in extras if s.dtype is None]
    notes = [s for s in extras if s.dtype is not None and not s.shape][:_MOST_NUMBERS]
    numbers = [(_name(s), recorded.rows(record, s, first, stop)) for s in notes]
    return [
        Step(
            at=t,
            action=said(_row(actions, i), recorded.action_space, names) if t else "",
            reward=float(rewards[i]),
            thoughts=[x for s, texts in words if t for x in _thoughts(_name(s), texts[i])],
            notes=[(name, float(values[i])) for name, values in numbers if t],
            texts=[readable(_without_commands(texts[i])) for texts in seen],
            could=[readable(c) for texts in seen for c in commands(texts[i])],
        )
        for i, t in enumerate(places)
    ]


def said(action: Tree, space: gymnasium.Space, names: Sequence[str]) -> str:
    """An action as a few words or numbers."""
    if isinstance(space, spaces.Discrete):
        place = int(action) - int(space.start)
        return names[place] if 0 <= place < len(names) else str(int(action))
    parts = [(name, _plain(leaf)) for name, leaf in named_leaves(action)]
    return "; ".join(f"{name}: {told}" if name else told for name, told in parts)


def readable(text: str) -> str:
    """A text that any page can show: not too long, and without halves of characters."""
    whole = text.encode("utf-8", "replace").decode()
    if len(whole) <= _LONGEST:
        return whole
    return f"{whole[:_LONGEST]} … and {len(whole) - _LONGEST} more characters"


def _plain(leaf: Any) -> str:
    if isinstance(leaf, str):
        return readable(leaf)
    numbers = np.asarray(leaf).reshape(-1)
    told = ", ".join(f"{x:.3g}" for x in numbers[:_MOST_NUMBERS].tolist())
    return f"{told}, …" if len(numbers) > _MOST_NUMBERS else told


def _thoughts(name: str, text: str) -> list[tuple[str, str]]:
    """Entries of a trace; a line without a name of its own goes on with the one before."""
    if name != _THOUGHT:
        return [(name, readable(text))] if text else []
    entries: list[tuple[str, str]] = []
    for line in readable(text).splitlines():
        found = _LABEL.fullmatch(line)
        if found:
            entries.append((found[1].replace("_", " "), found[2]))
        elif entries:
            entries[-1] = entries[-1][0], f"{entries[-1][1]}\n{line}"
        else:
            entries.append((_THOUGHT, line))
    return [entry for entry in entries if entry[0] != _COMMAND]


def _without_commands(text: str) -> str:
    return text.rsplit("\n", 1)[0] if commands(text) else text


def _tree(
    recorded: Recorded, record: EpisodeRecord, specs: Sequence[ColumnSpec], first: int, stop: int
) -> list[tuple[tuple, Any]]:
    return [(spec.path, recorded.rows(record, spec, first, stop)) for spec in specs]


def _row(leaves: Sequence[tuple[tuple, Any]], i: int) -> Tree:
    return (grow([(path, rows[i]) for path, rows in leaves]) or {}).get("action")


def _name(spec: ColumnSpec) -> str:
    return ".".join(map(str, spec.path))
