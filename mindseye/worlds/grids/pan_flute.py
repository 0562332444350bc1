"""PanFlute: a world made of independent parts, which a model can recombine."""

from dataclasses import dataclass

import numpy as np
from gymnasium.spaces import Discrete, MultiBinary

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids.colours import PALETTE, enlarge
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules


@dataclass(frozen=True)
class PanFluteState:
    """What sounds in the pipes."""

    bits: np.ndarray
    """int8, shape (rows, num_pipes · (num_pipes + 1) / 2): all pipes, the shortest first."""


class PanFlute(Rules):
    """Pipes of lengths 1, 2, ... Action i blows into pipe i, and every note moves on by one cell.

    When a note stands at the end of every pipe, the next step pays 1. Each step all ends sound by
    themselves with probability 1 / num_pipes². Episodes never terminate.

        world = RulesWorld(PanFlute(num_pipes=5), num_worlds=64, max_steps=1000)

    Args:
        num_pipes: Also the number of actions.
        entangle: Seed of a fixed invertible mixing of the observed bits, which hides that the world
            has parts; None shows them as they are.

    Source: Young, Ramesh, Kirsch and Schmidhuber (2022), arXiv 2211.02222. Differs: `entangle`.
    """

    max_steps = None

    def __init__(self, num_pipes: int = 5, entangle: int | None = None):
        if num_pipes < 2:
            raise ConfigError(f"pan-flute: expected at least 2 pipes, got {num_pipes}")
        self.num_pipes = num_pipes
        lengths = np.arange(1, num_pipes + 1)
        self._ends = np.cumsum(lengths) - 1
        self._mouths = self._ends - lengths + 1
        size = int(lengths.sum())
        self._mixing = None if entangle is None else invertible_bits(size, entangle)
        self.observation_space = MultiBinary(size)
        self.action_space = Discrete(num_pipes)

    def start(self, draws: Draws) -> PanFluteState:
        """Silence."""
        return PanFluteState(np.zeros((len(draws.keys), self._ends[-1] + 1), np.int8))

    def transition(
        self, state: PanFluteState, action: np.ndarray, draws: Draws
    ) -> tuple[PanFluteState, np.ndarray, np.ndarray]:
        """Blow, and pay for what sounded before."""
        rewarded: np.ndarray = np.all(state.bits[:, self._ends], axis=1)
        bits = np.empty_like(state.bits)
        bits[:, 1:] = state.bits[:, :-1]
        bits[:, self._mouths] = 0
        bits[np.arange(len(bits)), self._mouths[action]] = 1
        sudden = draws.chance(1 / self.num_pipes**2)
        bits[:, self._ends] |= sudden[:, None]
        return PanFluteState(bits), rewarded.astype(np.float32), np.zeros(len(bits), bool)

    def observe(self, state: PanFluteState) -> np.ndarray:
        """All bits, int8."""
        if self._mixing is None:
            return state.bits.copy()
        return (state.bits.astype(np.int64) @ self._mixing % 2).astype(np.int8)

    def measure(self, state: PanFluteState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: PanFluteState) -> np.ndarray:
        """A pipe per line, notes in yellow."""
        cells = np.zeros((len(state.bits), self.num_pipes, self.num_pipes, 3), np.uint8)
        for pipe, (mouth, end) in enumerate(zip(self._mouths, self._ends, strict=True)):
            notes = state.bits[:, mouth : end + 1, None] == 1
            cells[:, pipe, : pipe + 1] = np.where(notes, PALETTE[4], PALETTE[5])
        return enlarge(cells, 12)


def invertible_bits(size: int, seed: int) -> np.ndarray:
    """A random matrix of bits that loses nothing modulo 2, int64, shape (size, size).

    A shuffled product of triangular matrices with ones on the diagonals.
    """
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 2, (2, size, size))
    ones = np.eye(size, dtype=np.int64)
    product = (np.tril(first, -1) + ones) @ (np.triu(second, 1) + ones) % 2
    return product[rng.permutation(size)]
