"""A workshop of invented technology in words: try, read why it failed, try again.

No map and no luck: one command gathers, builds or crafts one thing. What a command needs is nowhere
written; a command that fails names the first thing missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from gymnasium import Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words, with_commands
from mindseye.core.tree import Tree
from mindseye.worlds.minicraft.plans import command_of, plan_for
from mindseye.worlds.minicraft.technology import Craft, Gather, Technology
from mindseye.worlds.rules import Draws, Rules

MOST = 9
"""Of any item."""
_BEGUN, _DONE, _UNKNOWN, _FULL, _TOOL, _NEAR, _COST = range(7)
"""What became of the last command."""


@dataclass(frozen=True)
class WorkshopState:
    """Everything there is, one row per world."""

    goal: np.ndarray
    """int64, the law that has to be used, shape (rows,)."""
    items: np.ndarray
    """int64 counts, shape (rows, items)."""
    built: np.ndarray
    """bool, shape (rows, stations)."""
    last: np.ndarray
    """int64 law tried last, −1 at first or if unknown, shape (rows,)."""
    outcome: np.ndarray
    """int64 code of what became of it, shape (rows,)."""
    missing: np.ndarray
    """int64: which item or station was missing, and how many, shape (rows, 2)."""


class Workshop(Rules):
    """Make the thing asked for.

    Observations are `Words`: the outcome of the last command, the task, what is held and built, and
    what can be tried. Making the thing pays 1 and ends the episode.

    Args:
        technology: The laws; see `minicraft.invented`.
        goals: Things that may be asked for; None: everything crafted or built.
        max_steps: Steps until an episode is truncated.

    Raises:
        ConfigError: If a goal cannot be made.
    """

    def __init__(
        self, technology: Technology, *, goals: Sequence[str] | None = None, max_steps: int = 30
    ):
        self.technology, self.max_steps = technology, max_steps
        self.laws = [*technology.gathers, *technology.builds, *technology.crafts]
        self.commands = [command_of(law) for law in self.laws]
        self._number = {command: i for i, command in enumerate(self.commands)}
        self.things = [command.split(" ", 1)[1] for command in self.commands]
        first = len(technology.gathers)
        goals = self.things[first:] if goals is None else list(goals)
        if unknown := sorted(set(goals) - set(self.things[first:])):
            raise ConfigError(
                f"workshop: cannot make {', '.join(unknown)}; there are {self.things[first:]}"
            )
        self._goals = np.array([self.things.index(goal) for goal in goals])
        items = list(technology.items)
        self.stations = [law.material for law in technology.builds]
        count = len(self.laws)
        self._gives = np.full(count, -1)
        self._tool = np.full(count, -1)
        self._near = np.full(count, -1)
        self._costs = np.zeros((count, len(items)), np.int64)
        self._builds = np.full(count, -1)
        for i, law in enumerate(self.laws):
            if isinstance(law, Gather):
                self._gives[i] = items.index(law.item)
                self._tool[i] = -1 if law.tool is None else items.index(law.tool)
                continue
            for item, price in law.costs.items():
                self._costs[i, items.index(item)] = price
            if isinstance(law, Craft):
                self._gives[i] = items.index(law.item)
                self._near[i] = -1 if law.near is None else self.stations.index(law.near)
            else:
                self._builds[i] = self.stations.index(law.material)
        self.observation_space: Space = Words()
        self.action_space = Words()
        self._told = lru_cache(maxsize=1 << 14)(self._describe)

    def start(self, draws: Draws) -> WorkshopState:
        """Empty hands and a task."""
        rows = len(draws.keys)
        return WorkshopState(
            goal=self._goals[draws.integers(len(self._goals), 1)[:, 0]],
            items=np.zeros((rows, len(self.technology.items)), np.int64),
            built=np.zeros((rows, len(self.stations)), bool),
            last=np.full(rows, -1),
            outcome=np.full(rows, _BEGUN),
            missing=np.zeros((rows, 2), np.int64),
        )

    def transition(
        self, state: WorkshopState, action: list[str], draws: Draws
    ) -> tuple[WorkshopState, np.ndarray, np.ndarray]:
        """Use the named law where all it needs is there."""
        rows = np.arange(len(action))
        law = np.array([self._number.get(command, -1) for command in action])
        outcome = np.full(len(rows), _DONE)
        missing = np.zeros_like(state.missing)
        lack = self._costs[law] - state.items
        dear = lack.argmax(1)
        tool, near, gives = self._tool[law], self._near[law], self._gives[law]
        # from the last to the first thing noticed
        for code, fails, which, many in (
            (_FULL, (gives >= 0) & (state.items[rows, gives] >= MOST), gives, rows * 0),
            (_COST, lack[rows, dear] > 0, dear, lack[rows, dear]),
            (_NEAR, (near >= 0) & ~state.built[rows, near], near, rows * 0),
            (_TOOL, (tool >= 0) & (state.items[rows, tool] == 0), tool, rows * 0),
            (_UNKNOWN, law < 0, law, rows * 0),
        ):
            outcome[fails] = code
            missing[fails] = np.stack([which, many], 1)[fails]
        done = outcome == _DONE
        items, built = state.items.copy(), state.built.copy()
        items[done] -= self._costs[law[done]]
        makes = done & (gives >= 0)
        items[rows[makes], gives[makes]] += 1
        builds = done & (self._builds[law] >= 0)
        built[rows[builds], self._builds[law[builds]]] = True
        solved = done & (law == state.goal)
        after = WorkshopState(state.goal, items, built, law, outcome, missing)
        return after, solved.astype(np.float32), solved

    def observe(self, state: WorkshopState) -> Tree:
        """One text per row."""
        columns = (state.goal, state.items, state.built, state.last, state.outcome, state.missing)
        parts = [column.tolist() for column in columns]
        return [
            self._told(goal, tuple(items), tuple(built), last, outcome, tuple(missing))
            for goal, items, built, last, outcome, missing in zip(*parts, strict=True)
        ]

    def measure(self, state: WorkshopState) -> dict[str, np.ndarray]:
        """`failed`: whether the last command failed."""
        return {"failed": (state.outcome > _DONE).astype(np.float32)}

    def picture(self, state: WorkshopState) -> np.ndarray:
        """What is held, as bars: uint8, shape (rows, 64, 64, 3)."""
        image = np.full((len(state.goal), 64, 64, 3), 30, np.uint8)
        width = max(1, 64 // state.items.shape[1])
        for index in range(min(state.items.shape[1], 64)):
            colour = self.technology.colours[len(self.technology.materials) + index]
            for row, count in enumerate(state.items[:, index].tolist()):
                top = 64 - 6 * count
                image[row, top:, index * width : (index + 1) * width] = colour
        return image

    def solution(self, goal: str) -> list[str]:
        """Commands that make a thing from nothing: the teacher's knowledge."""
        return plan_for(self.technology, goal, {}, frozenset())

    def _describe(self, goal: int, items: tuple, built: tuple, last: int, outcome: int, missing):
        names = self.technology.items
        held = [f"{n} {name}" for n, name in zip(items, names, strict=True) if n]
        there = [name for flag, name in zip(built, self.stations, strict=True) if flag]
        lines = [
            self._news(last, outcome, *missing),
            f"Task: {self.commands[goal]}.",
            f"You hold {', '.join(held) or 'nothing'}. You built {', '.join(there) or 'nothing'}.",
        ]
        return with_commands("\n".join(lines), self.commands)

    def _news(self, last: int, outcome: int, missing: int, many: int) -> str:
        if outcome == _BEGUN:
            return "You are in a workshop."
        if outcome == _UNKNOWN:
            return "That means nothing here."
        command = self.commands[last]
        if outcome == _DONE:
            return f"You did {command}."
        item = self.technology.items[missing]
        if outcome == _FULL:
            return f"You cannot {command}: you hold enough {item}."
        if outcome == _TOOL:
            return f"You cannot {command}: you need {item} in hand."
        if outcome == _NEAR:
            return f"You cannot {command}: you need {self.stations[missing]} built."
        return f"You cannot {command}: you need {many} more {item}."
