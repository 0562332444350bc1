"""`mindseye bench`: how fast the parts are on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mindseye.cli.options import parse

_EXAMPLES = ("bench --quick", "bench --only replay planning", "bench --save results/bench.json")


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """Measure the speed of the parts, each beside this machine's own limit and its rivals."""

    quick: bool = False
    """One short round each."""
    only: tuple[str, ...] = ()
    """Names of what to measure; everything unless given."""
    save: Path | None = None
    """Also write the figures here, as JSON."""
    threads: int = 1
    """Of torch; figures are per processor second."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    options = parse("bench", BenchOptions, arguments, _EXAMPLES)
    from mindseye.bench import main as measure

    measure(quick=options.quick, only=options.only, save=options.save, threads=options.threads)
    return 0
