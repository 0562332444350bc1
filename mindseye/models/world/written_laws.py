"""Laws written by a language model as small programs, kept where they can do no harm.

A program that may not run, or fails on a state that was really seen, is dropped and counted; one
that fails later is silent for the batch at hand, which is counted as well.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mindseye.core.protocols import LanguageModel
from mindseye.models.language.prompts import render
from mindseye.models.sandbox import Sandbox, SandboxError
from mindseye.models.sandbox.allowed import LONGEST
from mindseye.models.world.lands import LandLayout
from mindseye.models.world.laws import LOWEST, Laws, Opinions

_BLOCK = re.compile(r"```(?:python)?\n(.*?)```", re.DOTALL)
_FUNCTIONS = ("precondition", "effect")
_CHUNK = 64
_MOST_TOKENS = 800
_NO_VALUE = 1 << 31
"""No fact is as large; numbers beyond would not fit into arrays."""
_GIVEN = """
def cell_number_ahead(state, action):
    size, here = state["size"], state["player"]
    y, x = here // size, here % size
    down = {"up": -1, "down": 1}.get(action, 0)
    right = {"left": -1, "right": 1}.get(action, 0)
    if 0 <= y + down < size and 0 <= x + right < size:
        return (y + down) * size + x + right
    return here

def cell_ahead(state, action):
    return state["terrain"][cell_number_ahead(state, action)]

def near(state, material):
    size, here = state["size"], state["player"]
    y, x = here // size, here % size
    cells = [(y + a, x + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    inside = [(a, b) for a, b in cells if 0 <= a < size and 0 <= b < size]
    return any(state["terrain"][a * size + b] == material for a, b in inside)
"""
_TOGETHER = """
def laws(state, action):
    parts = ("terrain", "items", "achieved", "vitals", "cows", "zombies")
    kept = {{name: part.copy() if name in parts else part for name, part in state.items()}}
    told = [{calls}]
    return told if state == kept else None
"""
_ASKED = """
def law_{number}(state, action):
    return effect_{number}(state, action) if precondition_{number}(state, action) else {{}}
"""


class WrittenLaws(Laws):
    """Laws as programs, asked together in a sandbox.

    Args:
        layout: Of the land.
        sources: Programs, each defining `precondition` and `effect`; see `propose_laws.md`.
        before: States really seen, on which every program is tried, (steps, facts).
        actions: Taken there, (steps,).
        sandbox: Where they run.
    """

    def __init__(
        self,
        layout: LandLayout,
        sources: Sequence[str],
        before: np.ndarray,
        actions: np.ndarray,
        *,
        sandbox: Sandbox | None = None,
    ):
        self.layout, box = layout, sandbox or Sandbox()
        self._numbers = {name: number for number, name in enumerate(layout.names)}
        self.dropped: list[str] = []
        """Why programs were refused, one line each."""
        self.failures = 0
        """Batches for which a law was silent because it failed."""
        self.sources: list[str] = []
        tried = self._asked(before, actions)
        for source in sources:
            try:
                box.load(_program([source]), ["law_0"])
                for answer in _answers(box, "law_0", tried):
                    self._read(answer)
            except SandboxError as error:
                self.dropped.append(str(error).splitlines()[0])
            else:
                self.sources.append(source)
        self.names = [_title(source) for source in self.sources]
        box.close()
        self._groups: list[_Group] = []
        for group in _groups(self.sources):
            box = Sandbox(seconds=box.seconds, megabytes=box.megabytes)
            functions = [*(f"law_{number}" for number in range(len(group))), "laws"]
            box.load(_program(group), functions)
            self._groups.append(_Group(box, len(group)))

    def opine(self, states: np.ndarray, actions: np.ndarray) -> Opinions:
        """What every program lists whose precondition is true."""
        asked, entries, first = self._asked(states, actions), [], 0
        for group in self._groups:
            for number, answers in enumerate(self._told(group, asked)):
                try:
                    told = None if answers is None else [self._read(a) for a in answers]
                except SandboxError:
                    told = None
                self.failures += told is None
                entries += [
                    (row, first + number, fact, value, score)
                    for row, listed in enumerate(told or ())
                    for fact, value, score in listed
                ]
            first += group.size
        if not entries:
            return Opinions.none()
        row, law, fact, value, score = map(np.array, zip(*entries, strict=True))
        return Opinions(row, law, fact, value, score.astype(np.float32))

    def _told(self, group: "_Group", asked: Sequence[tuple[dict, str]]) -> list[list | None]:
        """What each law of a group answers to all states; None where it fails.

        All are asked at once, which is ten times as fast, until one of them fails or writes into
        the state that the others read; from then on each of that group is asked alone.
        """
        if group.is_close:
            try:
                rows: list[list] = _answers(group.box, "laws", asked)
            except SandboxError:
                group.is_close = False
            else:
                group.is_close = None not in rows
            if group.is_close:
                return [[row[law] for row in rows] for law in range(group.size)]
        told: list[list | None] = []
        for law in range(group.size):
            try:
                told.append(_answers(group.box, f"law_{law}", asked))
            except SandboxError:
                told.append(None)
        return told

    def _asked(self, states: np.ndarray, actions: np.ndarray) -> list[tuple[dict, str]]:
        return [
            (as_json(self.layout, state), self.layout.actions[int(action)])
            for state, action in zip(states, actions, strict=True)
        ]

    def _read(self, answer: Any) -> list[tuple[int, int, float]]:
        """Facts, values and log scores.

        Raises:
            SandboxError: If it is no list of values and probabilities of known facts.
        """
        listed = []
        try:
            for name, choices in dict(answer).items():
                for value, probability in choices:
                    fact, number = self._numbers[name], self._value(name, value)
                    # nobody is more than certain; values that no fact can have are not listed
                    score = float(np.log(min(probability, 1))) if probability > 0 else LOWEST
                    if 0 <= number < _NO_VALUE:
                        listed.append((fact, number, max(score, LOWEST)))
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise SandboxError(f"program: its effect cannot be read ({error!r})") from error
        return listed

    def _value(self, name: str, value: Any) -> int:
        if name.startswith("terrain.") and isinstance(value, str):
            return list(self.layout.materials).index(value)
        return int(value) + (1 if name.startswith(("cows.", "zombies.")) else 0)


@dataclass
class _Group:
    """Laws in one process."""

    box: Sandbox
    size: int
    is_close: bool = True
    """Whether they are asked at once."""


def _answers(box: Sandbox, function: str, asked: Sequence[tuple[dict, str]]) -> list:
    answers: list = []
    for first in range(0, len(asked), _CHUNK):
        answers += box.call_many(function, asked[first : first + _CHUNK])
    return answers


def as_json(layout: LandLayout, state: np.ndarray) -> dict[str, Any]:
    """A state (facts,) as programs see it."""
    part: Mapping[str, list[int]] = {
        name: state[where].tolist() for name, where in layout.parts.items()
    }
    return {
        "size": layout.size,
        "terrain": [layout.materials[code] for code in part["terrain"]],
        "player": part["player"][0],
        "items": dict(zip(layout.items, part["items"], strict=True)),
        "achieved": dict(zip(layout.achievements, part["achieved"], strict=True)),
        "vitals": dict(zip(("health", "food", "drink"), part["vitals"], strict=True)),
        "cows": [cell - 1 for cell in part["cows"]],
        "zombies": [cell - 1 for cell in part["zombies"]],
    }


def propose_laws(
    language: LanguageModel,
    layout: LandLayout,
    before: np.ndarray,
    actions: np.ndarray,
    after: np.ndarray,
    *,
    most: int = 40,
    seed: int | None = None,
) -> list[str]:
    """Ask a language model for laws about steps that changed something new.

    Args:
        language: Who writes.
        layout: Of the land.
        before: States, (steps, facts).
        actions: Taken, (steps,).
        after: States reached.
        most: Steps asked about; those come first whose changes were not seen before.
        seed: Of sampling.

    Returns:
        Programs, as written; nothing of them has run.
    """
    prompts = [
        render(
            "propose_laws",
            surroundings=_surroundings(layout, before[step]),
            action=layout.actions[actions[step]],
            changes=_changes(layout, before[step], after[step]),
        )
        for step in _telling(layout, before, actions, after)[:most]
    ]
    answers = language.complete(prompts, max_tokens=_MOST_TOKENS, seed=seed)
    return [block for (answer, *_) in answers for block in _BLOCK.findall(answer.text)]


def _telling(layout: LandLayout, before, actions, after) -> list[int]:
    """Steps in order of time whose action changed such a set of facts for the first time."""
    told, steps = set(), []
    for step, (old, action, new) in enumerate(zip(before, actions, after, strict=True)):
        names = {layout.names[fact].rstrip("0123456789") for fact in np.flatnonzero(old != new)}
        aspect = (int(action), frozenset(names))
        if names and aspect not in told:
            told.add(aspect)
            steps.append(step)
    return steps


def _changes(layout: LandLayout, old: np.ndarray, new: np.ndarray) -> list[tuple[str, Any, Any]]:
    def shown(fact: int, value: int) -> Any:
        name = layout.names[fact]
        if name.startswith("terrain."):
            return layout.materials[value]
        return value - 1 if name.startswith(("cows.", "zombies.")) else int(value)

    return [
        (layout.names[fact], shown(fact, old[fact]), shown(fact, new[fact]))
        for fact in np.flatnonzero(old != new)
    ]


def _surroundings(layout: LandLayout, state: np.ndarray) -> str:
    told = as_json(layout, state)
    size, terrain = layout.size, told.pop("terrain")
    y, x = divmod(told["player"], size)
    lines = [f"{name}: {value}" for name, value in told.items()]
    for row in range(max(y - 2, 0), min(y + 3, size)):
        cells = [
            f"{row * size + column} {terrain[row * size + column]}"
            for column in range(max(x - 2, 0), min(x + 3, size))
        ]
        lines.append(f"terrain: {', '.join(cells)}")
    return "\n".join(lines)


def _groups(sources: Sequence[str]) -> list[list[str]]:
    """Laws that together are no longer than a program may be."""
    groups: list[list[str]] = []
    for source in sources:
        if groups and len(_program([*groups[-1], source])) <= LONGEST:
            groups[-1].append(source)
        else:
            groups.append([source])
    return groups


def _program(sources: Sequence[str]) -> str:
    """All laws as one program: what law i defines at its top level gets the ending _i.

    Raises:
        SandboxError: If one cannot be parsed or lacks a function.
    """
    parts = [_GIVEN]
    for number, source in enumerate(sources):
        try:
            tree = ast.parse(source)
            _rename(tree, f"_{number}")
            parts += [ast.unparse(tree), _ASKED.format(number=number)]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SandboxError(f"program: cannot be read ({error})") from error
    calls = ", ".join(f"law_{number}(state, action)" for number in range(len(sources)))
    return "\n".join([*parts, _TOGETHER.format(calls=calls)])


def _rename(tree: ast.Module, ending: str) -> None:
    """Give an ending to all that a program defines or sets at its top level.

    Otherwise a law could put its own in place of what is given to all, or of another law's.
    """
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    missing = [name for name in _FUNCTIONS if name not in functions]
    if missing:
        raise SandboxError(f"program: expected functions {', '.join(missing)}; define them")
    loose = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    own = functions | {
        node.id
        for statement in loose
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in own:
                node.id += ending
            case ast.FunctionDef(name=name) if name in own:
                node.name += ending
            case ast.arg(arg=name) | ast.keyword(arg=str(name)) if name in own:
                node.arg = name + ending


def _title(source: str) -> str:
    """Its precondition, as written."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "precondition":
            body = [ast.unparse(line) for line in node.body]
            return " ".join(" ".join(body).split()).removeprefix("return ")
    return "a law"
