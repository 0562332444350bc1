"""`mindseye fit-language`: the small language model, from scratch."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mindseye.cli.folders import open_run
from mindseye.cli.options import parse
from mindseye.cli.progress import ShownProgress
from mindseye.models.language.small import load_small, save_small
from mindseye.stages.language import LanguageConfig, examine, fit_language, lessons_hash

_EXAMPLES = (
    "fit-language --out models/language",
    "fit-language --out models/large --units 384 --layers 6 --updates 5000",
    "fit-language --out models/further --start models/language --updates 700 --learning-rate 1e-3",
)
_DEFAULT = LanguageConfig()
_ASKED = 200
"""Questions of every kind in the closing examination."""


@dataclass(frozen=True, kw_only=True)
class FitLanguageOptions:
    """Train the small language model on texts of our own worlds.

    Manuals of invented worlds and questions about them, what is missing, where to walk, rules found
    in transcripts, lessons from failures: all drawn anew, names included. The same command again
    goes on where it was stopped. Use the result as --language small:OUT, or as
    MINDSEYE_LANGUAGE=small:OUT.
    """

    out: Path
    """Folder of the run and of the model."""
    updates: int = _DEFAULT.updates
    """Gradient steps."""
    batch: int = _DEFAULT.batch
    """Lessons per gradient step."""
    units: int = _DEFAULT.units
    """Width."""
    layers: int = _DEFAULT.layers
    """Depth."""
    heads: int = _DEFAULT.heads
    """Of attention, per layer."""
    reach: int = _DEFAULT.reach
    """Words each layer blends before it attends."""
    learning_rate: float = _DEFAULT.learning_rate
    """At its height."""
    start: Path | None = None
    """Folder of a model to go on from, on lessons of full size; its sizes hold. From nothing unless
    given."""
    seed: int = 7
    """Of weights and lessons."""


def main(arguments: Sequence[str]) -> int:
    """Fit, examine on unseen lessons, and say where the model is."""
    options = parse("fit-language", FitLanguageOptions, arguments, _EXAMPLES)
    names = ("updates", "batch", "units", "layers", "heads", "reach", "learning_rate")
    config = LanguageConfig(**{name: getattr(options, name) for name in names})
    with ShownProgress() as progress:
        run = open_run(
            options.out,
            name="fit-language",
            config=asdict(config) | {"start": str(options.start or "")},
            seed=options.seed,
            device="cpu",
            progress=progress,
        )
        with run:
            start = None if options.start is None else load_small(options.start)
            model = fit_language(config, run, start)
            rng = np.random.default_rng(run.seed_for("examination"))
            shares = run.once("examination", lambda: dict(examine(model, rng, _ASKED)))
            card = {
                "command": run.manifest["command"],
                "seed": options.seed,
                "lessons": lessons_hash(run),
                "versions": run.manifest["versions"],
                "examination": shares,
            }
            if options.start is not None:
                card["start"] = _origin(options.start)
            save_small(options.out, model, card)
    numbers = sum(p.numel() for p in model.parameters())
    for name, share in shares.items():
        print(f"  {name:18}{share:6.1%} of unseen lessons answered to the letter")
    print(f"a language model of {numbers:,} numbers: {options.out}")
    return 0


def _origin(folder: Path) -> dict:
    """How the model in a folder came to be, without its words."""
    card = json.loads((folder / "card.json").read_text())
    return {name: told for name, told in card.items() if name not in ("kind", "words", "sizes")}
