"""What you can step."""

from mindseye.worlds.check import check_snapshot, check_world
from mindseye.worlds.dream import DreamWorld
from mindseye.worlds.make import make
from mindseye.worlds.registration import register_dream
from mindseye.worlds.sb3 import as_sb3
from mindseye.worlds.simulator import SimulatorModel
from mindseye.worlds.snapshot import branchable
from mindseye.worlds.starts import starts_from
from mindseye.worlds.vectorise import SerialWorlds
from mindseye.worlds.views import AutoresetView, SingleView, flatten_observations

__all__ = [
    "AutoresetView",
    "DreamWorld",
    "SerialWorlds",
    "SimulatorModel",
    "SingleView",
    "as_sb3",
    "branchable",
    "check_snapshot",
    "check_world",
    "flatten_observations",
    "make",
    "register_dream",
    "starts_from",
]

register_dream()
