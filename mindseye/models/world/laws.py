"""Laws that speak about a few facts each, and the product of those that have something to say.

A symbolic state is a vector of facts, whole numbers from 0 below a domain's size. A law whose
precondition is met lists values it holds possible for facts it governs, with log scores; values it
does not list get `FLOOR`. Laws that speak on the same fact are multiplied, each to the power of its
weight:

    p(v) ∝ exp(Σ_i θ_i · φ_i(v)),   i over the laws that are met and speak on the fact

Since every law gives `FLOOR` to most values, only gains over it are kept; sums run over what was
listed, never over whole domains.

Source: "One Life to Learn" (2025), arXiv 2510.12088, after PoE-World (2025), arXiv 2505.10819.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

FLOOR = -10.0
"""Log score of a value that a law does not list."""
LOWEST = -50.0
"""Log scores are raised to this."""
_ONE, _GOLDEN = np.uint64(1), np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Opinions:
    """What laws list, one entry per (row, law, fact, value); arrays of shape (entries,)."""

    row: np.ndarray
    law: np.ndarray
    fact: np.ndarray
    value: np.ndarray
    score: np.ndarray
    """Log scores, float32."""

    @staticmethod
    def none() -> "Opinions":
        """No entry."""
        empty = np.zeros(0, np.int64)
        return Opinions(empty, empty, empty, empty, np.zeros(0, np.float32))

    @staticmethod
    def joined(parts: Sequence["Opinions"]) -> "Opinions":
        """All entries of several."""
        if not parts:
            return Opinions.none()
        return Opinions(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("row", "law", "fact", "value", "score")
            )
        )


class Laws(Protocol):
    """Any number of laws, asked together."""

    names: Sequence[str]
    """One per law, readable."""

    def opine(self, states: np.ndarray, actions: np.ndarray) -> Opinions:
        """What the laws list for states (rows, facts) and actions (rows,), both int64."""
        ...


class AllLaws(Laws):
    """Several collections as one; laws are numbered in the order given."""

    def __init__(self, parts: Sequence[Laws]):
        self.parts = parts
        self.names = [name for part in parts for name in part.names]

    def opine(self, states: np.ndarray, actions: np.ndarray) -> Opinions:
        """What any of them lists."""
        said, first = [], 0
        for part in self.parts:
            told = part.opine(states, actions)
            said.append(Opinions(told.row, told.law + first, told.fact, told.value, told.score))
            first += len(part.names)
        return Opinions.joined(said)


class Product:
    """Opinions multiplied: for every fact spoken about, a distribution that weights decide.

    A *fact here* is a pair of row and fact on which at least one law speaks; a *choice* is a value
    that at least one law lists for it.

    Args:
        opinions: Of any number of rows.
        domains: How many values each fact may have, shape (facts,).
    """

    def __init__(self, opinions: Opinions, domains: np.ndarray):
        facts, widest = len(domains), int(domains.max(initial=1))
        self._widest = widest
        inside = (opinions.value >= 0) & (opinions.value < domains[opinions.fact])
        here = opinions.row * facts + opinions.fact
        keys = (here * widest + opinions.value)[inside]
        choices, which = np.unique(keys, return_inverse=True)
        self.choice_here, first = np.unique(choices // widest, return_index=True)
        self.row, self.fact = np.divmod(self.choice_here, facts)
        """Of every fact here, int64."""
        self.value = choices % widest
        """Of every choice, sorted by fact here, int64."""
        self.first = first
        """First choice of every fact here."""
        counts = np.diff([*first, len(choices)])
        self.of = np.repeat(np.arange(len(first)), counts)
        """Fact here of every choice."""
        unlisted = domains[self.fact] - counts
        gain = np.maximum(opinions.score[inside], LOWEST) - FLOOR
        self._choice = torch.from_numpy(which.astype(np.int64))
        self._law = torch.from_numpy(opinions.law[inside].astype(np.int64))
        self._gain = torch.from_numpy(gain.astype(np.float32))
        self._of = torch.from_numpy(self.of)
        self._log_unlisted = torch.from_numpy(np.log(np.maximum(unlisted, 1e-30))).float()

    def scores(self, weights: Float[Tensor, " laws"]) -> Float[Tensor, " choices"]:
        """Σ θ φ of every choice, above that of values nobody lists."""
        parts = weights[self._law] * self._gain
        return weights.new_zeros(len(self.of)).index_add(0, self._choice, parts)

    def log_normaliser(self, scores: Float[Tensor, " choices"]) -> Float[Tensor, " here"]:
        """Log of the sum over the whole domain of each fact here."""
        many = len(self.first)
        peak = self._log_unlisted.scatter_reduce(0, self._of, scores.detach(), "amax")
        total = torch.exp(self._log_unlisted - peak)
        total = total.index_add(0, self._of, torch.exp(scores - peak[self._of]))
        return total.log() + peak if many else scores.new_zeros(0)

    def log_prob(
        self, weights: Float[Tensor, " laws"], after: np.ndarray
    ) -> Float[Tensor, " here"]:
        """Log probability of each fact here in the states that came next, (rows, facts)."""
        scores = self.scores(weights)
        reached = after[self.row, self.fact]
        hits = np.flatnonzero(self.value == reached[self.of])
        listed = scores.new_zeros(len(self.first))
        listed = listed.index_add(0, self._of[hits], scores[hits])
        return listed - self.log_normaliser(scores)

    def best(self, weights: Float[Tensor, " laws"]) -> np.ndarray:
        """The likeliest listed value of every fact here; ties go to the smaller value."""
        return self.value[self._argmax(self.scores(weights).detach().numpy())]

    def drawn(self, weights: Float[Tensor, " laws"], keys: np.ndarray) -> np.ndarray:
        """A listed value of every fact here, drawn by luck that depends on each row's key alone.

        Args:
            weights: Of the laws.
            keys: uint64 (rows,).
        """
        place = self.fact[self.of] * self._widest + self.value
        bits = mixed(keys[self.row[self.of]] + (place.astype(np.uint64) + _ONE) * _GOLDEN)
        luck = ((bits >> np.uint64(11)) + 0.5) * 2.0**-53
        noise = -np.log(-np.log(luck))
        return self.value[self._argmax(self.scores(weights).detach().numpy() + noise)]

    def doubt(self, weights: Float[Tensor, " laws"], rows: int) -> np.ndarray:
        """Entropy in nats of each row's facts, those listed only, summed; float32 (rows,)."""
        scores = self.scores(weights).detach()
        total = scores.new_zeros(len(self.first))
        peak = total.new_full((len(total),), -np.inf).scatter_reduce(0, self._of, scores, "amax")
        shifted = scores - peak[self._of]
        total = total.index_add(0, self._of, shifted.exp())
        log_p = shifted - total.log()[self._of]
        terms = -(log_p.exp() * log_p)
        here = torch.from_numpy(self.row)[self._of]
        return scores.new_zeros(rows).index_add(0, here, terms).clamp_min(0).numpy()

    def _argmax(self, scores: np.ndarray) -> np.ndarray:
        """First position of the highest score among the choices of every fact here."""
        if not len(self.first):
            return np.zeros(0, np.int64)
        highest = np.maximum.reduceat(scores, self.first)
        positions = np.flatnonzero(scores == highest[self.of])
        _, first = np.unique(self.of[positions], return_index=True)
        return positions[first]


def mixed(keys: np.ndarray) -> np.ndarray:
    """Scramble uint64 values, one to one.

    Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
    """
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
