"""What boards with someone walking on them share: codes, faces, and what is told of a step."""

from functools import lru_cache

import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words, with_commands
from mindseye.core.tree import Tree
from mindseye.worlds.grids.colours import enlarge
from mindseye.worlds.grids.moves import walk
from mindseye.worlds.puzzles.alphabet import DIRECTIONS, Alphabet

AGENT, GOAL, BAD, FLOOR, BOX = range(5)
"""Codes of cells; `BAD` is a hole of a lake, or a wall."""
LETTERS = ("A", "B", "C", "D", "E")
_COLOURS = np.array(
    [(230, 60, 50), (60, 190, 80), (40, 50, 80), (210, 225, 240), (190, 130, 60)], np.uint8
)
FACES = ("text", "symbols", "pixels")

NONE, UNKNOWN = -1, -2
DID, MOVED, ONTO, PUSHED, PAID, ENDED = range(6)
"""Columns of what is told of a step: move chosen, direction moved, codes stepped and pushed onto,
reward, whether the game ended."""


class Boards:
    """Faces of square boards, and moves as numbers or words.

    Args:
        size: Cells per side.
        names: What codes and moves are called.
        observation: The face.

    Raises:
        ConfigError: If there is no such face.
    """

    def __init__(self, size: int, names: Alphabet, observation: str):
        if observation not in FACES:
            raise ConfigError(f"puzzles: no observation {observation!r}; choose {', '.join(FACES)}")
        self.size, self.names, self._face = size, names, observation
        spaces: dict[str, Space] = {
            "text": Words(),
            "symbols": Box(0, len(names.letters) - 1, (size, size), np.uint8),
            "pixels": Box(0, 255, (8 * size, 8 * size, 3), np.uint8),
        }
        self.observation_space = spaces[observation]
        self.action_space = Words() if observation == "text" else Discrete(len(names.verbs))
        self._numbers = {verb: number for number, verb in enumerate(names.verbs)}
        self._told = lru_cache(maxsize=1 << 14)(self._describe)

    def moves(self, action: np.ndarray | list[str]) -> np.ndarray:
        """Numbers of moves, `UNKNOWN` where nothing of that name can be done; int64 (rows,)."""
        if isinstance(action, list):
            return np.array([self._numbers.get(said, UNKNOWN) for said in action], np.int64)
        return action.astype(np.int64)

    def step(self, cell: np.ndarray, move: np.ndarray) -> np.ndarray:
        """Cells one move further; the border and unknown moves leave one where one is."""
        return walk(cell, np.where(move == UNKNOWN, 0, move + 1), self.size)

    def show(self, codes: np.ndarray, told: np.ndarray, stands_on: np.ndarray) -> Tree:
        """Boards as the chosen face shows them.

        Args:
            codes: uint8, shape (rows, size²).
            told: See `DID`, int64, shape (rows, 6).
            stands_on: Code below the one who walks, int64, shape (rows,).
        """
        if self._face == "text":
            rows = zip(codes, told.tolist(), stands_on.tolist(), strict=True)
            return [self._told(board.tobytes(), tuple(what), on) for board, what, on in rows]
        if self._face == "symbols":
            return codes.reshape(-1, self.size, self.size).copy()
        return self.painted(codes, 8)

    def painted(self, codes: np.ndarray, scale: int) -> np.ndarray:
        """uint8, shape (rows, size · scale, size · scale, 3)."""
        return enlarge(_COLOURS[codes].reshape(-1, self.size, self.size, 3), scale)

    def _describe(self, board: bytes, told: tuple[int, ...], stands_on: int) -> str:
        letters = self.names.letters
        lines = [] if told[DID] == NONE else [self._happened(told)]
        cells = [letters[code] for code in board]
        for row in range(self.size):
            here = cells[row * self.size : (row + 1) * self.size]
            lines.append(f"Row {row + 1}: {' '.join(here)}.")
        if stands_on != FLOOR and not told[ENDED]:
            lines.append(f"{letters[AGENT]} stands on {letters[stands_on]}.")
        return with_commands("\n".join(lines), self.names.verbs)

    def _happened(self, told: tuple[int, ...]) -> str:
        letters = self.names.letters
        if told[DID] == UNKNOWN:
            return "That cannot be done: nothing moved. Reward 0."
        happened = f"You did {self.names.verbs[told[DID]]}:"
        if told[MOVED] == NONE:
            happened += " nothing moved."
        else:
            direction = DIRECTIONS[told[MOVED]]
            happened += f" {letters[AGENT]} moved {direction} onto {letters[told[ONTO]]}."
            if told[PUSHED] != NONE:
                happened += f" {letters[BOX]} moved {direction} onto {letters[told[PUSHED]]}."
        return f"{happened} Reward {told[PAID]}.{' The game ended.' if told[ENDED] else ''}"


def nothing_told(rows: int) -> np.ndarray:
    """What is told before the first step, int64, shape (rows, 6)."""
    told = np.full((rows, 6), NONE, np.int64)
    told[:, [PAID, ENDED]] = 0
    return told
