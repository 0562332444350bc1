"""A household in words: find a thing, make it clean, hot or cool, and put it where it is wanted.

Only what lies where one stands is seen, and only if no door hides it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from gymnasium.spaces import MultiDiscrete, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words, with_commands
from mindseye.core.tree import Tree
from mindseye.worlds.rules import Draws, Rules
from mindseye.worlds.text.drawing import draw
from mindseye.worlds.text.house import (
    CONDITIONS,
    HAS_DOOR,
    PLACES,
    ROOM_OF,
    ROOMS,
    STARTS,
    THINGS,
    TREATMENTS,
    goals,
    on,
)

HAND = -1
"""Where a thing is that is held."""
_MIDDLE, _NOTHING = -1, -1
_UNKNOWN, _ROOM, _GO, _OPEN, _CLOSE, _TAKE, _PUT, _TREAT, _LOOK, _EXAMINE = range(10)


@dataclass(frozen=True)
class HouseholdState:
    """Everything there is, one row per world."""

    goal: np.ndarray
    """int64, shape (rows, 3): thing, condition, place."""
    room: np.ndarray
    """int64, shape (rows,)."""
    at: np.ndarray
    """int64 place one stands at, −1: the middle of the room, shape (rows,)."""
    held: np.ndarray
    """int64 thing, −1: nothing, shape (rows,)."""
    places: np.ndarray
    """int64 place of every thing, −1: the hand, shape (rows, things)."""
    conditions: np.ndarray
    """int64, shape (rows, things)."""
    is_open: np.ndarray
    """bool, shape (rows, places); true for those without a door."""
    examined: np.ndarray
    """int64 thing just examined, −1: none, shape (rows,)."""
    failed: np.ndarray
    """bool: the last command could not be followed, shape (rows,)."""


class Household(Rules):
    """Put the thing asked for, in the condition asked for, where it is wanted; that pays 1.

    Observations:
        text: the task, where one is, what is seen and held, and what can be done.
        symbols: int64, goal, room, place, held thing, door, examined thing and its condition, all
            raised by one, then which things are seen.

    Args:
        observation: The face. Actions are words in both.
        max_steps: Steps until an episode is truncated.

    Raises:
        ConfigError: If there is no such face.

    Source: verbs and tasks after ALFWorld (Shridhar et al. 2021, arXiv 2010.03768), far smaller.
    """

    def __init__(self, *, observation: Literal["text", "symbols"] = "text", max_steps: int = 50):
        if observation not in ("text", "symbols"):
            raise ConfigError(f"household: no observation {observation!r}; choose text or symbols")
        self.max_steps, self._is_text = max_steps, observation == "text"
        self._goals = np.array(goals())
        self._starts = [
            np.array([PLACES.index(place) for place in there]) for there in STARTS.values()
        ]
        self._elsewhere = [_others(there) for there in self._starts]
        self._room_of, self._has_door = np.array(ROOM_OF), np.array(HAS_DOOR)
        makes, devices = zip(*TREATMENTS.values(), strict=True)
        self._makes = np.array([CONDITIONS.index(name) for name in makes])
        self._devices = np.array([PLACES.index(name) for name in devices])
        self._codes = _all_commands()
        counts = [len(THINGS), len(CONDITIONS), len(PLACES)]
        counts += [len(ROOMS), len(PLACES), len(THINGS), 2, len(THINGS), len(CONDITIONS)]
        numbers = np.array([*(count + 1 for count in counts), *(2 for _ in THINGS)])
        self.observation_space: Space = Words() if self._is_text else MultiDiscrete(numbers)
        self.action_space = Words()
        self._told = lru_cache(maxsize=1 << 16)(_describe)

    def start(self, draws: Draws) -> HouseholdState:
        """The middle of a room, all doors closed; the thing is not yet where it is wanted."""
        rows = len(draws.keys)
        goal = self._goals[draws.integers(len(self._goals), 1)[:, 0]]
        luck = draws.uniform(len(THINGS), use=1)
        places = np.stack(
            [there[(luck[:, i] * len(there)).astype(int)] for i, there in enumerate(self._starts)],
            1,
        )
        for thing, elsewhere in enumerate(self._elsewhere):
            is_there = (goal[:, 0] == thing) & (places[:, thing] == goal[:, 2])
            places[is_there, thing] = elsewhere[goal[is_there, 2]]
        none = np.full(rows, _NOTHING)
        return HouseholdState(
            goal=goal,
            room=draws.integers(len(ROOMS), 1, use=len(THINGS) + 1)[:, 0],
            at=none.copy(),
            held=none.copy(),
            places=places,
            conditions=np.zeros((rows, len(THINGS)), np.int64),
            is_open=np.tile(~self._has_door, (rows, 1)),
            examined=none.copy(),
            failed=np.zeros(rows, bool),
        )

    def transition(
        self, state: HouseholdState, action: list[str], draws: Draws
    ) -> tuple[HouseholdState, np.ndarray, np.ndarray]:
        """Follow the command where it can be followed; putting the thing down right ends it."""
        codes = np.array([self._codes.get(said, (_UNKNOWN, 0, 0)) for said in action])
        verb, thing, place = codes.T
        rows, at, held = np.arange(len(codes)), state.at, state.held
        is_here, is_open = at == place, state.is_open[rows, place]
        is_seen = (at != _MIDDLE) & (state.places[rows, thing] == at) & state.is_open[rows, at]
        has_it = (held == thing) & (held != _NOTHING)
        enters = (verb == _ROOM) & (state.room != place)
        goes = (verb == _GO) & (self._room_of[place] == state.room) & ~is_here
        opens = (verb == _OPEN) & is_here & ~is_open
        closes = (verb == _CLOSE) & is_here & is_open & self._has_door[place]
        takes = (verb == _TAKE) & is_here & is_seen & (held == _NOTHING)
        puts = (verb == _PUT) & is_here & is_open & has_it
        # a treatment's code stands where other commands have their place
        treats = (verb == _TREAT) & has_it & (at == self._devices[place % len(self._devices)])
        looks = (verb == _LOOK) & (at != _MIDDLE)
        examines = (verb == _EXAMINE) & (has_it | is_seen)
        now_open, places, conditions = (
            state.is_open.copy(), state.places.copy(), state.conditions.copy(),
        )  # fmt: skip
        now_open[rows[opens], place[opens]] = True
        now_open[rows[closes], place[closes]] = False
        places[rows[takes], thing[takes]] = HAND
        places[rows[puts], thing[puts]] = place[puts]
        conditions[rows[treats], thing[treats]] = self._makes[place[treats]]
        after = HouseholdState(
            goal=state.goal,
            room=np.where(enters, place, state.room),
            at=np.where(goes, place, np.where(enters | looks, _MIDDLE, at)),
            held=np.where(takes, thing, np.where(puts, _NOTHING, held)),
            places=places,
            conditions=conditions,
            is_open=now_open,
            examined=np.where(examines, thing, _NOTHING),
            failed=~(enters | goes | opens | closes | takes | puts | treats | looks | examines),
        )
        wanted = state.goal[:, 0]
        solved = (places[rows, wanted] == state.goal[:, 2]) & puts
        condition = state.goal[:, 1]
        solved &= (condition == 0) | (conditions[rows, wanted] == condition)
        return after, solved.astype(np.float32), solved

    def observe(self, state: HouseholdState) -> Tree:
        """As the chosen face shows it."""
        return self._texts(state) if self._is_text else self._symbols(state)

    def measure(self, state: HouseholdState) -> dict[str, np.ndarray]:
        """`failed`: whether the last command could not be followed."""
        return {"failed": state.failed.astype(np.float32)}

    def picture(self, state: HouseholdState) -> np.ndarray:
        """What is told, in letters."""
        return draw(self._texts(state))

    def _seen(self, state: HouseholdState) -> np.ndarray:
        """Which things lie open where one stands: bool (rows, things)."""
        is_open = (state.at != _MIDDLE) & state.is_open[np.arange(len(state.at)), state.at]
        return (state.places == state.at[:, None]) & is_open[:, None]

    def _symbols(self, state: HouseholdState) -> np.ndarray:
        rows, at, examined = np.arange(len(state.at)), state.at, state.examined
        door = np.where(self._has_door[at] & (at != _MIDDLE), state.is_open[rows, at], _NOTHING)
        condition = np.where(examined == _NOTHING, _NOTHING, state.conditions[rows, examined])
        told = np.stack([state.room, at, state.held, door, examined, condition], 1)
        return np.concatenate([state.goal + 1, told + 1, self._seen(state)], 1).astype(np.int64)

    def _texts(self, state: HouseholdState) -> list[str]:
        numbers = self._symbols(state).tolist()
        first, seen = 9, len(THINGS)
        return [
            self._told(tuple(row[:first]), tuple(row[first : first + seen]), failed)
            for row, failed in zip(numbers, state.failed.tolist(), strict=True)
        ]


def _others(there: np.ndarray) -> np.ndarray:
    """For each place where a thing may begin, another one."""
    others = np.arange(len(PLACES))
    others[there] = np.roll(there, 1)
    return others


def _all_commands() -> dict[str, tuple[int, int, int]]:
    codes = {"look": (_LOOK, 0, 0)}
    codes |= {f"go to {room}": (_ROOM, 0, i) for i, room in enumerate(ROOMS)}
    codes |= {f"examine {thing}": (_EXAMINE, i, 0) for i, thing in enumerate(THINGS)}
    for i, place in enumerate(PLACES):
        codes |= {f"go to {place}": (_GO, 0, i), f"open {place}": (_OPEN, 0, i)}
        codes[f"close {place}"] = (_CLOSE, 0, i)
        for j, thing in enumerate(THINGS):
            codes[_taking(thing, place)] = (_TAKE, j, i)
            codes[_putting(thing, place)] = (_PUT, j, i)
    for i, (verb, (_, device)) in enumerate(TREATMENTS.items()):
        codes |= {f"{verb} {thing} with {device}": (_TREAT, j, i) for j, thing in enumerate(THINGS)}
    return codes


def _taking(thing: str, place: str) -> str:
    return f"take {thing} from {place}"


def _putting(thing: str, place: str) -> str:
    return f"put {thing} {on(place).replace('the ', '')}"


def _describe(numbers: tuple[int, ...], seen: tuple[int, ...], failed: bool) -> str:
    wanted, condition, target, room, at, held, door, examined, found = (n - 1 for n in numbers)
    named = f"{CONDITIONS[condition]} {THINGS[wanted]}".strip()
    lines = [f"Task: put {'an' if named[0] in 'aeiou' else 'a'} {named} {on(PLACES[target])}."]
    if failed:
        lines.append("Nothing happens.")
    room_name = list(ROOMS)[room]
    there = ROOMS[room_name]
    can = [f"go to {name}" for name in ROOMS if name != room_name]
    can += [f"go to {place}" for place in there if at == _MIDDLE or place != PLACES[at]]
    held_name = "nothing" if held == _NOTHING else THINGS[held]
    if at == _MIDDLE:
        told = f"You are in the {room_name}. There are: {', '.join(there)}."
    else:
        place = PLACES[at]
        told = f"You are in the {room_name}, at the {place}."
        things = [name for name, is_seen in zip(THINGS, seen, strict=True) if is_seen]
        is_open = door != 0
        if door != _NOTHING:
            told += f" It is {'open' if is_open else 'closed'}."
            can.append(f"{'close' if is_open else 'open'} {place}")
        if is_open:
            told += f" You see: {', '.join(things) or 'nothing'}."
        if held == _NOTHING:
            can += [_taking(thing, place) for thing in things]
        else:
            can += [_putting(held_name, place)] if is_open else []
            can += [f"{verb} {held_name} with {place}" for verb, (_, device) in TREATMENTS.items()
                    if device == place]  # fmt: skip
            things = [*things, held_name]
        can += [f"examine {thing}" for thing in things] + ["look"]
    told += f" You hold: {held_name}."
    if examined != _NOTHING:
        told += f" The {THINGS[examined]} is {CONDITIONS[found] or 'as it was'}."
    if at == _MIDDLE and held != _NOTHING:
        can.append(f"examine {held_name}")
    return with_commands("\n".join([*lines, told]), can)
