"""`mindseye train`: the default loop on a world, or on recorded episodes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mindseye.cli.folders import open_run, slug
from mindseye.cli.options import parse
from mindseye.cli.progress import ShownProgress
from mindseye.cli.summary import print_report
from mindseye.core.report import Report
from mindseye.experience import load
from mindseye.stages.loop import LoopConfig, run_loop, run_offline

_EXAMPLES = (
    "train",
    "train --world CartPole-v1 --steps 5000 --seed 1",
    "train --data path/to/episodes --fit-updates 2000",
)
_OF_WORLDS = ("world", "observation", "steps")
"""Options that mean nothing where experience is already recorded."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Collect experience, fit a world model, train an agent inside it, test it in reality.

    The same command again goes on where it was stopped.
    """

    loop: LoopConfig = field(default_factory=LoopConfig)
    data: str | None = None
    """Learn from this instead of collecting: a folder, npz or HDF5 files, or a Minari dataset."""
    seed: int = 0
    """Of every random number."""
    out: Path | None = None
    """Folder of the run; runs/train/WORLD-seedS unless given."""
    device: str = "cpu"
    """Torch device."""


def main(arguments: Sequence[str]) -> int:
    """Train and report."""
    options = parse("train", TrainOptions, arguments, _EXAMPLES)
    name = options.data or options.loop.world
    folder = options.out or Path("runs") / "train" / f"{slug(name)}-seed{options.seed}"
    report = train(options, folder)
    print_report(report, folder)
    return 0


def train(options: TrainOptions, folder: Path) -> Report:
    """One run in a folder."""
    config = asdict(options.loop)
    if options.data is not None:
        config = {k: v for k, v in config.items() if k not in _OF_WORLDS} | {"data": options.data}
    replay = None if options.data is None else load(options.data)
    with ShownProgress() as progress:
        run = open_run(
            folder,
            name="train",
            config=config,
            seed=options.seed,
            device=options.device,
            progress=progress,
        )
        with run:
            if replay is None:
                return run_loop(options.loop, run)
            return run_offline(options.loop, run, replay)
