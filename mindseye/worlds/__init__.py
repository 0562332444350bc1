"""What you can step."""

from mindseye.worlds.make import make
from mindseye.worlds.vectorise import SerialWorlds

__all__ = ["SerialWorlds", "make"]
