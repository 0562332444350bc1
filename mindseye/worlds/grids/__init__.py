"""Small worlds that step thousands of rows at once, on nothing but NumPy."""

from mindseye.worlds.grids.build import build, names
from mindseye.worlds.grids.dynamics import GridState, Level, transition
from mindseye.worlds.grids.grid import Grid
from mindseye.worlds.grids.ring import Ring
from mindseye.worlds.grids.world import Moment, RulesWorld

__all__ = [
    "Grid",
    "GridState",
    "Level",
    "Moment",
    "Ring",
    "RulesWorld",
    "build",
    "names",
    "transition",
]
