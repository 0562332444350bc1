"""What can lie on a cell, as one byte: MiniGrid's (type, colour, state) packed together.

The laws of handling objects are two tables, filled once: what lies ahead after an action, and what
the agent then carries. Source of the laws and numbers: MiniGrid 3, `core/constants.py`.
"""

import numpy as np

from mindseye.worlds.grids.colours import NAMES as COLOURS

TYPES = (
    "unseen", "empty", "wall", "floor", "door", "key", "ball", "box", "goal", "lava", "agent",
)  # fmt: skip
DOOR_STATES = ("open", "closed", "locked")
NUM_ACTIONS = 7
LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE, DONE = range(NUM_ACTIONS)


def code(kind: str, colour: str = "red", state: str = "open") -> int:
    """Byte of an object."""
    triple = TYPES.index(kind), COLOURS.index(colour), DOOR_STATES.index(state)
    return triple[0] * 18 + triple[1] * 3 + triple[2]


def codes_of(triples: np.ndarray) -> np.ndarray:
    """Bytes of MiniGrid triples, shape (..., 3) to (...)."""
    return (triples.astype(np.int64) @ np.array([18, 3, 1])).astype(np.uint8)


UNSEEN, EMPTY, WALL = code("unseen"), code("empty"), code("wall", "grey")
GOAL, LAVA = code("goal", "green"), code("lava")
SCREENS = np.array([code("box", colour) for colour in COLOURS], np.uint8)
"""The television of the noisy room, one per colour."""

_BYTES = np.arange(256)
TRIPLES = np.stack([_BYTES // 18, _BYTES % 18 // 3, _BYTES % 3], axis=-1).astype(np.uint8)
"""Type, colour and state of every byte, shape (256, 3)."""

_TYPE, _STATE = TRIPLES[:, 0], TRIPLES[:, 2]


def _is(*kinds: str) -> np.ndarray:
    return np.isin(_TYPE, [TYPES.index(kind) for kind in kinds])


_SHUT = _is("door") & (DOOR_STATES.index("open") != _STATE)
IS_OPAQUE = _is("wall") | _SHUT
IS_LAVA, IS_GOAL = _is("lava"), _is("goal")
IS_PORTABLE = _is("key", "ball")
IS_WALKABLE = _is("empty", "floor", "goal", "lava", "door") & ~_SHUT

CARRIED = np.concatenate([[UNSEEN], np.flatnonzero(IS_PORTABLE & (_STATE == 0))]).astype(np.uint8)
"""What hands can hold: nothing, then every key and ball. The row of the tables below."""


def _after_toggle(ahead: int, carried: int) -> int:
    kind, colour, state = TRIPLES[ahead]
    if TYPES[kind] != "door":
        return ahead
    if DOOR_STATES[state] == "locked":
        fits = carried == code("key", COLOURS[colour])
        return code("door", COLOURS[colour], "open") if fits else ahead
    return code("door", COLOURS[colour], "closed" if DOOR_STATES[state] == "open" else "open")


def _laws() -> tuple[np.ndarray, np.ndarray]:
    shape = (NUM_ACTIONS, len(CARRIED), 256)
    ahead_after = np.broadcast_to(_BYTES, shape).astype(np.uint8)
    carried_after = np.broadcast_to(CARRIED[:, None], shape).copy()
    carried_after[PICK_UP, 0, IS_PORTABLE] = _BYTES[IS_PORTABLE]
    ahead_after[PICK_UP, 0, IS_PORTABLE] = EMPTY
    ahead_after[DROP, 1:, EMPTY] = CARRIED[1:]
    carried_after[DROP, 1:, EMPTY] = UNSEEN
    for slot, carried in enumerate(CARRIED):
        for ahead in range(11 * 18):
            ahead_after[TOGGLE, slot, ahead] = _after_toggle(ahead, int(carried))
    return ahead_after.ravel(), carried_after.ravel()


_AHEAD_AFTER, _CARRIED_AFTER = _laws()
_SLOT = np.zeros(256, np.int64)
_SLOT[CARRIED] = np.arange(len(CARRIED))


def handle(
    action: np.ndarray, carried: np.ndarray, ahead: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What lies ahead and what is carried after an action, all of shape (rows,)."""
    law = (action * len(CARRIED) + _SLOT.take(carried)) * 256 + ahead
    return _AHEAD_AFTER.take(law), _CARRIED_AFTER.take(law)
