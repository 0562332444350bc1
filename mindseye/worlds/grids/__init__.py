"""Small worlds that step thousands of rows at once, on nothing but NumPy."""

from mindseye.worlds.grids.build import build, names
from mindseye.worlds.grids.button_grid import ButtonGrid
from mindseye.worlds.grids.dodge import Dodge
from mindseye.worlds.grids.dynamics import GridState, Level, transition
from mindseye.worlds.grids.grid import Grid
from mindseye.worlds.grids.mazes import OpenGrid, ProcMaze
from mindseye.worlds.grids.pan_flute import PanFlute
from mindseye.worlds.grids.ring import Ring

__all__ = [
    "ButtonGrid",
    "Dodge",
    "Grid",
    "GridState",
    "Level",
    "OpenGrid",
    "PanFlute",
    "ProcMaze",
    "Ring",
    "build",
    "names",
    "transition",
]
