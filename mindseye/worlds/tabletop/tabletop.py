"""`Tabletop`, which shows a table by one of four faces."""

from typing import Literal

import numpy as np
from gymnasium.spaces import Box, Dict, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.worlds.rules.placing import Placeable
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import put_rows, take_rows
from mindseye.worlds.tabletop.camera import Camera
from mindseye.worlds.tabletop.table import Nature, Table, TableState

Face = Literal["state", "pixels", "views", "text"]
FACES = ("state", "pixels", "views", "text")


class Tabletop(Placeable):
    """A table as a world of continuous actions: two numbers in [-1, 1].

    Observations:
        state: float32 (numbers,), in [-1, 1]; `numbers` names them.
        pixels: uint8 (size, size, 3), from above.
        views: "top", from above; "wrist", above the agent, half as wide; "side", obliquely from the
            right; each as pixels; and "pose", what the agent feels of itself, float32.
        text: a sentence.

    Args:
        table: Physics.
        nature: Physics and looks; that of the table.
        observation: The face.
        size: Pixels per side, 16 to 256.
        repeat: Steps of the table, under the same command, that make one step of the world.

    Raises:
        ConfigError: If there is no such face, or the size or the repetition is out of range.
    """

    def __init__(
        self,
        table: Table,
        nature: Nature,
        *,
        observation: Face = "state",
        size: int = 64,
        repeat: int = 1,
    ):
        if repeat < 1:
            raise ConfigError(f"tabletop: expected repeat of at least 1, got {repeat}")
        if observation not in FACES:
            raise ConfigError(f"tabletop: no observation {observation!r}; choose from {FACES}")
        if not 16 <= size <= 256:
            raise ConfigError(f"tabletop: expected size from 16 to 256, got {size}")
        self.table, self.face = table, observation
        self.numbers, self.repeat = tuple(table.numbers), repeat
        self.max_steps = -(-table.max_steps // repeat)
        self.top = Camera(table, nature, size=size)
        self.wrist = Camera(table, nature, size=size, half=0.5, follows=True)
        self.side = Camera(table, nature, size=size, is_oblique=True)
        self.large = Camera(table, nature, size=128)
        self.action_space = Box(-1, 1, (2,), np.float32)
        self.observation_space = self._space(size)

    def _space(self, size: int) -> Space:
        picture = Box(0, 255, (size, size, 3), np.uint8)
        if self.face == "state":
            return Box(-1, 1, (len(self.numbers),), np.float32)
        if self.face == "text":
            return Words(200)
        if self.face == "pixels":
            return picture
        pose = Box(-1, 1, (len(self.table.pose),), np.float32)
        return Dict({"top": picture, "wrist": picture, "side": picture, "pose": pose})

    def start(self, draws: Draws) -> TableState:
        """First states."""
        return self.table.start(draws)

    def transition(
        self, state: TableState, action: np.ndarray, draws: Draws
    ) -> tuple[TableState, np.ndarray, np.ndarray]:
        """As the table has it; what ends on the way stays as it ended."""
        action = np.asarray(action, np.float64)
        state, reward, done = self.table.transition(state, action, draws)
        for _ in range(self.repeat - 1):
            going = ~done
            later, paid, ended = self.table.transition(
                take_rows(state, going), action[going], draws.rows(going)
            )
            state = take_rows(state, np.arange(len(going)))
            put_rows(state, going, later)
            reward[going], done[going] = paid, ended
        return state, reward, done

    def observe(self, state: TableState) -> Tree:
        """As the chosen face shows it."""
        if self.face == "pixels":
            return self.top.picture(state)
        vector = np.clip(self.table.vector(state), -1, 1)
        if self.face == "state":
            return vector.astype(np.float32)
        if self.face == "text":
            return [self.table.sentence(row) for row in vector]
        return {
            "top": self.top.picture(state),
            "wrist": self.wrist.picture(state),
            "side": self.side.picture(state),
            "pose": vector[:, list(self.table.pose)].astype(np.float32),
        }

    def measure(self, state: TableState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: TableState) -> np.ndarray:
        """From above, 128 pixels wide and high."""
        return self.large.picture(state)

    def vector(self, state: TableState) -> np.ndarray:
        """As the table has it."""
        return self.table.vector(state)

    def from_vector(self, vector: np.ndarray) -> TableState:
        """As the table has it."""
        return self.table.from_vector(vector)
