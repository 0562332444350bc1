"""Laws read off what happened, without a language model: few conditions, relative effects."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mindseye.models.world.lands import Kind, LandReader, View
from mindseye.models.world.laws import LOWEST, Laws, Opinions


@dataclass(frozen=True)
class Law:
    """If all conditions hold, a fact of this kind turns out so, with these log scores."""

    kind: int
    """Number in the reader's kinds."""
    conditions: tuple[int, ...]
    """Numbers of literals."""
    scores: tuple[float, ...]
    """One per outcome; `LOWEST` where an outcome is not listed."""
    seen: int = field(default=0, compare=False)
    """How often the conditions held where the law was read."""


class ReadLaws(Laws):
    """Laws over the views of a reader, asked together.

    Args:
        reader: Of the land.
        laws: Read off, or given.
        is_gated: Heed conditions; otherwise every law always speaks.
    """

    def __init__(self, reader: LandReader, laws: Sequence[Law], *, is_gated: bool = True):
        self.reader, self.laws, self.is_gated = reader, list(laws), is_gated
        self.names = [tell(reader.kinds[law.kind], law) for law in self.laws]
        self._of_kind = [
            np.array([i for i, law in enumerate(self.laws) if law.kind == kind], np.int64)
            for kind in range(len(reader.kinds))
        ]
        self._needs = [self._conditions(kind) for kind in range(len(reader.kinds))]
        self._scores = [
            np.array([self.laws[i].scores for i in numbers], np.float32)
            for numbers in self._of_kind
        ]

    def opine(self, states: np.ndarray, actions: np.ndarray) -> Opinions:
        """What every law lists whose conditions hold."""
        said = []
        for kind, view in enumerate(self.reader.views(states, actions)):
            numbers, needs, scores = self._of_kind[kind], self._needs[kind], self._scores[kind]
            if not len(numbers) or not len(view.row):
                continue
            missing = (~view.literals).astype(np.float32) @ needs
            look, law = np.nonzero((missing == 0) | (not self.is_gated))
            lists = (scores[law] > LOWEST) & (view.values[look] >= 0)
            entry, outcome = np.nonzero(lists)
            look, law = look[entry], law[entry]
            said.append(
                Opinions(
                    view.row[look],
                    numbers[law],
                    view.fact[look],
                    view.values[look, outcome],
                    scores[law, outcome],
                )
            )
        return Opinions.joined(said)

    def _conditions(self, kind: int) -> np.ndarray:
        numbers = self._of_kind[kind]
        needs = np.zeros((len(self.reader.kinds[kind].literals), len(numbers)), np.float32)
        for column, number in enumerate(numbers):
            needs[list(self.laws[number].conditions), column] = 1
        return needs


def tell(kind: Kind, law: Law) -> str:
    """A law as a sentence."""
    listed = [
        (score, outcome)
        for score, outcome in zip(law.scores, kind.outcomes, strict=True)
        if score > LOWEST
    ]
    told = ", or ".join(
        outcome if score > np.log(0.995) else f"{outcome} ({np.exp(score):.0%})"
        for score, outcome in sorted(listed, reverse=True)
    )
    when = " and ".join(kind.literals[c] for c in law.conditions)
    return f"{kind.name}: {told}" + (f", if {when}" if when else "")


def enumerate_laws(
    reader: LandReader,
    before: np.ndarray,
    actions: np.ndarray,
    after: np.ndarray,
    *,
    least_gain: float = 2.5,
    breadth: int = 8,
    depth: int = 3,
    is_soft: bool = True,
) -> list[Law]:
    """Laws that what happened suggests, from general ones to narrow ones.

    Of every kind of fact, the law without conditions comes first; then those conditions are added
    under which outcomes are most unlike what the wider law expects, measured by the gain in log
    likelihood. Outcomes seen under the conditions are listed with their log frequencies.

    Args:
        reader: Of the land.
        before: States, (steps, facts).
        actions: Taken, (steps,).
        after: States reached.
        least_gain: In nats over the wider law.
        breadth: Laws narrowed further per kind and number of conditions.
        depth: Most conditions of a law.
        is_soft: List all outcomes seen; otherwise only the most frequent one, as certain.
    """
    laws = []
    for number, view in enumerate(reader.views(before, actions)):
        outcome = _outcomes(view, after)
        known = outcome >= 0
        if known.any():
            hits = np.eye(view.values.shape[1])[outcome[known]]
            found = _narrowed(view.literals[known], hits, least_gain, breadth, depth)
            laws += [
                Law(number, conditions, _scores(counts, is_soft), int(counts.sum()))
                for conditions, counts in found
            ]
    return laws


def _outcomes(view: View, after: np.ndarray) -> np.ndarray:
    """Which outcome each look had, −1 if none of those that can be told."""
    reached = after[view.row, view.fact]
    matches = view.values == reached[:, None]
    return np.where(matches.any(1), matches.argmax(1), -1)


def _narrowed(
    literals: np.ndarray, hits: np.ndarray, least: float, breadth: int, depth: int
) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """Conditions and the counts of outcomes under them."""
    everything = np.ones(len(hits), bool)
    found: list = [((), hits.sum(0))]
    frontier, covered = [((), everything)], {everything.tobytes()}
    for _ in range(depth):
        options = []
        for conditions, mask in frontier:
            wider = hits[mask].sum(0)
            counts = literals[mask].T.astype(np.float64) @ hits[mask]
            for literal in np.flatnonzero(_gains(counts, wider) >= least):
                narrow = mask & literals[:, literal]
                gain = _gains(counts[literal][None], wider)[0]
                options.append((-gain, (*conditions, int(literal)), narrow, counts[literal]))
        options.sort(key=lambda option: option[:2])
        frontier = []
        for _, conditions, narrow, counts in options:
            if len(frontier) == breadth:
                break
            if narrow.tobytes() not in covered:
                covered.add(narrow.tobytes())
                found.append((tuple(sorted(conditions)), counts))
                frontier.append((conditions, narrow))
    return found


def _gains(counts: np.ndarray, wider: np.ndarray) -> np.ndarray:
    """Log likelihood above what the wider law gives, per row of counts."""
    totals = counts.sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(counts > 0, counts * np.log(counts / totals), 0).sum(1)
        expected = np.where(counts > 0, counts * np.log(wider / wider.sum()), 0).sum(1)
    return own - expected


def _scores(counts: np.ndarray, is_soft: bool) -> tuple[float, ...]:
    if not is_soft:
        return tuple(0.0 if i == counts.argmax() else LOWEST for i in range(len(counts)))
    with np.errstate(divide="ignore"):
        scores = np.log(counts / counts.sum())
    return tuple(np.maximum(scores, LOWEST).tolist())
