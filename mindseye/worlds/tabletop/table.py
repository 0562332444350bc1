"""What a table must say of itself, its state, and the two natures it may have.

Lengths are in units of half the table's side: x grows to the right, y away from the viewer, both
from -1 to 1. Speeds are in such units per step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mindseye.worlds.rules.randomness import Draws

GRAINS = 1 << 16
"""How many different noises a picture may have."""


@dataclass(frozen=True)
class TableState:
    """Everything that moves or is drawn anew; arrays with the rows in front."""

    place: np.ndarray
    """float64 (rows, bodies, 2); the agent is body 0."""
    speed: np.ndarray
    """float64 (rows, bodies, 2), per step."""
    goal: np.ndarray
    """float64 (rows, 2)."""
    door: np.ndarray
    """float64 (rows,): y of the middle of the door, where there is one."""
    held: np.ndarray
    """float64 (rows, 2): the command given last, which slow motors still obey."""
    grain: np.ndarray
    """int64 (rows,): which grain of noise lies over the picture."""


@dataclass(frozen=True)
class Nature:
    """Physics and looks that differ between the simulated table and the real one."""

    gain: float = 1.0
    """Of the motors."""
    delay: float = 0.0
    """Share of the command before that motors still obey, 0 to 1."""
    friction: float = 0.4
    """Share of its speed that a body loses per step."""
    mass: float = 1.0
    """Of bodies that are pushed."""
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factor of red, green and blue."""
    noise: int = 0
    """Greatest error of a pixel, in levels of 255."""


NATURES = {
    "sim": Nature(),
    "real": Nature(
        gain=0.85, delay=0.3, friction=0.55, mass=1.6, light=(0.86, 0.80, 0.70), noise=8
    ),
}


@dataclass(frozen=True)
class Disc:
    """Something round to draw."""

    place: np.ndarray
    """float64 (rows, 2)."""
    radius: float
    colour: str
    is_blurred: bool = False
    """A Gaussian spot whose standard deviation is the radius."""


class Table(Protocol):
    """Physics of one kind of table, as functions of its state."""

    max_steps: int
    numbers: Sequence[str]
    """Names of the numbers of `vector`."""
    pose: Sequence[int]
    """Which of them an agent feels of itself."""
    has_fixed_walls: bool
    """Whether all rows have the same walls, always."""

    def start(self, draws: Draws) -> TableState:
        """First states."""
        ...

    def transition(
        self, state: TableState, action: np.ndarray, draws: Draws
    ) -> tuple[TableState, np.ndarray, np.ndarray]:
        """Next state, reward and terminated; pure."""
        ...

    def vector(self, state: TableState) -> np.ndarray:
        """Everything that matters, float64 (rows, numbers), each within [-1, 1]."""
        ...

    def from_vector(self, vector: np.ndarray) -> TableState:
        """The state that a vector describes, at rest where it says nothing."""
        ...

    def walls(self, state: TableState, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Whether there is a wall at (x, y), bool (rows or 1, len y, len x).

        Args:
            state: Where the doors are.
            x, y: Coordinates, float64 (rows or 1, ...).
        """
        ...

    def discs(self, state: TableState) -> list[Disc]:
        """What to draw, the lowest first."""
        ...

    def sentence(self, vector: np.ndarray) -> str:
        """One row's vector in words."""
        ...


def resting(
    agent: np.ndarray,
    *,
    goal: np.ndarray,
    others: np.ndarray | None = None,
    door: np.ndarray | None = None,
) -> TableState:
    """A state without speeds, commands or noise; others are further bodies (rows, n, 2)."""
    place = agent[:, None] if others is None else np.concatenate([agent[:, None], others], 1)
    rows = len(agent)
    return TableState(
        place=place,
        speed=np.zeros_like(place),
        goal=goal,
        door=np.zeros(rows) if door is None else door,
        held=np.zeros((rows, 2)),
        grain=np.zeros(rows, np.int64),
    )


def far_from(
    other: np.ndarray, draws: Draws, *, least: float, within: float, use: int
) -> np.ndarray:
    """A place at least so far from another one, float64 (rows, 2), each coordinate within ±."""
    tries = 8
    drawn = (2 * draws.uniform(2 * tries, use) - 1).reshape(-1, tries, 2) * within
    distance = np.linalg.norm(drawn - other[:, None], axis=-1)
    best = np.where(distance >= least, np.inf, distance).argmax(axis=1)
    return drawn[np.arange(len(best)), best]


def fresh_grain(draws: Draws) -> np.ndarray:
    """Another noise over the next picture, int64 (rows,)."""
    return draws.integers(GRAINS, 1, use=99)[:, 0]


def drive(state: TableState, action: np.ndarray, nature: Nature) -> np.ndarray:
    """What the motors do when told `action`, float64 (rows, 2)."""
    return nature.gain * ((1 - nature.delay) * action + nature.delay * state.held)


def reached(place: np.ndarray, goal: np.ndarray, reach: float) -> np.ndarray:
    """Whether places (rows, 2) lie within `reach` of their goals, bool (rows,)."""
    return np.linalg.norm(place - goal, axis=-1) < reach


def said(point: np.ndarray) -> str:
    """Coordinates in words."""
    return f"({point[0]:.2f}, {point[1]:.2f})"
