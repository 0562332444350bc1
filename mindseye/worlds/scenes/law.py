"""What holds in each scene, and how discs move by it.

Lengths are shares of the frame, times are frames, y points up. Between touches a disc's position
changes by second differences of exactly minus gravity, plus pushes and a small random kick: two
takes of the same event differ by these kicks alone.
"""

from dataclasses import dataclass, replace

import numpy as np

_PARTS = 4
"""Of a frame, in which collisions are solved one after the other."""
MOVES = np.array([(0, 0), (-1, 0), (1, 0), (0, 1), (0, -1)], np.float64)
"""Directions of the actions: none, left, right, up, down."""


@dataclass(frozen=True)
class Law:
    """Constants of a scene."""

    radii: tuple[float, ...] = (0.09, 0.09)
    gravity: float = 0.004
    """Downward, per frame squared."""
    push: float = 0.025
    """Velocity that an action adds to the first disc, per frame."""
    bounce: float = 0.85
    """Share of the speed that a touch leaves."""
    friction: float = 0.0
    """Share of the velocity lost per frame."""
    kick: float = 0.001
    """Deviation of the random change of velocity per frame."""
    panel: tuple[float, float] | None = None
    """Range of x that an upright panel hides."""
    start_height: tuple[float, float] = (0.3, 0.85)
    """Least and greatest first y."""
    start_speed: float = 0.03
    """Greatest first speed along each axis."""
    scored: int = 0
    """The disc that pays 1 for every frame in the right third."""


@dataclass(frozen=True)
class DiscState:
    """Where the discs are and how fast, arrays of shape (rows, discs, 2)."""

    position: np.ndarray
    velocity: np.ndarray


LAWS: dict[str, Law] = {
    "toss": Law(radii=(0.18,), push=0.03, start_height=(0.4, 0.8), start_speed=0.04),
    "bounce": Law(),
    "occluder": Law(panel=(0.4, 0.6), start_height=(0.4, 0.85), start_speed=0.04),
    "fall": Law(radii=(0.08, 0.08, 0.08), start_height=(0.55, 0.9), start_speed=0.01, bounce=0.6),
    "push": Law(
        radii=(0.09, 0.09), gravity=0.0, friction=0.12, start_height=(0.2, 0.8), start_speed=0.0,
        kick=0.0005, scored=1,
    ),
}  # fmt: skip
"""Scenes by name: one large disc alone, discs that bounce, that pass behind a panel, that fall,
and, from above, one disc that pushes another over a table."""


def pushes(law: Law, actions: np.ndarray) -> np.ndarray:
    """Velocity that actions add to every disc: (...) to (..., discs, 2)."""
    given = np.zeros((*actions.shape, len(law.radii), 2))
    given[..., 0, :] = law.push * MOVES[actions]
    return given


def move(law: Law, state: DiscState, action: np.ndarray, kick: np.ndarray) -> DiscState:
    """One frame on.

    Args:
        law: Constants.
        state: Before; unchanged.
        action: Indices of `MOVES`, shape (rows,).
        kick: Random changes of velocity of deviation 1, shape (rows, discs, 2).
    """
    position = state.position.copy()
    velocity = (1 - law.friction) * state.velocity + pushes(law, action) + law.kick * kick
    for _ in range(_PARTS):
        velocity[..., 1] -= law.gravity / _PARTS
        position += velocity / _PARTS
        _collide(law, position, velocity)
        _bounce_off_walls(law, position, velocity)
    return DiscState(position, velocity)


def upside_down(law: Law) -> Law:
    """The same, but things fall up."""
    return replace(law, gravity=-law.gravity)


def _collide(law: Law, position: np.ndarray, velocity: np.ndarray) -> None:
    """Touching pairs exchange momentum, masses being areas, and move apart; in place."""
    for i, j in zip(*np.triu_indices(len(law.radii), 1), strict=True):
        apart = position[:, j] - position[:, i]
        distance = np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-9)
        overlap = law.radii[i] + law.radii[j] - distance
        normal = apart / distance
        closing = ((velocity[:, i] - velocity[:, j]) * normal).sum(-1, keepdims=True)
        share = law.radii[j] ** 2 / (law.radii[i] ** 2 + law.radii[j] ** 2)
        strength = np.where((overlap > 0) & (closing > 0), (1 + law.bounce) * closing, 0)
        velocity[:, i] -= share * strength * normal
        velocity[:, j] += (1 - share) * strength * normal
        gap = np.maximum(overlap, 0) * normal
        position[:, i] -= share * gap
        position[:, j] += (1 - share) * gap


def _bounce_off_walls(law: Law, position: np.ndarray, velocity: np.ndarray) -> None:
    low = np.array(law.radii)[:, None]
    under, over = position < low, position > 1 - low
    velocity[under] = law.bounce * np.abs(velocity[under])
    velocity[over] = -law.bounce * np.abs(velocity[over])
    np.clip(position, low, 1 - low, out=position)
