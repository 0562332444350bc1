"""`Discs`: scenes of coloured discs, seen as pictures, numbers or words."""

from typing import Literal

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.worlds.rules import Draws, Rules
from mindseye.worlds.scenes.law import MOVES, DiscState, Law, move

Face = Literal["pixels", "state", "text"]
FACES = ("pixels", "state", "text")
NAMES = ("red", "blue", "green")
COLOURS = np.array([(225, 70, 50), (60, 120, 235), (80, 190, 90)], np.float32)
GROUND = np.array((28, 30, 38), np.float32)
PANEL = np.array((125, 125, 130), np.float32)
_FASTEST = 0.25
"""Speeds are shown in this unit, per frame."""
_TAKE_STRIDE = 64
"""Random numbers set aside for each take of a step."""
_LARGE = 128


class Discs(Rules):
    """Discs under one law. Five actions push the first, red disc: none, left, right, up, down.

    A step pays 1 while the law's scored disc is in the right third.

    Observations:
        pixels: uint8 (size, size, 3).
        state: float32 (4 discs,), in [-1, 1]: x, y and velocity of each.
        text: a sentence; what is wholly behind the panel is said to be hidden.

    Args:
        law: What holds.
        observation: The face.
        size: Pixels per side, 16 to 256.
        take: Number of the take: episodes of equal seeds begin alike in all takes and then differ
            by their random kicks.

    Raises:
        ConfigError: If there is no such face, or a number is out of range.
    """

    def __init__(self, law: Law, *, observation: Face = "pixels", size: int = 48, take: int = 0):
        if observation not in FACES:
            raise ConfigError(f"scenes: no observation {observation!r}; choose from {FACES}")
        if not 16 <= size <= 256:
            raise ConfigError(f"scenes: expected size from 16 to 256, got {size}")
        if not 0 <= take < 1000:
            raise ConfigError(f"scenes: expected take from 0 to 999, got {take}")
        self.law, self.face, self.size, self.take = law, observation, size, take
        self.max_steps: int | None = 100
        self.action_space = Discrete(len(MOVES))
        spaces: dict[str, Space] = {
            "pixels": Box(0, 255, (size, size, 3), np.uint8),
            "state": Box(-1, 1, (4 * len(law.radii),), np.float32),
            "text": Words(),
        }
        self.observation_space = spaces[observation]

    def start(self, draws: Draws) -> DiscState:
        """Side by side, in any order, at any height of the law's range."""
        count, discs = len(draws.keys), len(self.law.radii)
        luck = draws.uniform(4 * discs, use=1).reshape(count, discs, 4)
        turn = draws.integers(discs, 1)
        column = (np.arange(discs) + turn) % discs
        radius = max(self.law.radii)
        width = 1 / discs
        x = width * column + radius + luck[..., 0] * (width - 2 * radius)
        low, high = self.law.start_height
        y = low + luck[..., 1] * (high - low)
        speed = self.law.start_speed * (2 * luck[..., 2:] - 1)
        return DiscState(np.stack((x, y), -1), speed)

    def transition(
        self, state: DiscState, action: np.ndarray, draws: Draws
    ) -> tuple[DiscState, np.ndarray, np.ndarray]:
        """One frame on."""
        discs = len(self.law.radii)
        luck = draws.uniform(2 * discs, use=_TAKE_STRIDE * (1 + self.take))
        kick = 12**0.5 * (luck - 0.5)
        after = move(self.law, state, action, kick.reshape(-1, discs, 2))
        reward = (after.position[:, self.law.scored, 0] > 2 / 3).astype(np.float32)
        return after, reward, np.zeros(len(action), bool)

    def observe(self, state: DiscState) -> Tree:
        """As the chosen face shows it."""
        if self.face == "pixels":
            return draw(self.law, state.position, self.size)
        if self.face == "state":
            return _numbers(state)
        return _sentences(self.law, state)

    def measure(self, state: DiscState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: DiscState) -> np.ndarray:
        """As pixels, larger."""
        return draw(self.law, state.position, _LARGE)


def draw(law: Law, position: np.ndarray, size: int, shown: np.ndarray | None = None) -> np.ndarray:
    """Pictures of discs with smooth edges, the panel in front, uint8 (rows, size, size, 3).

    Args:
        law: Radii and panel.
        position: Shape (rows, discs, 2).
        size: Pixels per side.
        shown: bool, shape (rows, discs): discs to draw; None: all.
    """
    place = ((np.arange(size) + 0.5) / size).astype(np.float32)
    canvas = np.broadcast_to(GROUND, (len(position), size, size, 3)).copy()
    at = position.astype(np.float32)
    for disc, radius in enumerate(law.radii):
        across = place[None, None, :] - at[:, disc, 0, None, None]
        down = (1 - place)[None, :, None] - at[:, disc, 1, None, None]
        edge = (radius - np.sqrt(across**2 + down**2)) * size + 0.5
        cover = np.clip(edge, 0, 1)
        if shown is not None:
            cover = cover * shown[:, disc, None, None]
        canvas += cover[..., None] * (COLOURS[disc] - canvas)
    if law.panel is not None:
        half = 0.5 / size
        cover = np.clip(
            np.minimum(place - law.panel[0], law.panel[1] - place) * size + 0.5 + half, 0, 1
        )
        canvas += cover[:, None] * (PANEL - canvas)
    return np.rint(canvas).astype(np.uint8)


def visible(law: Law, position: np.ndarray) -> np.ndarray:
    """Discs of whose width at least two fifths stand clear of the panel: (..., discs)."""
    if law.panel is None:
        return np.ones(position.shape[:-1], bool)
    radii, x = np.array(law.radii), position[..., 0]
    left = np.maximum(0, np.minimum(x + radii, law.panel[0]) - (x - radii))
    right = np.maximum(0, x + radii - np.maximum(x - radii, law.panel[1]))
    return left + right >= 0.4 * 2 * radii


def _numbers(state: DiscState) -> np.ndarray:
    both = np.concatenate((2 * state.position - 1, state.velocity / _FASTEST), -1)
    return np.clip(both, -1, 1).reshape(len(both), -1).astype(np.float32)


def _sentences(law: Law, state: DiscState) -> list[str]:
    places = np.rint(100 * state.position).astype(int).tolist()
    going = np.sign(np.rint(200 * state.velocity)).astype(int).tolist()
    radii = np.array(law.radii)
    hidden = np.zeros(state.position.shape[:2], bool)
    if law.panel is not None:
        x = state.position[..., 0]
        hidden = (x - radii > law.panel[0]) & (x + radii < law.panel[1])
    return [
        "; ".join(
            f"{NAMES[k]} is hidden" if gone[k] else f"{NAMES[k]} at {x} {y} going {_way(way[k])}"
            for k, (x, y) in enumerate(row)
        )
        for row, way, gone in zip(places, going, hidden.tolist(), strict=True)
    ]


def _way(direction: list[int]) -> str:
    across = ("", "right", "left")[direction[0]]
    along = ("", "up", "down")[direction[1]]
    return " ".join(filter(None, (across, along))) or "nowhere"
