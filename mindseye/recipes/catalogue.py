"""The 44 published systems, as data. A system is built when the module of its slug exists."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class System:
    """One published system."""

    number: int
    """Position in docs/papers.md."""
    slug: str
    title: str
    paper: str
    """Full title and year."""
    arxiv: str
    summary: str
    """In one sentence."""

    @property
    def is_built(self) -> bool:
        """Whether a recipe of this slug exists here; nothing is imported to find out."""
        return find_spec(f"mindseye.recipes.{self.slug}") is not None


SYSTEMS = tuple(
    System(**fields) for fields in json.loads(Path(__file__).with_suffix(".json").read_text("utf8"))
)
"""All of them, in order."""
