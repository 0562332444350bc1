"""Which segments to learn from: small strategies a `Replay` is given.

Each draws start rows from `Starts` and may add fields to the batch.
"""

import warnings
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mindseye.core.errors import CheckpointError, ConfigError, SpecError
from mindseye.experience.starts import Starts
from mindseye.experience.sumtree import SumTree

Draw = tuple[np.ndarray, dict[str, np.ndarray]]


@runtime_checkable
class Strategy(Protocol):
    """Chooses the segments of a batch."""

    def draw(self, starts: Starts, batch_size: int, rng: np.random.Generator) -> Draw:
        """Start rows, and fields to add to the batch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on exactly."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from state_dict."""
        ...


class Uniform(Strategy):
    """Every start is as likely as any other."""

    def draw(self, starts: Starts, batch_size: int, rng: np.random.Generator) -> Draw:
        """Start rows; no fields."""
        return starts.rows(rng.integers(0, len(starts), batch_size)), {}

    def state_dict(self) -> dict[str, Any]:
        """Nothing to remember."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to restore."""


class Recency(Strategy):
    """The older, the less likely: exponentially, by age in rows.

    Args:
        half_life: Age at which a start is half as likely as the newest, in rows.
    """

    def __init__(self, half_life: float):
        if not half_life > 0:
            raise ConfigError(f"Recency: expected half_life above 0, got {half_life}")
        self.half_life = half_life

    def draw(self, starts: Starts, batch_size: int, rng: np.random.Generator) -> Draw:
        """Start rows; no fields."""
        # Inverse of the exponential's cumulative distribution, cut off at the oldest start.
        oldest = -np.expm1(-np.log(2) * len(starts) / self.half_life)
        age = -np.log1p(-rng.random(batch_size) * oldest) * self.half_life / np.log(2)
        age = np.minimum(age.astype(np.int64), len(starts) - 1)
        return starts.rows(len(starts) - 1 - age), {}

    def state_dict(self) -> dict[str, Any]:
        """Nothing to remember."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to restore."""


class SuccessShare(Strategy):
    """A fixed share of segments from episodes that went well; the others uniformly.

    Args:
        share: Share of each batch, in [0, 1]; rounded to the nearest count.
        above: An episode went well if its total reward is greater than this, in reward units.
    """

    def __init__(self, share: float = 0.25, *, above: float = 0.0):
        if not 0 <= share <= 1:
            raise ConfigError(f"SuccessShare: expected share in [0, 1], got {share}")
        self.share, self.above = share, above
        self._warned = False
        self._seen: Starts | None = None
        self._successes = np.zeros(0, np.int64)

    def draw(self, starts: Starts, batch_size: int, rng: np.random.Generator) -> Draw:
        """Start rows, those in successful episodes first; no fields."""
        wanted = round(self.share * batch_size)
        rows = starts.rows(rng.integers(0, len(starts), batch_size))
        first, steps = self._find(starts)
        if not len(first):
            self._warn(len(starts.episodes))
            return rows, {}
        ends = np.cumsum(steps)
        step = rng.integers(0, ends[-1], wanted)
        episode = np.searchsorted(ends, step, side="right")
        rows[:wanted] = starts.clamp(first[episode] + step - (ends - steps)[episode])
        return rows, {}

    def _find(self, starts: Starts) -> tuple[np.ndarray, np.ndarray]:
        if starts is not self._seen:
            went_well = starts.episodes["total_reward"] > self.above
            self._successes = np.flatnonzero(went_well & (starts.episodes["rows"] > 1))
            self._seen = starts
        chosen = starts.episodes[self._successes]
        return chosen["start"], chosen["rows"] - 1

    def _warn(self, count: int) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(f"no successful episode among {count}; sampling uniformly", stacklevel=4)

    def state_dict(self) -> dict[str, Any]:
        """Whether it has warned."""
        return {"warned": self._warned}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from state_dict."""
        self._warned = bool(state["warned"])


class Prioritised(Strategy):
    """Starts in proportion to how much was to be learned there last time.

        P(i) = p_i^α / Σ p^α,   weight_i = (N · P(i))^−β / max weight

    Batches gain `index` (batch,), the start rows to hand back to `update_priorities`, and `weight`
    (batch, time). New rows get the greatest priority so far. A row at which no segment can start
    counts for the nearest start before it.

    Args:
        exponent: α; 0 is uniform.
        correction: β; 1 corrects the bias in full.

    Source: Schaul et al. (2016), arXiv 1511.05952, eq. 1 and section 3.4.
    """

    def __init__(self, *, exponent: float = 0.6, correction: float = 0.4):
        self.exponent, self.correction = exponent, correction
        self._tree = SumTree()
        self._first = self._stop = 0
        self._greatest = 1.0

    def draw(self, starts: Starts, batch_size: int, rng: np.random.Generator) -> Draw:
        """Start rows; fields index and weight."""
        self._follow(int(starts.first[0]), starts.stop)
        if self._tree.total <= 0:
            rows = starts.rows(rng.integers(0, len(starts), batch_size))
            weight = np.ones(batch_size, np.float32)
        else:
            found = self._tree.find(rng.random(batch_size) * self._tree.total)
            weight = (len(starts) * self._tree.get(found) / self._tree.total) ** -self.correction
            rows = starts.clamp(found)
        weight = np.repeat((weight / weight.max()).astype(np.float32)[:, None], starts.length, 1)
        return rows, {"index": rows, "weight": weight}

    def _follow(self, first: int, stop: int) -> None:
        if stop < self._stop:
            self._tree.set(np.arange(stop, self._stop), 0.0)
        self._tree.set(np.arange(max(first, self._stop), stop), self._greatest)
        self._tree.set(np.arange(self._first, min(first, self._stop)), 0.0)
        self._first, self._stop = first, stop

    def update_priorities(self, index: np.ndarray, priority: np.ndarray) -> None:
        """Set what was learned at starts.

        Args:
            index: As in the batch.
            priority: At least 0, e.g. the size of an error; any unit. Same length as index.

        Raises:
            SpecError: If a priority is negative or not finite, or lengths differ.
        """
        index, priority = np.asarray(index), np.asarray(priority, np.float64)
        if index.shape != priority.shape or not (np.isfinite(priority) & (priority >= 0)).all():
            raise SpecError("update_priorities: expected one finite priority >= 0 for every index")
        still = (index >= self._first) & (index < self._stop)
        weights = priority[still] ** self.exponent
        self._tree.set(index[still], weights)
        self._greatest = max(self._greatest, float(weights.max(initial=0.0)))

    def state_dict(self) -> dict[str, Any]:
        """Priorities of all rows."""
        weights = self._tree.get(np.arange(self._first, self._stop))
        return {"first": self._first, "weights": weights, "greatest": self._greatest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from state_dict.

        Raises:
            CheckpointError: If the state is of another strategy.
        """
        if "weights" not in state:
            raise CheckpointError("Prioritised: the checkpoint holds no priorities")
        self._tree = SumTree()
        self._first = int(state["first"])
        self._stop = self._first + len(state["weights"])
        self._tree.set(np.arange(self._first, self._stop), np.asarray(state["weights"]))
        self._greatest = float(state["greatest"])
