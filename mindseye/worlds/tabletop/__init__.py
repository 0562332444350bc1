"""Small tables with things to push, doors to pass and mazes to leave, under many faces."""

from mindseye.worlds.rules import place, show, state_of
from mindseye.worlds.tabletop.build import build, names
from mindseye.worlds.tabletop.errands import errands
from mindseye.worlds.tabletop.maze import Maze
from mindseye.worlds.tabletop.push import Push
from mindseye.worlds.tabletop.table import NATURES, Nature, TableState
from mindseye.worlds.tabletop.tabletop import Tabletop
from mindseye.worlds.tabletop.wall import Wall

__all__ = [
    "NATURES",
    "Maze",
    "Nature",
    "Push",
    "TableState",
    "Tabletop",
    "Wall",
    "build",
    "errands",
    "names",
    "place",
    "show",
    "state_of",
]
