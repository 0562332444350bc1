"""A small world of gathering, building and crafting, batched, in pictures, symbols and words."""

from mindseye.worlds.minicraft.build import build, names
from mindseye.worlds.minicraft.invention import invented
from mindseye.worlds.minicraft.manual import manual
from mindseye.worlds.minicraft.minicraft import Minicraft
from mindseye.worlds.minicraft.technology import BASIC, FULL, Technology, renamed

__all__ = [
    "BASIC",
    "FULL",
    "Minicraft",
    "Technology",
    "build",
    "invented",
    "manual",
    "names",
    "renamed",
]
