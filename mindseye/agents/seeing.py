"""Agents that read a few numbers, let loose on pictures."""

from collections.abc import Callable

import numpy as np

from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree

Find = Callable[[np.ndarray], np.ndarray]
"""Called with pictures, uint8 (rows, height, width, 3); returns places, float (rows, 2, 2):
the first thing moves, the second one stands still."""


class SeeingAgent(Agent):
    """Finds a mover and its goal in a camera's picture and tells another agent where they are.

        agent = SeeingAgent(ScriptedPusher(seed=0), find, camera="top")

    The other agent reads float32 numbers: its pose, the mover's place, how far the mover came since
    the last step, and the goal's place as it was first seen. If it is relative, it reads the
    mover's place as seen from its own, and the goal's as seen from the mover's, enlarged where
    small differences count. The relative ones are recorded as "numbers".

    Args:
        agent: That reads numbers; its pose is a place.
        find: Places of the mover and the goal.
        camera: Which picture of the observation is looked at; "pose" is read beside it.
        is_relative: Whether the agent reads relative numbers: those are easier to learn from.
    """

    def __init__(self, agent: Agent, find: Find, *, camera: str, is_relative: bool = False):
        self.agent, self.find, self.camera = agent, find, camera
        self.is_relative = is_relative

    def initial(self, batch_size: int) -> Tree:
        """Nothing seen yet."""
        return {
            "seen": np.full((batch_size, 2, 2), np.nan),
            "agent": self.agent.initial(batch_size),
        }

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Look, then act."""
        found, before = self.find(observation[self.camera]), memory["seen"]
        before = np.where(np.isnan(before), found, before)
        mover, goal = found[:, 0], before[:, 1]
        pose, moved = observation["pose"], mover - before[:, 0]
        numbers = _joined(pose, mover, moved, goal)
        near = _joined(pose, _NEARNESS * (mover - pose), _NEARNESS * moved, goal - mover)
        read = near if self.is_relative else numbers
        action, kept, extras = self.agent.act(read, memory["agent"], explore=explore)
        after = {"seen": np.stack((mover, goal), 1), "agent": kept}
        return action, after, {**extras, "numbers": near}


_NEARNESS = 3.0
"""Factor on differences of places near each other."""


def _joined(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts, 1).astype(np.float32)
