"""Scenes of discs that bounce, hide, fall and push, with a true state behind every picture."""

from mindseye.worlds.scenes.build import build, names
from mindseye.worlds.scenes.discs import Discs, draw, visible
from mindseye.worlds.scenes.films import FAULTS, Film, film, held_actions, plant, segments
from mindseye.worlds.scenes.law import LAWS, DiscState, Law, pushes

__all__ = [
    "FAULTS",
    "LAWS",
    "DiscState",
    "Discs",
    "Film",
    "Law",
    "build",
    "draw",
    "film",
    "held_actions",
    "names",
    "plant",
    "pushes",
    "segments",
    "visible",
]
