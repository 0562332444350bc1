"""A scripted solver of the puzzles: it knows the rules and searches breadth first."""

from functools import cache, lru_cache
from itertools import combinations

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.worlds.grids.moves import walk
from mindseye.worlds.puzzles import FrozenLake, Minesweeper, Sokoban
from mindseye.worlds.puzzles.boards import BAD, GOAL
from mindseye.worlds.puzzles.frozen_lake import LakeState, distances
from mindseye.worlds.puzzles.levels import followers, solutions
from mindseye.worlds.puzzles.minesweeper import HIDDEN, MINE, MinesState
from mindseye.worlds.puzzles.sokoban import SokobanState
from mindseye.worlds.rules import RulesWorld


class ScriptedPuzzler(Agent):
    """Takes a shortest way over the lake, pushes the box home, opens the safest cell.

    It demonstrates in one world, whose true state it reads instead of the observation; of a
    minefield it reads only what is open.

    Args:
        world: A puzzle; the one it will act in, already reset.
        noise: Probability of a random action.
        seed: Of its own generator.

    Raises:
        ConfigError: If the world is of another kind.
    """

    def __init__(self, world: RulesWorld, *, noise: float = 0.0, seed: int = 0):
        if not isinstance(world.rules, FrozenLake | Sokoban | Minesweeper):
            raise ConfigError(f"puzzler: expected a puzzle, got {world.rules}")
        self.world, self.rules, self.noise = world, world.rules, noise
        self._rng = np.random.default_rng(seed)

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """What the script says, or chance."""
        rules, state = self.rules, self.world.save().state
        if isinstance(rules, FrozenLake):
            chosen, said = _over_ice(rules, state), rules.boards.names.verbs
        elif isinstance(rules, Sokoban):
            chosen, said = _home(rules, state), rules.boards.names.verbs
        else:
            chosen, said = _safest(rules, state), rules.commands
        chance = self._rng.random(len(chosen)) < self.noise
        chosen = np.where(chance, self._rng.integers(len(said), size=len(chosen)), chosen)
        if isinstance(rules.action_space, Words):
            return [said[number] for number in chosen], None, {}
        return chosen, None, {}


def _over_ice(rules: FrozenLake, state: LakeState) -> np.ndarray:
    rows = np.arange(len(state.player))
    goal = (state.ground == GOAL).argmax(1)
    steps = distances(state.ground != BAD, goal)
    there = [walk(state.player, np.full(len(rows), move), rules.size) for move in range(1, 5)]
    return np.stack([steps[rows, cell] for cell in there], 1).argmin(1)


def _home(rules: Sokoban, state: SokobanState) -> np.ndarray:
    chosen = np.zeros(len(state.player), np.int64)
    nexts = [followers(move, rules.size) for move in range(4)]
    for row, (player, box) in enumerate(zip(state.player, state.box, strict=True)):
        steps = _solved(state.ground[row].tobytes())
        chosen[row] = np.argmin([steps[p[player, box], b[player, box]] for p, b in nexts])
    return chosen


@lru_cache(maxsize=2048)
def _solved(ground: bytes) -> np.ndarray:
    """Steps from every state of one level."""
    board = np.frombuffer(ground, np.uint8)
    return solutions((board == BAD)[None], np.array([np.argmax(board == GOAL)]))[0]


def _safest(rules: Minesweeper, state: MinesState) -> np.ndarray:
    codes = rules.codes(state)
    fields, counts = _fields(rules.size, rules.mines, rules.near.tobytes())
    chosen = np.zeros(len(codes), np.int64)
    for row, board in enumerate(codes):
        is_open = board != HIDDEN
        if not is_open.any() or is_open.all() or (board == MINE).any():
            continue
        fits = (counts[:, is_open] == board[is_open]).all(1) & ~fields[:, is_open].any(1)
        risk = np.where(is_open, np.inf, fields[fits].sum(0))
        chosen[row] = risk.argmin()
    return chosen


@cache
def _fields(size: int, mines: int, near: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Every way to lay the mines, bool (ways, cells), and the counts it makes."""
    ways = np.array(list(combinations(range(size * size), mines)))
    fields = np.zeros((len(ways), size * size), bool)
    np.put_along_axis(fields, ways, True, axis=1)
    touching = np.frombuffer(near, np.int64).reshape(size * size, size * size)
    return fields, fields.astype(np.int64) @ touching
