"""Minesweeper: open every cell that hides no mine; numbers tell how many mines touch a cell."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words, with_commands
from mindseye.core.tree import Tree
from mindseye.worlds.grids.colours import enlarge
from mindseye.worlds.puzzles.alphabet import named
from mindseye.worlds.puzzles.boards import FACES, NONE, UNKNOWN
from mindseye.worlds.rules import Draws, Rules

HIDDEN, MINE = 9, 10
"""Codes beside the counts 0 to 8."""
_LETTERS = (*"012345678", "A", "B")
_DID, _OPENED, _PAID, _ENDED = range(4)
_COLOURS = np.array(
    [
        (225, 225, 225), (70, 110, 230), (60, 160, 70), (220, 70, 60), (90, 50, 150), (130, 60, 30),
        (50, 150, 150), (30, 30, 30), (100, 100, 100), (160, 160, 170), (0, 0, 0),
    ],
    np.uint8,
)  # fmt: skip


@dataclass(frozen=True)
class MinesState:
    """What lies where, what is open, and what is told of the last step."""

    order: np.ndarray
    """Cells in the order in which mines are laid, int64, shape (rows, size²)."""
    is_mine: np.ndarray
    """bool, shape (rows, size²); none until the first cell is opened."""
    is_open: np.ndarray
    """bool, shape (rows, size²)."""
    told: np.ndarray
    """int64, shape (rows, 4): cell chosen, cells opened, reward, whether the game ended."""


class Minesweeper(Rules):
    """Clear a field of mines; that pays 1, and opening a mine ends the episode without pay.

    The first cell opened hides no mine. A cell that no mine touches opens its neighbours. Actions
    are cells, row by row, or words such as "open 2 3" (row 2, column 3).

    Args:
        size: Cells per side, 3 to 9.
        mines: Fewer than half of the cells.
        alphabet: A seed of letters and a verb that mean nothing, counts stay digits; None: A is
            hidden, B a mine, and one says open.
        observation: "text", "symbols" (codes: counts, 9 hidden, 10 mine) or "pixels".
        max_steps: Steps until an episode is truncated.

    Raises:
        ConfigError: If an option is impossible.
    """

    def __init__(
        self,
        *,
        size: int = 5,
        mines: int = 3,
        alphabet: int | None = None,
        observation: str = "text",
        max_steps: int = 25,
    ):
        if not 3 <= size <= 9 or not 1 <= mines < size * size / 2:
            raise ConfigError(
                f"minesweeper: expected a size of 3 to 9 and mines on less than half of the cells,"
                f" got {size} and {mines}"
            )
        if observation not in FACES:
            raise ConfigError(
                f"minesweeper: no observation {observation!r}; choose {', '.join(FACES)}"
            )
        self.size, self.mines, self.max_steps, self._face = size, mines, max_steps, observation
        self.names = named(alphabet, _LETTERS, ("open",))
        cells = size * size
        self.commands = [
            f"{self.names.verbs[0]} {cell // size + 1} {cell % size + 1}" for cell in range(cells)
        ]
        self._numbers = {said: cell for cell, said in enumerate(self.commands)}
        self.near = neighbours(size)
        spaces: dict[str, Space] = {
            "text": Words(),
            "symbols": Box(0, MINE, (size, size), np.uint8),
            "pixels": Box(0, 255, (8 * size, 8 * size, 3), np.uint8),
        }
        self.observation_space = spaces[observation]
        self.action_space = Words() if observation == "text" else Discrete(cells)
        self._told = lru_cache(maxsize=1 << 14)(self._describe)

    def start(self, draws: Draws) -> MinesState:
        """Everything hidden."""
        order = np.argsort(draws.uniform(self.size**2), axis=1)
        nothing = np.zeros(order.shape, bool)
        told = np.tile(np.array([NONE, 0, 0, 0]), (len(order), 1))
        return MinesState(order, nothing, nothing.copy(), told)

    def transition(
        self, state: MinesState, action: np.ndarray | list[str], draws: Draws
    ) -> tuple[MinesState, np.ndarray, np.ndarray]:
        """Open a cell, and around it what no mine touches."""
        if isinstance(action, list):
            did = np.array([self._numbers.get(said, UNKNOWN) for said in action], np.int64)
        else:
            did = action.astype(np.int64)
        rows, known = np.arange(len(did)), did != UNKNOWN
        cell = np.maximum(did, 0)
        is_mine = self._laid(state, cell, known)
        fresh = np.zeros(is_mine.shape, bool)
        fresh[rows, cell] = known
        is_open = state.is_open | fresh
        counts = self.counts(is_mine)
        while True:
            spreads = (is_open & (counts == 0) & ~is_mine).astype(np.int64) @ self.near > 0
            wider = is_open | spreads
            if (wider == is_open).all():
                break
            is_open = wider
        blown = (is_open & is_mine).any(1)
        cleared = np.asarray((is_open | is_mine).all(1) & ~blown)
        ended = np.asarray(blown | cleared)
        opened = (is_open & ~state.is_open).sum(1)
        told = np.stack([did, opened, cleared, ended], 1).astype(np.int64)
        after = MinesState(state.order, is_mine, is_open, told)
        return after, cleared.astype(np.float32), ended

    def observe(self, state: MinesState) -> Tree:
        """As the chosen face shows it."""
        codes = self.codes(state)
        if self._face == "symbols":
            return codes.reshape(-1, self.size, self.size)
        if self._face == "pixels":
            return self._painted(codes, 8)
        pairs = zip(codes, state.told.tolist(), strict=True)
        return [self._told(board.tobytes(), tuple(what)) for board, what in pairs]

    def measure(self, state: MinesState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: MinesState) -> np.ndarray:
        """24 pixels per cell."""
        return self._painted(self.codes(state), 24)

    def counts(self, is_mine: np.ndarray) -> np.ndarray:
        """Mines that touch each cell, int64 (rows, size²)."""
        return is_mine.astype(np.int64) @ self.near

    def codes(self, state: MinesState) -> np.ndarray:
        """What is seen of each cell, uint8 (rows, size²)."""
        seen = np.where(state.is_mine, MINE, self.counts(state.is_mine))
        return np.where(state.is_open, seen, HIDDEN).astype(np.uint8)

    def _laid(self, state: MinesState, cell: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Mines, laid now where the first cell is being opened, and never below it."""
        is_first = known & ~state.is_open.any(1)
        is_mine = state.is_mine.copy()
        for row in np.flatnonzero(is_first):
            order = state.order[row]
            is_mine[row, order[order != cell[row]][: self.mines]] = True
        return is_mine

    def _painted(self, codes: np.ndarray, scale: int) -> np.ndarray:
        return enlarge(_COLOURS[codes].reshape(-1, self.size, self.size, 3), scale)

    def _describe(self, board: bytes, told: tuple[int, ...]) -> str:
        letters, size = self.names.letters, self.size
        lines = [] if told[_DID] == NONE else [self._happened(board, told)]
        cells = [letters[code] for code in board]
        for row in range(size):
            lines.append(f"Row {row + 1}: {' '.join(cells[row * size : (row + 1) * size])}.")
        can = [said for said, code in zip(self.commands, board, strict=True) if code == HIDDEN]
        return with_commands("\n".join(lines), can or self.commands)

    def _happened(self, board: bytes, told: tuple[int, ...]) -> str:
        did, opened, paid, ended = told
        if did == UNKNOWN:
            return "That cannot be done: nothing changed. Reward 0."
        happened = f"You did {self.commands[did]}:"
        if not opened:
            happened += " nothing changed."
        elif opened == 1:
            happened += f" it was {self.names.letters[board[did]]}."
        else:
            happened += f" it was {self.names.letters[board[did]]}, {opened} became known."
        return f"{happened} Reward {paid}.{' The game ended.' if ended else ''}"


def neighbours(size: int) -> np.ndarray:
    """Which cells touch, corners included: int64 (size², size²), symmetric, none touches itself."""
    y, x = np.divmod(np.arange(size * size), size)
    away = np.maximum(np.abs(y[:, None] - y), np.abs(x[:, None] - x))
    return (away == 1).astype(np.int64)
