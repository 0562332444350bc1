"""A ring of coloured cells, to test recall over long distances."""

from dataclasses import dataclass

import numpy as np
from gymnasium.spaces import Discrete

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids.colours import PALETTE
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules


@dataclass(frozen=True)
class RingState:
    """Colours of the cells and the agent's place."""

    colours: np.ndarray
    """uint8, shape (rows, cells)."""
    place: np.ndarray
    """int64, shape (rows,)."""


class Ring(Rules):
    """A ring whose colours are drawn anew each episode; the agent sees the cell it stands on.

    Once around, every further colour can be known: a memory of `num_cells` steps is what it takes.
    Actions: 0 stays, 1 walks on by one cell. No reward. Episodes start at cell 0.

        world = RulesWorld(Ring(num_cells=48), num_worlds=16)

    Source: the recall tasks of Deng, Park and Ahn (2023), arXiv 2307.02064, reduced to a ring.
    """

    def __init__(self, num_cells: int = 48, num_colours: int = 4):
        if num_cells < 1 or not 2 <= num_colours <= len(PALETTE):
            raise ConfigError(
                f"ring: expected at least 1 cell and 2 to {len(PALETTE)} colours, "
                f"got {num_cells} and {num_colours}"
            )
        self.num_cells, self.num_colours = num_cells, num_colours
        self.observation_space = Discrete(num_colours)
        self.action_space = Discrete(2)
        self.max_steps = 4 * num_cells

    def start(self, draws: Draws) -> RingState:
        """New colours, at cell 0."""
        colours = draws.integers(self.num_colours, self.num_cells).astype(np.uint8)
        return RingState(colours, np.zeros(len(colours), np.int64))

    def transition(
        self, state: RingState, action: np.ndarray, draws: Draws
    ) -> tuple[RingState, np.ndarray, np.ndarray]:
        """Walk or stay."""
        place = (state.place + action) % self.num_cells
        nothing = np.zeros(len(place), np.float32)
        return RingState(state.colours, place), nothing, nothing.astype(bool)

    def observe(self, state: RingState) -> np.ndarray:
        """Colour underfoot, int64, shape (rows,)."""
        return state.colours[np.arange(len(state.place)), state.place].astype(np.int64)

    def measure(self, state: RingState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: RingState) -> np.ndarray:
        """The ring cut open into a strip, 16 pixels high; a white bar marks the agent's cell."""
        cells = PALETTE[state.colours]
        cells = np.repeat(np.repeat(cells[:, None], 16, axis=1), 4, axis=2)
        for row, place in enumerate(state.place):
            cells[row, 5:11, 4 * place : 4 * place + 4] = 255
        return cells
