"""`mindseye fit`: a world model from experience."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mindseye.cli.folders import open_run
from mindseye.cli.options import parse
from mindseye.cli.progress import ShownProgress
from mindseye.experience import load
from mindseye.models.world.sizes import SizeName
from mindseye.stages.loop import LoopConfig, check_model, fit_stage

_EXAMPLES = (
    "fit --data episodes --out models/mine",
    "fit --data recorded.npz --out models/big --size medium --updates 5000",
)
_DEFAULT = LoopConfig()


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """Fit a world model to recorded episodes.

    The same command again goes on where it was stopped.
    """

    data: str
    """Folder of episodes, npz or HDF5 files, or a Minari dataset."""
    out: Path
    """Folder of the run; the model is in OUT/model."""
    backbone: Literal["gru", "transformer", "s4", "rssm"] = _DEFAULT.backbone
    """Memory of the model."""
    size: SizeName = _DEFAULT.size
    """Of the model."""
    updates: int = _DEFAULT.fit_updates
    """Gradient steps."""
    batch: int = _DEFAULT.batch
    """Segments per gradient step."""
    length: int = _DEFAULT.length
    """Rows per segment."""
    success_share: float = _DEFAULT.success_share
    """Of segments drawn from episodes with a positive return, while there are any."""
    seed: int = 0
    """Of weights and segments."""
    device: str = "cpu"
    """Torch device."""


def main(arguments: Sequence[str]) -> int:
    """Fit and say where the model is."""
    options = parse("fit", FitOptions, arguments, _EXAMPLES)
    loop = LoopConfig(
        backbone=options.backbone,
        size=options.size,
        fit_updates=options.updates,
        batch=options.batch,
        length=options.length,
        success_share=options.success_share,
    )
    replay = load(options.data)
    check_model(loop, replay.observation_space, replay.action_space)
    config = {
        name: getattr(options, name)
        for name in ("data", "backbone", "size", "updates", "batch", "length", "success_share")
    }
    with ShownProgress() as progress:
        run = open_run(
            options.out,
            name="fit",
            config=config,
            seed=options.seed,
            device=options.device,
            progress=progress,
        )
        with run:
            model = fit_stage(loop, run, replay)
    numbers = sum(p.numel() for p in model.parameters())
    print(
        f"a model of {numbers:,} numbers, fitted to {len(replay):,} steps: {options.out / 'model'}"
    )
    return 0
