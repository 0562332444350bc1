"""Two rooms, one dot, and a wall with a door."""

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

STRIDE = 0.0625
"""How far the dot moves in a step at full speed."""
THICK, DOOR, EDGE, REACH = 0.1, 0.16, 0.94, 0.14
"""Half the wall, half the door, how far out the dot may go, how near is there."""
DOT = 0.055
"""Standard deviation of the blurred dot."""
_UPWARDS = np.array([0.0, 1.0])


class Wall(Table):
    """A dot moves by its command, and stops where the wall or the border stands in the way.

    Args:
        door: "fixed" in the middle, or "random": anew for every episode.
        goal: Whether there is a place to go to, which is drawn, pays 1 and terminates when the dot
            comes within 0.14 of it.
        nature: Physics.

    Source: after the wall world of Zhou et al. (2024), DINO-WM, arXiv 2411.04983.
    """

    max_steps = 50
    numbers = ("agent_x", "agent_y", "door_y", "goal_x", "goal_y")
    pose = (0, 1)

    def __init__(
        self,
        *,
        door: Literal["fixed", "random"] = "fixed",
        goal: bool = False,
        nature: Nature = NATURES["sim"],
    ):
        self.door, self.has_goal, self.nature = door, goal, nature
        self.has_fixed_walls = door == "fixed"

    def start(self, draws: Draws) -> TableState:
        """Anywhere but in the wall."""
        luck = draws.uniform(3)
        agent = _beside_wall((2 * luck[:, :2] - 1) * EDGE)
        door = (2 * luck[:, 2] - 1) * 0.7 * (self.door == "random")
        goal = np.zeros_like(agent)
        if self.has_goal:
            goal = _beside_wall(far_from(agent, draws, least=0.4, within=0.9, use=3))
        return resting(agent, goal=goal, door=door)

    def transition(
        self, state: TableState, action: np.ndarray, draws: Draws
    ) -> tuple[TableState, np.ndarray, np.ndarray]:
        """Across first, then along; whatever meets a wall stops there."""
        x, y = state.place[:, 0].T
        across, along = (drive(state, action, self.nature) * STRIDE).T
        is_open = np.abs(y - state.door) < DOOR
        to = np.clip(x + across, -EDGE, EDGE)
        # the wall's near face, seen from where the dot is
        face = np.where(x < 0, -THICK, THICK)
        blocked = ~is_open & (np.abs(to) < THICK)
        x = np.where(blocked, np.where(np.abs(x) < THICK, x, face), to)
        low, high = state.door - DOOR, state.door + DOOR
        inside = np.abs(x) < THICK
        to = np.clip(y + along, -EDGE, EDGE)
        y = np.where(inside, np.clip(to, low, high), to)
        place = np.stack([x, y], 1)[:, None]
        after = TableState(place, state.speed, state.goal, state.door, action, fresh_grain(draws))
        done = reached(place[:, 0], state.goal, REACH) & self.has_goal
        return after, done.astype(np.float32), done

    def vector(self, state: TableState) -> np.ndarray:
        """Place, door, goal (zeros where there is none)."""
        return np.concatenate([state.place[:, 0], state.door[:, None], state.goal], 1)

    def from_vector(self, vector: np.ndarray) -> TableState:
        """As `vector` wrote it."""
        vector = np.asarray(vector, np.float64)
        return resting(vector[:, :2], goal=vector[:, 3:5], door=vector[:, 2])

    def walls(self, state: TableState, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The wall but for its door."""
        return (np.abs(x) < THICK)[:, None] & (np.abs(y - state.door[:, None]) >= DOOR)[:, :, None]

    def discs(self, state: TableState) -> list[Disc]:
        """The goal, if there is one, and the dot."""
        goal = [Disc(state.goal, REACH, "goal")] if self.has_goal else []
        return [*goal, Disc(state.place[:, 0], DOT, "agent", is_blurred=True)]

    def sentence(self, vector: np.ndarray) -> str:
        """Where everything is."""
        goal = f" Go to {said(vector[3:5])}." if self.has_goal else ""
        return f"You are at {said(vector[:2])}. The door is at {said(vector[2] * _UPWARDS)}.{goal}"


def _beside_wall(place: np.ndarray) -> np.ndarray:
    """Places inside the wall moved beside it, with some room to spare."""
    x = np.where(place[:, 0] < 0, -1, 1) * np.maximum(np.abs(place[:, 0]), THICK + 0.08)
    return np.stack([x, place[:, 1]], 1)
