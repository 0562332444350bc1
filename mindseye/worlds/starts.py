"""Where dreams begin: short contexts of real experience, or given first observations."""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import create_empty_array

from mindseye.core import tree
from mindseye.core.errors import DataError
from mindseye.core.protocols import Experience
from mindseye.core.tree import Tree

Starts = Callable[[int, np.random.Generator], Mapping[str, Any]]
"""Called with a count and a generator; returns `observation`, `action` and `is_first`, leaves
(count, context, ...), as arrivals (see `core.batch`). A dream begins in the last row."""

_TRIES = 100


def starts_from(experience: Experience, *, context: int = 1, first_only: bool = False) -> Starts:
    """Contexts drawn from experience; none ends where an episode terminated.

    Args:
        context: Observations seen before the dream begins, at least 1.
        first_only: Take the first `context` observations of episodes only.

    Raises:
        DataError: When called, if the experience holds no such context.
    """
    if first_only:
        return _Beginnings(experience, context)

    def starts(n: int, rng: np.random.Generator) -> Mapping[str, Any]:
        return _sampled(experience, context, n, rng)

    return starts


def first_observations(observations: Tree, action_space: gymnasium.Space) -> Mapping[str, Any]:
    """Contexts of one row each: the given batch of first observations."""
    n = tree.batch_size(observations)
    return {
        "observation": tree.map_tree(_with_time, observations),
        "action": tree.map_tree(_with_time, create_empty_array(action_space, n)),
        "is_first": np.ones((n, 1), np.bool_),
    }


def _sampled(
    experience: Experience, context: int, n: int, rng: np.random.Generator
) -> Mapping[str, Any]:
    parts, found = [], 0
    for _ in range(_TRIES):
        batch = experience.sample(n, context, rng)
        alive = np.ones(n, np.bool_)
        for field in ("mask", "continuation"):
            if field in batch:
                alive &= np.asarray(batch[field])[:, -1] > 0
        rows = np.flatnonzero(alive)[: n - found]
        wanted = {field: batch[field] for field in ("observation", "action", "is_first")}
        # Taking rows copies, and must: the store reuses its buffers.
        parts.append(tree.take(wanted, rows))
        found += len(rows)
        if found == n:
            return tree.concatenate(parts)
    raise DataError(
        f"starts_from: only {found} of {n} contexts of {context} observations go on after"
        f" {_TRIES} tries; add longer episodes or shorten the context"
    )


class _Beginnings:
    """The first observations of every episode, gathered again when the experience has grown."""

    def __init__(self, experience: Experience, context: int):
        self.experience, self.context = experience, context
        self.seen = -1
        self.contexts: Tree = None

    def __call__(self, n: int, rng: np.random.Generator) -> Mapping[str, Any]:
        if len(self.experience) != self.seen:
            self.contexts, self.seen = self._gather(), len(self.experience)
        return tree.take(self.contexts, rng.integers(tree.batch_size(self.contexts), size=n))

    def _gather(self) -> Tree:
        taken = self.context - 1
        contexts = []
        for episode in self.experience:
            if len(episode) >= self.context:
                actions = tree.take(episode.actions, slice(0, max(taken, 1)))
                before = tree.map_tree(_blank, tree.take(actions, slice(0, 1)))
                actions = tree.concatenate([before, actions]) if taken else before
                contexts.append(
                    {
                        "observation": tree.take(episode.observations, slice(0, self.context)),
                        "action": actions,
                        "is_first": np.arange(self.context) == 0,
                    }
                )
        if not contexts:
            raise DataError(
                f"starts_from: no episode has {self.context} observations before its last;"
                " add episodes or shorten the context"
            )
        return tree.stack(contexts)


def _blank(leaf: Any) -> Any:
    return [""] * len(leaf) if isinstance(leaf, list) else np.zeros_like(leaf)


def _with_time(leaf: Any) -> Any:
    return [[text] for text in leaf] if isinstance(leaf, list) else np.asarray(leaf)[:, None]
