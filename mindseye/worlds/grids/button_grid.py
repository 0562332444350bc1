"""ButtonGrid: a few switches on a field, which a model can learn one by one."""

from dataclasses import dataclass

import numpy as np
from gymnasium.spaces import Discrete, MultiBinary

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids.colours import PALETTE, enlarge
from mindseye.worlds.grids.moves import NUM_MOVES, walk
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules, put_rows

_PLAYER, _ON, _OFF = range(3)
_LAYOUT_USE = 16
"""First of the random numbers that lay out buttons; those below are the step's own."""


@dataclass(frozen=True)
class ButtonState:
    """The player, and the buttons."""

    player: np.ndarray
    """int64 cell, shape (rows,)."""
    buttons: np.ndarray
    """int64 cells, all different, shape (rows, num_buttons)."""
    is_on: np.ndarray
    """bool, shape (rows, num_buttons)."""


class ButtonGrid(Rules):
    """Walking onto a button switches it. The step after all are on pays 1 and lays out all anew.

    Each step all buttons go on by themselves with probability 1 / (10 size²). Actions: 0 stay,
    1 up, 2 left, 3 down, 4 right. Episodes never terminate. The observation is size × size cells
    of three bits: player, button on, button off.

    Source: Young, Ramesh, Kirsch and Schmidhuber (2022), arXiv 2211.02222. Differs: nothing.
    """

    max_steps = None

    def __init__(self, size: int = 5, num_buttons: int = 3):
        if not 1 <= num_buttons <= size**2:
            raise ConfigError(f"button-grid: {num_buttons} buttons do not fit on {size} x {size}")
        self.size, self.num_buttons = size, num_buttons
        self.observation_space = MultiBinary(size**2 * 3)
        self.action_space = Discrete(NUM_MOVES)

    def start(self, draws: Draws) -> ButtonState:
        """Player and buttons anywhere, all buttons off."""
        cells = self.size**2
        player = draws.integers(cells, 1, _LAYOUT_USE)[:, 0]
        order = np.argsort(draws.uniform(cells, _LAYOUT_USE + 1), axis=1)
        buttons = order[:, : self.num_buttons]
        return ButtonState(player, buttons, np.zeros(buttons.shape, bool))

    def transition(
        self, state: ButtonState, action: np.ndarray, draws: Draws
    ) -> tuple[ButtonState, np.ndarray, np.ndarray]:
        """Walk, switch, and pay for what was on before."""
        solved: np.ndarray = np.all(state.is_on, axis=1)
        player = walk(state.player, action, self.size)
        stepped_on = (state.buttons == player[:, None]) & (player != state.player)[:, None]
        sudden = draws.chance(1 / (10 * self.size**2))
        is_on = (state.is_on ^ stepped_on) | sudden[:, None]
        after = ButtonState(player, state.buttons.copy(), is_on)
        if solved.any():
            put_rows(after, solved, self.start(draws.rows(solved)))
        return after, solved.astype(np.float32), np.zeros(len(solved), bool)

    def observe(self, state: ButtonState) -> np.ndarray:
        """Bits, int8, shape (rows, size² · 3)."""
        rows = np.arange(len(state.player))
        bits = np.zeros((len(rows), self.size**2, 3), np.int8)
        bits[rows, state.player, _PLAYER] = 1
        bits[rows[:, None], state.buttons, np.where(state.is_on, _ON, _OFF)] = 1
        return bits.reshape(len(rows), -1)

    def measure(self, state: ButtonState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: ButtonState) -> np.ndarray:
        """Buttons in green (on) and red (off), the player as a white square."""
        rows = np.arange(len(state.player))
        cells = np.full((len(rows), self.size**2, 3), 40, np.uint8)
        cells[rows[:, None], state.buttons] = PALETTE[np.where(state.is_on, 1, 0)]
        frames = enlarge(cells.reshape(len(rows), self.size, self.size, 3), 12)
        for row, (y, x) in enumerate(zip(*np.divmod(state.player, self.size), strict=True)):
            frames[row, 12 * y + 3 : 12 * y + 9, 12 * x + 3 : 12 * x + 9] = 255
        return frames
