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
    the last step, and the goal's place as it was first seen. They are recorded as "numbers".

    Args:
        agent: That reads numbers.
        find: Places of the mover and the goal.
        camera: Which picture of the observation is looked at; "pose" is read beside it.
    """

    def __init__(self, agent: Agent, find: Find, *, camera: str):
        self.agent, self.find, self.camera = agent, find, camera

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
        numbers = (observation["pose"], mover, mover - before[:, 0], goal)
        read = np.concatenate(numbers, 1).astype(np.float32)
        action, kept, extras = self.agent.act(read, memory["agent"], explore=explore)
        after = {"seen": np.stack((mover, goal), 1), "agent": kept}
        return action, after, {**extras, "numbers": read}
