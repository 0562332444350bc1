"""What a recipe says of itself: the paper, the claims it will be held to, how it differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Claim:
    """One sentence of a paper as an executable check.

    `method`, `baseline` and `ablation` name measures of the recipe's per-seed report.
    """

    statement: str
    method: str
    baseline: str
    ablation: str
    relation: Literal["greater", "less"] = "greater"
    margin: float = 0.0
    """The method must win by more than this, in the measure's unit."""


@dataclass(frozen=True)
class Card:
    """Identity of a recipe."""

    slug: str
    number: int
    """Position in docs/papers.md, 1 to 44."""
    title: str
    paper: str
    claims: Sequence[Claim] = ()
    differs: Sequence[str] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Headline figures, per preset and in the paper."""
