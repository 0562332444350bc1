"""Puzzles on small boards, batched, in words, symbols and pictures, under any names."""

from mindseye.worlds.puzzles.build import build, names
from mindseye.worlds.puzzles.frozen_lake import FrozenLake
from mindseye.worlds.puzzles.minesweeper import Minesweeper
from mindseye.worlds.puzzles.sokoban import Sokoban

__all__ = ["FrozenLake", "Minesweeper", "Sokoban", "build", "names"]
