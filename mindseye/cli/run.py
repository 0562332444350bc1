"""`mindseye run`: one published system, at a preset, over one or more seeds."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, make_dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import torch
import tyro

from mindseye.cli.evidence import RESULTS
from mindseye.cli.folders import open_run
from mindseye.cli.options import parse
from mindseye.cli.progress import ShownProgress
from mindseye.cli.recipes import find
from mindseye.core.checkpoint import write_atomic
from mindseye.core.errors import ConfigError
from mindseye.core.report import Report, Verdict
from mindseye.evaluation.claims import over_seeds
from mindseye.evaluation.statistics import mean_measure
from mindseye.stages.judge import write_report

_EXAMPLES = (
    "run NAME --preset smoke",
    "run NAME --preset cpu --seeds 0,1,2,3,4 --save-results",
    "run NAME --preset full --dry-run",
)
_DEFAULT_PRESET = "cpu"


def main(arguments: Sequence[str]) -> int:
    """Run a recipe over its seeds and check its claims."""
    if not arguments or arguments[0].startswith("-"):
        shown = "\n".join(f"  mindseye {example}" for example in _EXAMPLES)
        print(f"usage: mindseye run NAME [OPTIONS]\n\n{shown}\n\nNames: mindseye recipes")
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    recipe = recipe_module(arguments[0])
    options = _parse(recipe, arguments)
    command = shlex.join(["mindseye", "run", *arguments])
    if options.dry_run:
        print(dry_run(recipe, options.config, command))
        return 0
    folder = options.out or Path("runs") / recipe.CARD.slug / options.preset
    seeds = [options.config.seed] if options.seeds is None else read_seeds(options.seeds)
    reports = [
        _run_seed(recipe, replace(options.config, seed=seed), options, folder) for seed in seeds
    ]
    report = over_seeds(reports, recipe.CARD.claims, command=command)
    report = replace(report, preset=options.preset)
    write_report(report, folder)
    if options.save_results:
        write_atomic(RESULTS / f"{recipe.CARD.slug}.json", report.to_json())
    print(claims_text(report.claims))
    print(f"\nThe whole report: {folder / 'report.html'}")
    return 0


def recipe_module(name: str) -> ModuleType:
    """A recipe by slug.

    Raises:
        ConfigError: If there is no such system, or it is not built.
    """
    system = find(name)
    if not system.is_built:
        raise ConfigError(f"{name} ({system.title}) is not built yet; see mindseye recipes")
    return import_module(f"mindseye.recipes.{name}")


def _parse(recipe: ModuleType, arguments: Sequence[str]) -> Any:
    """The recipe's own options with those of a run, a preset's values as defaults."""
    preset = _preset(recipe, arguments)
    choices = Literal[tuple(recipe.PRESETS)]  # type: ignore[valid-type]
    options = make_dataclass(
        "RunOptions",
        [
            ("config", recipe.Config, field(default=recipe.PRESETS[preset])),
            _option("preset", choices, preset, "Chooses the defaults of all other options."),
            _option("seeds", str | None, None, "Several: 0,3,7 names them, 5 means 0 to 4."),
            _option("out", Path | None, None, "Folder; runs/NAME/PRESET unless given."),
            _option("device", str, "cpu", "Torch device."),
            _option("dry_run", bool, False, "Build without memory and count parameters only."),
            _option("save_results", bool, False, "Also write results/NAME.json."),
        ],
        frozen=True,
        kw_only=True,
    )
    slug, summary = recipe.CARD.slug, (recipe.__doc__ or recipe.CARD.title).split("\n\n")[0]
    options.__doc__ = f"{summary}\n\nClaims and differences: mindseye recipes {slug}"
    examples = [example.replace("NAME", slug) for example in _EXAMPLES]
    return parse(f"run {slug}", options, arguments[1:], examples)


def _option(name: str, kind: Any, default: Any, explanation: str) -> tuple[str, Any, Any]:
    return name, Annotated[kind, tyro.conf.arg(help=explanation)], field(default=default)


def _preset(recipe: ModuleType, arguments: Sequence[str]) -> str:
    name = _DEFAULT_PRESET
    for at, word in enumerate(arguments):
        if word == "--preset" and at + 1 < len(arguments):
            name = arguments[at + 1]
        elif word.startswith("--preset="):
            name = word.removeprefix("--preset=")
    if name not in recipe.PRESETS:
        raise ConfigError(f"--preset: no {name!r}; say one of {', '.join(recipe.PRESETS)}")
    return name


def read_seeds(text: str) -> list[int]:
    """`0,3,7` names seeds, `5` counts them from 0.

    Raises:
        ConfigError: If the text is neither.
    """
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    seeds = numbers if "," in text else list(range(sum(numbers)))
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ConfigError(f"--seeds: expected a count or seeds like 0,1,2, got {text!r}")
    return seeds


def _run_seed(recipe: ModuleType, config: Any, options: Any, folder: Path) -> Report:
    print(f"{recipe.CARD.slug}, preset {options.preset}, seed {config.seed}", flush=True)
    identity = {k: v for k, v in asdict(config).items() if k != "seed"}
    with ShownProgress() as progress:
        run = open_run(
            folder / f"seed{config.seed}",
            name=recipe.CARD.slug,
            config={"preset": options.preset, **identity},
            seed=config.seed,
            device=options.device,
            progress=progress,
        )
        with run:
            report = recipe.run(config, run)
            write_report(report, run.folder)
    return report


def dry_run(recipe: ModuleType, config: Any, command: str) -> str:
    """Build every module without memory; parameters, memory, and the line that launches it."""
    with torch.device("meta"):
        modules: Mapping[str, torch.nn.Module] = recipe.build(config)
    lines, total = [], 0
    for name, module in modules.items():
        count = sum(p.numel() for p in module.parameters())
        size = sum(p.numel() * p.element_size() for p in module.parameters())
        total += size
        lines.append(f"{name:24}{count:16,} parameters{size / 2**20:12,.1f} MiB")
    lines.append(f"with gradients and Adam's two moments: {4 * total / 2**30:,.2f} GiB")
    lines += [f"{key}: {value}" for key, value in recipe.CARD.numbers.items()]
    launch = " ".join(word for word in command.split() if word != "--dry-run")
    return "\n".join([*lines, f"launch: {launch}"])


def claims_text(claims: Sequence[Verdict]) -> str:
    """Each claim with its values, interval and verdict."""
    if not claims:
        return "no claims to check"
    lines = []
    for verdict in claims:
        lines.append(f"\n{'holds' if verdict.holds else 'does not hold'}: {verdict.statement}")
        for role in ("method", "baseline", "ablation"):
            side = getattr(verdict, role)
            found = mean_measure(role, side["values"])
            values = ", ".join(f"{value:.3g}" for value in side["values"])
            shown = f"{found.value:.3g} ({found.low:.3g} to {found.high:.3g})"
            lines.append(f"  {role:10}{shown:28}{side['name']}: {values}")
    return "\n".join(lines)
