"""Agents that follow rules written by hand, well or badly."""

from typing import Literal

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree

Manner = Literal["well", "astray", "short", "idle"]
MANNERS = ("well", "astray", "short", "idle")
_TOUCH, _ROOM, _STRIDE = 0.2, 0.06, 0.12
"""Distance of middles at contact, room kept when walking around, and length of a step."""


class ScriptedPusher(Agent):
    """Walks behind the puck and pushes it to its goal, from the state face of `tabletop/push`.

        world = make("tabletop/push", 16)
        agent = ScriptedPusher(seed=0, noise=0.3)

    Args:
        seed: Of the noise.
        noise: Standard deviation added to every action, which spans [-1, 1].
        manner: "well"; or a way to fail: "astray" pushes a quarter turn beside the goal, "short"
            lets go of the puck before it arrives, "idle" walks behind the puck and waits.

    Raises:
        ConfigError: If there is no such manner.
    """

    def __init__(self, *, seed: int, noise: float = 0.0, manner: Manner = "well"):
        if manner not in MANNERS:
            raise ConfigError(f"scripted pusher: no manner {manner!r}; choose from {MANNERS}")
        self.noise, self.manner = noise, manner
        self._rng = np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Velocities, float32 (rows, 2)."""
        state = np.asarray(observation, np.float64)
        agent, puck, glide, goal = state[:, :2], state[:, 2:4], state[:, 4:6], state[:, 6:8]
        # where it would come to rest by itself
        puck = puck + glide
        move = self._move(agent, puck, goal)
        move = move + self.noise * self._rng.normal(size=move.shape)
        return np.clip(move, -1, 1).astype(np.float32), None, {}

    def _move(self, agent: np.ndarray, puck: np.ndarray, goal: np.ndarray) -> np.ndarray:
        if self.manner == "astray":
            goal = puck + (goal - puck)[:, ::-1] * (1.0, -1.0)
        onwards, left = _direction(goal - puck)
        behind = puck - onwards * (_TOUCH + _ROOM)
        away = agent - puck
        along = (away * onwards).sum(1, keepdims=True)
        aside = away - along * onwards
        is_behind = (along < -0.5 * _TOUCH) & (np.linalg.norm(aside, axis=1, keepdims=True) < 0.06)
        around = self._around(agent, puck, onwards, along, aside, behind)
        # steering against the puck's sliding off to the side
        push = onwards * np.minimum(1, 0.25 + 2 * left) - aside * 6
        if self.manner == "short":
            push = push * (left > 0.5)
        if self.manner == "idle":
            push = push * 0
        return np.where(is_behind, push, around)

    def _around(
        self,
        agent: np.ndarray,
        puck: np.ndarray,
        onwards: np.ndarray,
        along: np.ndarray,
        aside: np.ndarray,
        behind: np.ndarray,
    ) -> np.ndarray:
        """To the place behind the puck, with a detour where the puck is in the way."""
        across = np.stack([-onwards[:, 1], onwards[:, 0]], 1)
        side = np.where((aside * across).sum(1, keepdims=True) >= 0, 1.0, -1.0)
        corner = puck + across * side * (_TOUCH + _ROOM) - onwards * _TOUCH
        in_the_way = along > -0.7 * _TOUCH
        near, _ = _direction(agent - puck)
        far = np.linalg.norm(agent - puck, axis=1, keepdims=True)
        outwards = near * np.maximum(_TOUCH + _ROOM - far, 0)
        target = np.where(in_the_way, corner, behind)
        return (target - agent + outwards) / _STRIDE


def _direction(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (rows, 2) and lengths (rows, 1)."""
    length = np.linalg.norm(vector, axis=1, keepdims=True)
    return vector / np.maximum(length, 1e-6), length
