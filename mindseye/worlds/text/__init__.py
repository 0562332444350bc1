"""Worlds that speak and are spoken to, batched: exact states, and texts as their faces."""

from mindseye.worlds.text.build import build, names
from mindseye.worlds.text.household import Household
from mindseye.worlds.text.shop import Shop
from mindseye.worlds.text.workshop import Workshop

__all__ = ["Household", "Shop", "Workshop", "build", "names"]
