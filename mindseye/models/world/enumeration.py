"""Laws read off what happened, without a language model: few conditions, relative effects."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mindseye.models.world.lands import Kind, LandReader, View
from mindseye.models.world.laws import LOWEST, Laws, Opinions

_BELIEF = 0.5
"""How many times what usually happens is counted as seen under any conditions."""


@dataclass(frozen=True)
class Law:
    """If all conditions hold, a fact of this kind turns out so, with these log scores."""

    kind: int
    """Number in the reader's kinds."""
    conditions: tuple[int, ...]
    """Numbers of literals."""
    scores: tuple[float, ...]
    """One per outcome; `LOWEST` where an outcome is not listed."""
    unless: tuple[tuple[int, ...], ...] = ()
    """The law is silent where all literals of one of these hold."""
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
        listed = [self._listed(kind) for kind in range(len(reader.kinds))]
        self._needs = [needs for needs, _ in listed]
        self._exceptions = [exceptions for _, exceptions in listed]
        self._scores = [
            np.array([self.laws[i].scores for i in numbers], np.float32)
            for numbers in self._of_kind
        ]

    def opine(self, states: np.ndarray, actions: np.ndarray) -> Opinions:
        """What every law lists whose conditions hold."""
        said = []
        for kind, view in enumerate(self.reader.views(states, actions)):
            numbers, scores = self._of_kind[kind], self._scores[kind]
            if not len(numbers) or not len(view.row):
                continue
            met = self._met(kind, view) if self.is_gated else np.ones((len(view.row), len(numbers)))
            look, law = np.nonzero(met)
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

    def _met(self, kind: int, view: View) -> np.ndarray:
        """Which laws of a kind speak in each look, bool (n, laws)."""
        holds = _all_hold(view.literals, self._needs[kind])
        exceptions, owner = self._exceptions[kind]
        if len(owner):
            look, which = np.nonzero(_all_hold(view.literals, exceptions))
            holds[look, owner[which]] = False
        return holds

    def _listed(self, kind: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        laws = [self.laws[i] for i in self._of_kind[kind]]
        many = len(self.reader.kinds[kind].literals)
        pairs = [(number, group) for number, law in enumerate(laws) for group in law.unless]
        owner = np.array([number for number, _ in pairs], np.int64)
        needs = _indicators([law.conditions for law in laws], many)
        return needs, (_indicators([group for _, group in pairs], many), owner)


def _indicators(groups: Sequence[tuple[int, ...]], many: int) -> np.ndarray:
    """Which literals each group names, float32 (literals, groups)."""
    named = np.zeros((many, len(groups)), np.float32)
    for column, group in enumerate(groups):
        named[list(group), column] = 1
    return named


def _all_hold(literals: np.ndarray, needs: np.ndarray) -> np.ndarray:
    return (~literals).astype(np.float32) @ needs == 0


def tell(kind: Kind, law: Law) -> str:
    """A law as a sentence; outcomes below half a percent go without saying."""
    listed = [
        (score, outcome)
        for score, outcome in zip(law.scores, kind.outcomes, strict=True)
        if score > np.log(0.005)
    ]
    told = ", or ".join(
        outcome if score > np.log(0.995) else f"{outcome} ({np.exp(score):.0%})"
        for score, outcome in sorted(listed, reverse=True)
    )
    told = f"{kind.name}: {told}"
    if law.conditions:
        told += f", if {_and(kind, law.conditions)}"
    return told + "".join(f", unless {_and(kind, group)}" for group in law.unless)


def _and(kind: Kind, literals: tuple[int, ...]) -> str:
    return " and ".join(kind.literals[literal] for literal in literals)


def enumerate_laws(
    reader: LandReader,
    before: np.ndarray,
    actions: np.ndarray,
    after: np.ndarray,
    *,
    breadth: int = 8,
    depth: int = 3,
    rivals: int = 3,
    is_soft: bool = True,
) -> list[Law]:
    """Laws that what happened suggests, among them rivals.

    For every kind of fact that ever changed, conditions are sought that tell most about when; they
    split what was seen, and the search goes on inside and outside, until no conditions are worth
    their price. What is left on each side is a law. At every split the next best conditions become
    laws as well: which of them are to be trusted is for their weights to say. What happens but
    once, such as a first achievement, is put down to what changed in the same step. Outcomes are
    listed with their log frequencies under the conditions, drawn a little to those of the kind;
    where nothing ever changed, no law is needed.

    Args:
        reader: Of the land.
        before: States, (steps, facts).
        actions: Taken, (steps,).
        after: States reached.
        breadth: Conditions narrowed further in every search.
        depth: Most conditions that one search adds.
        rivals: Further laws kept per split.
        is_soft: List all outcomes seen; otherwise only the most frequent one, as certain.
    """
    laws: list[Law] = []
    views = reader.views(before, actions)
    order = sorted(range(len(views)), key=lambda number: reader.kinds[number].is_once)
    causes: list[_Cause] = []
    for number in order:
        kind, view = reader.kinds[number], views[number]
        outcome = _outcomes(view, after)
        known = outcome >= 0
        seen, hits = view.literals[known], np.eye(view.values.shape[1])[outcome[known]]
        usual = hits.sum(0)
        if not len(hits) or kind.unchanged(usual):
            continue
        if kind.is_once:
            laws += _together(number, kind, view.row[known], hits, causes, 1 + rivals)
            continue
        found = _Search(seen, hits, kind, breadth, depth, rivals).found
        for conditions, unless, counts, covers in found:
            scores = _scores(counts + _BELIEF * usual / usual.sum(), is_soft)
            law = Law(number, conditions, scores, unless, int(counts.sum()))
            laws.append(law)
            if kind.literals is reader.kinds[0].literals and not kind.unchanged(counts):
                causes.append(_cause(law, kind, counts, view.row[known], hits, covers))
    return laws


@dataclass(frozen=True)
class _Cause:
    """A law with the change it mostly makes."""

    law: Law
    probability: float
    steps: frozenset[int]
    """Where its conditions held and the change came."""


def _cause(
    law: Law,
    kind: Kind,
    counts: np.ndarray,
    row: np.ndarray,
    hits: np.ndarray,
    covers: np.ndarray,
) -> _Cause:
    changes = counts.copy()
    changes[kind.outcomes.index("no change")] = 0
    most = int(changes.argmax())
    steps = frozenset(row[covers & (hits[:, most] > 0)].tolist())
    return _Cause(law, float(changes[most] / counts.sum()), steps)


def _together(
    number: int, kind: Kind, row: np.ndarray, hits: np.ndarray, causes: list[_Cause], most: int
) -> list[Law]:
    """Laws for what changes once: causes of other changes that never came without it."""
    same = kind.outcomes.index("no change")
    waiting = set(row.tolist())
    step, change = next(
        (int(at), int(one.argmax())) for at, one in zip(row, hits, strict=True) if not one[same]
    )
    fitting = [cause for cause in causes if step in cause.steps and cause.steps & waiting == {step}]
    fitting.sort(key=lambda cause: (-cause.probability, -cause.law.seen, cause.law.conditions))
    laws: dict = {}
    for cause in fitting:
        scores = [LOWEST] * len(kind.outcomes)
        scores[change] = float(np.log(cause.probability))
        if cause.probability < 1:
            scores[same] = float(np.log1p(-cause.probability))
        when = cause.law.conditions, cause.law.unless
        laws.setdefault(when, Law(number, when[0], tuple(scores), when[1], cause.law.seen))
    return list(laws.values())[:most]


def _outcomes(view: View, after: np.ndarray) -> np.ndarray:
    """Which outcome each look had, −1 if none of those that can be told."""
    reached = after[view.row, view.fact]
    matches = view.values == reached[:, None]
    return np.where(matches.any(1), matches.argmax(1), -1)


class _Search:
    """Splits what was seen of one kind; finds conditions, exceptions, counts, and covers."""

    def __init__(
        self,
        literals: np.ndarray,
        hits: np.ndarray,
        kind: Kind,
        breadth: int,
        depth: int,
        rivals: int,
    ):
        self.literals, self.hits, self.kind = literals, hits, kind
        self.breadth, self.depth, self.rivals = breadth, depth, rivals
        self.found: list[tuple] = []
        self._known: set = set()
        self._split(np.ones(len(hits), bool), (), ())

    def _split(self, mask: np.ndarray, conditions: tuple, unless: tuple) -> None:
        hits = self.hits[mask]
        best = _searched(self.literals[mask], hits, self.kind.prices, self.breadth, self.depth)
        if not best:
            return self._keep(conditions, unless, mask)
        narrow = [one for one in best[1:] if one[1].sum() < 0.5 * len(hits)]
        for more, covers in narrow[: self.rivals]:
            part = mask.copy()
            part[mask] = covers
            self._keep(_merged(conditions, more), unless, part)
        more, covers = best[0]
        inside, outside = mask.copy(), mask.copy()
        inside[mask], outside[mask] = covers, ~covers
        self._split(inside, _merged(conditions, more), unless)
        self._split(outside, conditions, (*unless, more))
        return None

    def _keep(self, conditions: tuple, unless: tuple, covers: np.ndarray) -> None:
        if (conditions, unless) not in self._known:
            self._known.add((conditions, unless))
            self.found.append((conditions, unless, self.hits[covers].sum(0), covers))


def _merged(some: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted({*some, *more}))


def _searched(
    literals: np.ndarray, hits: np.ndarray, prices: np.ndarray, breadth: int, depth: int
) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """Conditions and what they cover, those that tell most first; empty if none is worth it."""
    whole = hits.sum(0)
    frontier: list = [((), np.ones(len(hits), bool))]
    best, seen = [], set()
    for _ in range(depth):
        options = []
        for conditions, mask in frontier:
            counts = literals[mask].T.astype(np.float64) @ hits[mask]
            gains = _likelihood(counts) + _likelihood(whole - counts) - _likelihood(whole[None])
            gains -= prices + prices[list(conditions)].sum()
            for literal in np.argsort(-gains, kind="stable")[:breadth]:
                chosen = tuple(sorted({*conditions, int(literal)}))
                options.append((-gains[literal], chosen, mask & literals[:, literal]))
        options.sort(key=lambda option: option[:2])
        frontier = []
        for loss, conditions, mask in options:
            key = mask.tobytes()
            if len(frontier) < breadth and key not in seen and 0 < mask.sum() < len(mask):
                seen.add(key)
                frontier.append((conditions, mask))
                best.append((loss, conditions, mask))
    best.sort(key=lambda option: option[:2])
    return [(conditions, mask) for loss, conditions, mask in best if loss < 0]


def _likelihood(counts: np.ndarray) -> np.ndarray:
    """Log likelihood of outcomes under their own frequencies, per row of counts."""
    totals = counts.sum(1, keepdims=True) if counts.ndim == 2 else counts
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, counts * np.log(counts / totals), 0).sum(1)


def _scores(counts: np.ndarray, is_soft: bool) -> tuple[float, ...]:
    if not is_soft:
        return tuple(0.0 if i == counts.argmax() else LOWEST for i in range(len(counts)))
    with np.errstate(divide="ignore"):
        scores = np.log(counts / counts.sum())
    return tuple(np.maximum(scores, LOWEST).tolist())
