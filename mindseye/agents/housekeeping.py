"""A scripted housekeeper of `text/household`, who knows the rooms and looks for everything else."""

import re
from dataclasses import dataclass, replace

import numpy as np

from mindseye.core.protocols import Agent
from mindseye.core.spaces import commands
from mindseye.core.tree import Tree
from mindseye.worlds.text.house import PLACES, ROOM_OF, ROOMS, TREATMENTS

_TASK = re.compile(r"Task: put an? (?:(clean|hot|cool) )?(\w+) (?:in|on) the ([\w ]+)\.")
_AT = re.compile(r"You are in the ([\w ]+?)(?:, at the ([\w ]+))?\.")
_SEES = re.compile(r"You see: ([\w, ]+)\.")
_HOLDS = re.compile(r"You hold: (\w+)\.")


@dataclass(frozen=True)
class _Notes:
    """What one remembers of a house."""

    searched: frozenset[str] = frozenset()
    where: str = ""
    """The place the thing was last seen at."""
    condition: str = ""
    """What was last made of the thing."""


class ScriptedHousekeeper(Agent):
    """Looks behind every door until the thing is found, treats it, and brings it.

    Args:
        noise: Probability of saying anything that is listed instead.
        seed: Of its own generator.
    """

    def __init__(self, *, noise: float = 0.0, seed: int = 0):
        self.noise, self._rng = noise, np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Notes, one per row."""
        return [_Notes()] * batch_size

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """What the script says, or chance."""
        said, remembered = [], []
        for text, notes in zip(observation, memory, strict=True):
            listed = commands(text)
            notes = _noted(text, notes)
            command = _next(text, notes, listed)
            if self._rng.random() < self.noise:
                command = listed[int(self._rng.integers(len(listed)))]
            said.append(command)
            remembered.append(_done(text, notes, command))
        return said, remembered, {}


def _parts(text: str) -> tuple[str, str, str, str, str, str]:
    """Condition, thing and target asked for; room, place and thing held."""
    task, at, holds = _TASK.match(text), _AT.search(text), _HOLDS.search(text)
    if task is None or at is None or holds is None:
        return "", "", "", "", "", ""
    return task[1] or "", task[2], task[3], at[1], at[2] or "", holds[1]


def _noted(text: str, notes: _Notes) -> _Notes:
    _, thing, _, _, place, _ = _parts(text)
    sees = _SEES.search(text)
    if sees is None:
        return notes
    is_here = thing in sees[1].split(", ")
    where = place if is_here else "" if notes.where == place else notes.where
    return replace(notes, searched=notes.searched | {place}, where=where)


def _done(text: str, notes: _Notes, command: str) -> _Notes:
    thing = _parts(text)[1]
    for verb, (condition, device) in TREATMENTS.items():
        if command == f"{verb} {thing} with {device}":
            return replace(notes, condition=condition)
    return replace(notes, where="") if command.startswith(f"take {thing} ") else notes


def _next(text: str, notes: _Notes, listed: list[str]) -> str:
    condition, thing, target, room, place, held = _parts(text)
    if not thing:
        return listed[-1]
    takes = f"take {thing} from {place}"
    is_ready = condition in ("", notes.condition)
    if held == thing and not is_ready:
        verb, device = next((v, d) for v, (made, d) in TREATMENTS.items() if made == condition)
        treats = f"{verb} {thing} with {device}"
        return treats if treats in listed else _towards(device, room)
    if held == thing:
        return _drop(listed, place, room, target)
    if held != "nothing":
        return _drop(listed, place, room, place or next(iter(ROOMS[room])))
    if takes in listed:
        return takes
    if notes.where:
        return _towards(notes.where, room)
    if f"open {place}" in listed and place not in notes.searched:
        return f"open {place}"
    left = [p for p in PLACES if p not in notes.searched]
    here = [p for p in left if p in ROOMS[room]]
    return _towards((here or left or [target])[0], room)


def _drop(listed: list[str], place: str, room: str, target: str) -> str:
    if place != target:
        return _towards(target, room)
    puts = [command for command in listed if command.startswith("put ")]
    return puts[0] if puts else f"open {place}"


def _towards(place: str, room: str) -> str:
    its_room = list(ROOMS)[ROOM_OF[PLACES.index(place)]]
    return f"go to {place if its_room == room else its_room}"
