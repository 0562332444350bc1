"""A point mass driven by forces through a maze."""

from typing import Literal

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.tabletop.table import (
    NATURES,
    Disc,
    Nature,
    Table,
    TableState,
    drive,
    fresh_grain,
    reached,
    resting,
    said,
)

LAYOUTS = {
    "u": ("#####", "#...#", "###.#", "#...#", "#####"),
    "medium": (
        *("########", "#..##..#", "#..#...#", "##...###"),
        *("#..#...#", "#.#..#.#", "#...#..#", "########"),
    ),
}
"""The farthest line first; after D4RL's mazes (Fu et al. 2020, arXiv 2004.07219)."""
_SPEED = 0.35
"""Cells per step at full force, in the long run."""
_BODY, _NEAR = 0.2, 0.5
"""Half the body, and how near is there, in cells."""


class Maze(Table):
    """Forces push a mass that walls stop; its speed fades by friction.

    Pays 1 and terminates when the mass is within half a cell of the goal.

    Args:
        layout: "u" (5 x 5 cells) or "medium" (8 x 8).
        goal: "random": any free cell, anew for every episode; "fixed": the last free cell.
        nature: Physics.
    """

    numbers = ("agent_x", "agent_y", "speed_x", "speed_y", "goal_x", "goal_y")
    pose = (0, 1, 2, 3)
    has_fixed_walls = True

    def __init__(
        self,
        *,
        layout: Literal["u", "medium"] = "u",
        goal: Literal["random", "fixed"] = "random",
        nature: Nature = NATURES["sim"],
    ):
        if layout not in LAYOUTS:
            raise ConfigError(f"maze: no layout {layout!r}; choose {' or '.join(LAYOUTS)}")
        self.goal, self.nature = goal, nature
        lines = LAYOUTS[layout][::-1]
        self.is_wall = np.array([[cell == "#" for cell in line] for line in lines])
        self.cell: float = 2 / len(lines)
        """Side of a cell."""
        row, column = np.nonzero(~self.is_wall)
        self._free = (np.stack([column, row], 1) + 0.5) * self.cell - 1
        self.max_steps = 100 if layout == "u" else 250

    def start(self, draws: Draws) -> TableState:
        """Two different free cells, the agent anywhere in the middle of its own."""
        cells = len(self._free)
        first, apart = draws.integers(cells, 1)[:, 0], 1 + draws.integers(cells - 1, 1, 1)[:, 0]
        last = (first + apart) % cells if self.goal == "random" else np.full_like(first, cells - 1)
        first = np.where(first == last, (last + apart) % cells, first)
        jitter = (draws.uniform(2, 2) - 0.5) * 0.5 * self.cell
        return resting(self._free[first] + jitter, goal=self._free[last])

    def transition(
        self, state: TableState, action: np.ndarray, draws: Draws
    ) -> tuple[TableState, np.ndarray, np.ndarray]:
        """Accelerate, then move along x, then along y; a wall takes the speed towards it."""
        push = drive(state, action, self.nature) * _SPEED * self.cell
        # such that full force leads to the same speed in the long run, whatever the friction
        keep = 1 - self.nature.friction / self.nature.mass
        speed = keep * state.speed[:, 0] + (1 - keep) * push
        place = state.place[:, 0]
        for axis in (0, 1):
            to = place.copy()
            to[:, axis] += speed[:, axis]
            free = ~self._hits(to)
            place = np.where(free[:, None], to, place)
            speed[:, axis] *= free
        after = TableState(
            place[:, None], speed[:, None], state.goal, state.door, action, fresh_grain(draws)
        )
        done = reached(place, state.goal, _NEAR * self.cell)
        return after, done.astype(np.float32), done

    def _hits(self, place: np.ndarray) -> np.ndarray:
        body, last = _BODY * self.cell, len(self.is_wall) - 1
        low = np.clip(((place - body + 1) / self.cell).astype(int), 0, last)
        high = np.clip(((place + body + 1) / self.cell).astype(int), 0, last)
        corners = [self.is_wall[y[:, 1], x[:, 0]] for x in (low, high) for y in (low, high)]
        return np.any(corners, axis=0)

    def vector(self, state: TableState) -> np.ndarray:
        """Place, speed, goal."""
        return np.concatenate([state.place[:, 0], state.speed[:, 0], state.goal], 1)

    def from_vector(self, vector: np.ndarray) -> TableState:
        """As `vector` wrote it."""
        vector = np.asarray(vector, np.float64)
        state = resting(vector[:, :2], goal=vector[:, 4:6])
        state.speed[:, 0] = vector[:, 2:4]
        return state

    def walls(self, state: TableState, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Cells of the layout."""
        last = len(self.is_wall) - 1
        row, column = (np.clip(((at + 1) / self.cell).astype(int), 0, last) for at in (y, x))
        return self.is_wall[row[:, :, None], column[:, None]]

    def discs(self, state: TableState) -> list[Disc]:
        """Goal and mass."""
        return [
            Disc(state.goal, 0.3 * self.cell, "goal"),
            Disc(state.place[:, 0], 1.2 * _BODY * self.cell, "agent"),
        ]

    def sentence(self, vector: np.ndarray) -> str:
        """Where everything is."""
        return (
            f"You are at {said(vector[:2])}, moving by {said(vector[2:4])}."
            f" Go to {said(vector[4:6])}."
        )
