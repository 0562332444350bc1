"""Push a round puck to its goal."""

from typing import Literal

import numpy as np

from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.tabletop.table import (
    NATURES,
    Disc,
    Nature,
    Table,
    TableState,
    drive,
    far_from,
    fresh_grain,
    reached,
    resting,
    said,
)

AGENT, PUCK, REACH = 0.08, 0.12, 0.15
"""Radii of the agent and the puck; how near the puck must come to its goal."""
STRIDE = 0.12
"""How far the agent moves in a step at full speed."""
_PARTS = 4
"""Contacts are settled this often per step."""
_BOUNCE = 0.3
_FIXED_GOAL = (0.6, 0.6)


class Push(Table):
    """An agent pushes a puck, which glides on and comes to rest by friction; walls around.

    Pays 1 and terminates when the puck's middle is within 0.15 of the goal.

    Args:
        goal: "random" draws it anew for every episode; "fixed" is (0.6, 0.6).
        nature: Physics.
    """

    max_steps = 40
    numbers = (
        *("agent_x", "agent_y", "puck_x", "puck_y"),
        *("puck_speed_x", "puck_speed_y", "goal_x", "goal_y"),
    )
    pose = (0, 1)
    has_fixed_walls = True

    def __init__(
        self, *, goal: Literal["random", "fixed"] = "random", nature: Nature = NATURES["sim"]
    ):
        self.goal, self.nature = goal, nature

    def start(self, draws: Draws) -> TableState:
        """The puck away from the borders, the goal away from the puck, the agent beside it."""
        goal = np.broadcast_to(_FIXED_GOAL, (len(draws.keys), 2)).copy()
        if self.goal == "random":
            goal = (2 * draws.uniform(2) - 1) * 0.7
        puck = far_from(goal, draws, least=0.4, within=0.6, use=2)
        agent = far_from(puck, draws, least=0.3, within=0.9, use=32)
        return resting(agent, goal=goal, others=puck[:, None])

    def transition(
        self, state: TableState, action: np.ndarray, draws: Draws
    ) -> tuple[TableState, np.ndarray, np.ndarray]:
        """Move, touch, glide."""
        agent, puck = state.place[:, 0], state.place[:, 1]
        glide = state.speed[:, 1] / _PARTS
        move = drive(state, action, self.nature) * STRIDE / _PARTS
        for _ in range(_PARTS):
            agent, puck, glide = self._part(agent, puck, glide, move)
        place = np.stack([agent, puck], 1)
        speed = np.stack([np.zeros_like(glide), glide * _PARTS], 1)
        after = TableState(place, speed, state.goal, state.door, action, fresh_grain(draws))
        done = reached(puck, state.goal, REACH)
        return after, done.astype(np.float32), done

    def _part(
        self, agent: np.ndarray, puck: np.ndarray, glide: np.ndarray, move: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        edge = 1 - PUCK
        agent = np.clip(agent + move, AGENT - 1, 1 - AGENT)
        puck = puck + glide
        away = puck - agent
        distance = np.linalg.norm(away, axis=1, keepdims=True)
        normal = np.where(distance > 1e-9, away / np.maximum(distance, 1e-9), (1.0, 0.0))
        depth = np.maximum(AGENT + PUCK - distance, 0)
        puck = puck + normal * depth
        # a touched puck leaves no slower along the normal than the agent came, less what mass takes
        along = (glide * normal).sum(1, keepdims=True)
        given = np.maximum((move * normal).sum(1, keepdims=True), 0) * 2 / (1 + self.nature.mass)
        glide = glide + np.where(depth > 0, np.maximum(given - along, 0), 0) * normal
        glide = np.where(np.abs(puck) > edge, -_BOUNCE * glide, glide)
        puck = np.clip(puck, -edge, edge)
        # a puck that the border stops, stops the agent
        away = puck - agent
        distance = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        depth = np.maximum(AGENT + PUCK - distance, 0)
        agent = np.clip(agent - away / distance * depth, AGENT - 1, 1 - AGENT)
        return agent, puck, glide * (1 - self.nature.friction) ** (1 / _PARTS)

    def vector(self, state: TableState) -> np.ndarray:
        """Places of the agent and the puck, the puck's speed, the goal."""
        both = state.place.reshape(-1, 4)
        return np.concatenate([both, state.speed[:, 1], state.goal], 1)

    def from_vector(self, vector: np.ndarray) -> TableState:
        """As `vector` wrote it."""
        vector = np.asarray(vector, np.float64)
        state = resting(vector[:, :2], goal=vector[:, 6:8], others=vector[:, None, 2:4])
        state.speed[:, 1] = vector[:, 4:6]
        return state

    def walls(self, state: TableState, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """None."""
        return np.zeros((1, y.shape[1], x.shape[1]), bool)

    def discs(self, state: TableState) -> list[Disc]:
        """Goal, puck, agent."""
        return [
            Disc(state.goal, REACH, "goal"),
            Disc(state.place[:, 1], PUCK, "puck"),
            Disc(state.place[:, 0], AGENT, "agent"),
        ]

    def sentence(self, vector: np.ndarray) -> str:
        """Where everything is."""
        return (
            f"You are at {said(vector[:2])}. The puck is at {said(vector[2:4])}."
            f" Push it to {said(vector[6:8])}."
        )
