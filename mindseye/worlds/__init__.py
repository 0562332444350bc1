"""What you can step."""

from mindseye.worlds.dream import DreamWorld
from mindseye.worlds.make import make
from mindseye.worlds.starts import starts_from
from mindseye.worlds.vectorise import SerialWorlds

__all__ = ["DreamWorld", "SerialWorlds", "make", "starts_from"]
