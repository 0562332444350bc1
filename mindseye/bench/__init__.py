"""How fast the parts are on this machine, each beside the machine's own limit and its rivals."""

from mindseye.bench.report import main

__all__ = ["main"]
