"""What counts as success, decided once from real data and then applied to dreams, too."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mindseye.core.episode import Episode


@dataclass(frozen=True)
class Success:
    """Either a return of at least `least_return`, or one step paying at least `least_reward`.

    The second is for sparse rewards: in a dream, many tiny predicted rewards must not add up to a
    success that no single step announced.
    """

    least_return: float | None = None
    least_reward: float | None = None

    def __call__(self, episode: Episode) -> bool:
        """Whether an episode passes."""
        if self.least_return is not None:
            return episode.total_reward >= self.least_return
        if self.least_reward is not None:
            return bool(len(episode)) and float(episode.rewards.max()) >= self.least_reward
        return False

    def __str__(self) -> str:
        if self.least_return is not None:
            return f"return of at least {self.least_return:g}"
        if self.least_reward is not None:
            return f"a step that pays at least {self.least_reward:.3g}"
        return "undefined: no reward threshold is known and no reward was ever positive"


def success_from(threshold: float | None, episodes: Iterable[Episode]) -> Success:
    """The world's own reward threshold where it has one, else half the least positive reward seen.

    Args:
        threshold: `reward_threshold` of the world's Gymnasium spec.
        episodes: Real experience.
    """
    if threshold is not None:
        return Success(least_return=threshold)
    positive = [e.rewards[e.rewards > 0] for e in episodes]
    seen = np.concatenate(positive) if positive else np.zeros(0)
    # a world that pays at most steps is not sparse, and no single reward means success
    is_sparse = len(seen) and sum(len(p) <= 1 for p in positive) >= 0.5 * len(positive)
    return Success(least_reward=float(seen.min()) / 2) if is_sparse else Success()
