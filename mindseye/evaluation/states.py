"""How well a symbolic world model knows what comes next: ranking of states, and distance of states.

Ranking: among the true next state, the model's own prediction and mutants of the truth, where does
the model's log probability put the truth? Fidelity: how many facts would have to be changed to turn
the prediction into the truth?

Source: evaluation of "One Life to Learn" (2025), arXiv 2510.12088. Differs: ties are broken in
expectation instead of by order; candidates of equal value count once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mindseye.core.report import Measure
from mindseye.evaluation.statistics import mean_measure


@dataclass(frozen=True)
class Situation:
    """One step from a state on purpose: what was, what is done, and what truly comes."""

    scenario: str
    """The mechanic it is about."""
    before: np.ndarray
    """Facts, int64 (facts,)."""
    action: int
    after: np.ndarray
    mutants: np.ndarray
    """What did not come, int64 (mutants, facts)."""


class StateModel(Protocol):
    """Whatever says how likely states are, and predicts them."""

    def log_prob(self, before: np.ndarray, actions: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Log probability or any score of next states, the higher the likelier, (rows,)."""
        ...

    def likeliest(self, before: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Predicted next states, (rows, facts)."""
        ...


@dataclass(frozen=True)
class Judged:
    """What came out for one situation."""

    scenario: str
    first: float
    """Probability that the truth is ranked first."""
    reciprocal: float
    """Expected reciprocal rank of the truth."""
    edits: int
    """Facts in which the prediction is wrong."""
    facts: int
    """All facts."""


def judge(model: StateModel, situations: Sequence[Situation]) -> list[Judged]:
    """Rank and predict in every situation."""
    before = np.stack([s.before for s in situations])
    actions = np.array([s.action for s in situations])
    predicted = model.likeliest(before, actions)
    candidates = [
        _distinct(np.concatenate([s.after[None], guess[None], s.mutants]))
        for s, guess in zip(situations, predicted, strict=True)
    ]
    which = np.repeat(np.arange(len(situations)), [len(c) for c in candidates])
    scores = model.log_prob(before[which], actions[which], np.concatenate(candidates))
    judged = []
    for number, (situation, guess) in enumerate(zip(situations, predicted, strict=True)):
        first, reciprocal = rank_of_truth(scores[which == number])
        edits = int((guess != situation.after).sum())
        judged.append(Judged(situation.scenario, first, reciprocal, edits, len(guess)))
    return judged


def rank_of_truth(scores: np.ndarray) -> tuple[float, float]:
    """Chance to be first, and expected reciprocal rank, of the first of some candidates.

    Equal scores (to a millionth) stand in every order with equal probability.
    """
    higher = int((scores > scores[0] + 1e-6).sum())
    equal = int((np.abs(scores - scores[0]) <= 1e-6).sum())
    places = higher + 1 + np.arange(equal)
    return float(higher == 0) / equal, float((1 / places).mean())


def state_measures(name: str, judged: Sequence[Judged]) -> list[Measure]:
    """`rank1/NAME`, `mrr/NAME`, `edits/NAME` and `edit_share/NAME`; scenarios weigh equally."""
    by_scenario: dict[str, list[Judged]] = {}
    for one in judged:
        by_scenario.setdefault(one.scenario, []).append(one)
    parts: Mapping[str, Callable[[Judged], float]] = {
        "rank1": lambda one: one.first,
        "mrr": lambda one: one.reciprocal,
        "edits": lambda one: float(one.edits),
        "edit_share": lambda one: one.edits / one.facts,
    }
    units = {"rank1": "share", "mrr": "reciprocal rank", "edits": "facts", "edit_share": "share"}
    return [
        mean_measure(
            f"{part}/{name}",
            [float(np.mean([read(one) for one in group])) for group in by_scenario.values()],
            units[part],
        )
        for part, read in parts.items()
    ]


class Unmoved(StateModel):
    """Believes that nothing ever changes."""

    def log_prob(self, before: np.ndarray, actions: np.ndarray, after: np.ndarray) -> np.ndarray:
        """0 where nothing changed, −5 elsewhere."""
        return np.where((before == after).all(1), 0.0, -5.0)

    def likeliest(self, before: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """The same states."""
        return before.copy()


class Clueless(StateModel):
    """Scores all states alike and predicts any facts at all.

    Args:
        domains: How many values each fact may have.
        seed: Of its predictions.
    """

    def __init__(self, domains: np.ndarray, seed: int):
        self.domains, self._rng = domains, np.random.default_rng(seed)

    def log_prob(self, before: np.ndarray, actions: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Zero."""
        return np.zeros(len(before))

    def likeliest(self, before: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Anything."""
        return self._rng.integers(self.domains, size=before.shape)


class OneProgram(StateModel):
    """Another model's prediction as a single program that is either right or wrong as a whole.

    Args:
        model: Whose predictions it makes.
    """

    def __init__(self, model: StateModel):
        self.model = model

    def log_prob(self, before: np.ndarray, actions: np.ndarray, after: np.ndarray) -> np.ndarray:
        """0 for exactly the state it predicts, −1 for any other."""
        return np.where((self.likeliest(before, actions) == after).all(1), 0.0, -1.0)

    def likeliest(self, before: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """What the model predicts."""
        return self.model.likeliest(before, actions)


def _distinct(states: np.ndarray) -> np.ndarray:
    """Each state once, in order of first appearance, the truth first."""
    _, first = np.unique(states, axis=0, return_index=True)
    return states[np.sort(first)]
