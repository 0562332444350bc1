"""`mindseye bench`: how fast the parts are on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from mindseye.cli.options import parse

_EXAMPLES = ("bench --quick", "bench --only rollout replay")


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """Measure the speed of the parts on this machine."""

    quick: bool = False
    """Fewer repetitions."""
    only: tuple[str, ...] = ()
    """Names of what to measure; everything unless given."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    options = parse("bench", BenchOptions, arguments, _EXAMPLES)
    words = ["--quick"] if options.quick else []
    if options.only:
        words += ["--only", *options.only]
    return import_module("mindseye.bench").main(words) or 0
