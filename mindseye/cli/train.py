"""`mindseye train`: the default loop on a world, or on recorded episodes."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mindseye.cli.evidence import RESULTS
from mindseye.cli.folders import open_run, slug
from mindseye.cli.options import parse
from mindseye.cli.progress import ShownProgress
from mindseye.cli.run import claims_text, read_seeds
from mindseye.cli.summary import print_report
from mindseye.core.checkpoint import write_atomic
from mindseye.core.report import Report
from mindseye.evaluation.claims import over_seeds
from mindseye.experience import load
from mindseye.stages.judge import write_report
from mindseye.stages.loop import CLAIMS, LoopConfig, run_loop, run_offline

_EXAMPLES = (
    "train",
    "train --world CartPole-v1 --steps 5000 --seed 1",
    "train --seeds 0,1,2,3,4 --save-results demo",
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
    seeds: str | None = None
    """Several runs, and one report over them: 0,3,7 names seeds, 5 means 0 to 4."""
    save_results: str | None = None
    """With --seeds: also write results/NAME.json."""
    out: Path | None = None
    """Folder of the run; runs/train/WORLD-seedS unless given."""
    device: str = "cpu"
    """Torch device."""


def main(arguments: Sequence[str]) -> int:
    """Train and report."""
    options = parse("train", TrainOptions, arguments, _EXAMPLES)
    name = slug(options.data or options.loop.world)
    if options.seeds is not None:
        return _train_seeds(options, options.out or Path("runs") / "train" / name)
    folder = options.out or Path("runs") / "train" / f"{name}-seed{options.seed}"
    report = train(options, folder)
    print_report(report, folder)
    return 0


def _train_seeds(options: TrainOptions, folder: Path) -> int:
    reports = []
    for seed in read_seeds(options.seeds or ""):
        print(f"seed {seed}", flush=True)
        reports.append(train(replace(options, seed=seed), folder / f"seed{seed}"))
    claims = () if options.data is not None else CLAIMS
    report = over_seeds(reports, claims, command=shlex.join(["mindseye", *sys.argv[1:]]))
    if options.save_results:
        report = replace(report, name=options.save_results)
        write_atomic(RESULTS / f"{options.save_results}.json", report.to_json())
    write_report(report, folder)
    print(claims_text(report.claims))
    print(f"\nThe whole report: {folder / 'report.html'}")
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
