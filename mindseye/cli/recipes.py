"""`mindseye recipes`: what has been rebuilt from the literature, and how far it holds."""

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro

from mindseye.cli.evidence import evidence
from mindseye.cli.options import parse
from mindseye.core.errors import ConfigError
from mindseye.recipes.catalogue import SYSTEMS, System

_EXAMPLES = ("recipes", "recipes dreamer4")


@dataclass(frozen=True)
class RecipesOptions:
    """List the 44 published systems with their evidence, or show one of them."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """Slug of a system."""
    built: bool = False
    """Only the slugs of what is built, one per line, for scripts."""


def main(arguments: Sequence[str]) -> int:
    """List, or show one."""
    options = parse("recipes", RecipesOptions, arguments, _EXAMPLES)
    if options.name is not None:
        print(one(find(options.name)))
    elif options.built:
        print("\n".join(system.slug for system in SYSTEMS if system.is_built))
    else:
        print(listing())
    return 0


def find(name: str) -> System:
    """A system by slug.

    Raises:
        ConfigError: If there is none; names near matches.
    """
    by_slug = {system.slug: system for system in SYSTEMS}
    if name in by_slug:
        return by_slug[name]
    near = difflib.get_close_matches(name, by_slug, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else "see mindseye recipes"
    raise ConfigError(f"no recipe named {name!r}; {hint}")


def listing() -> str:
    """All systems, one line each."""
    lines = [f"{s.number:3} {s.slug:25}{_status(s):12}{s.title}{_shown(s)}" for s in SYSTEMS]
    built = sum(system.is_built for system in SYSTEMS)
    return "\n".join(
        [*lines, "", f"{built} of {len(SYSTEMS)} built; mindseye recipes NAME for one"]
    )


def _status(system: System) -> str:
    return "built" if system.is_built else "not built"


def _shown(system: System) -> str:
    found = evidence(system.slug)
    return f": {found}" if found else ""


def one(system: System) -> str:
    """A system's card."""
    lines = [
        f"{system.title} (number {system.number}, {system.slug})",
        f"{system.paper}, arXiv {system.arxiv}",
        "",
        system.summary,
        "",
        f"status    {_status(system)}",
    ]
    if system.is_built:
        lines += [
            f"evidence  {evidence(system.slug) or 'none yet'}",
            f"run       mindseye run {system.slug} --preset smoke",
            "",
            _docstring(system.slug),
        ]
    return "\n".join(lines).rstrip()


def _docstring(slug: str) -> str:
    """What the recipe says of itself, read without importing it."""
    spec = find_spec(f"mindseye.recipes.{slug}")
    assert spec is not None
    assert spec.origin is not None
    return ast.get_docstring(ast.parse(Path(spec.origin).read_text())) or ""
