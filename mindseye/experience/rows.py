"""Episodes as rows in the arrival convention of `core.batch`, and back.

An episode of T actions gives T + 1 rows. Row 0 is the first observation, with a zero action and a
zero reward; row t + 1 is where action t led. What an agent recorded about action t (log_prob,
thought, ...) sits beside that action, on row t + 1.
"""

from typing import Any

import numpy as np

from mindseye.core.batch import ORIGINS
from mindseye.core.episode import Episode, Origin
from mindseye.core.task import Task
from mindseye.core.tree import Tree, map_tree

OWN = ("observation", "action", "reward", "continuation", "is_first", "origin")
"""Fields every row has; any other field is an extra of the agent."""


def arrivals(episode: Episode) -> dict[str, Tree]:
    """Rows of an episode: a tree per field, leaves start with T + 1."""
    rows = len(episode) + 1
    continuation = np.ones(rows, np.float32)
    continuation[-1] = 0.0 if episode.terminated else 1.0
    is_first = np.zeros(rows, bool)
    is_first[0] = True
    return {
        "observation": map_tree(_as_rows, episode.observations),
        "action": map_tree(after_blank, episode.actions),
        "reward": after_blank(np.asarray(episode.rewards, np.float32)),
        "continuation": continuation,
        "is_first": is_first,
        "origin": np.full(rows, ORIGINS.index(episode.origin.kind), np.uint8),
        **{name: map_tree(after_blank, tree) for name, tree in episode.extras.items()},
    }


def departures(
    rows: dict[str, Tree],
    *,
    origin: Origin,
    truncated: bool,
    task: Task | None = None,
    stop_reason: str = "",
    error: str | None = None,
) -> Episode:
    """Inverse of arrivals; the keywords are what rows do not say."""
    extras = {name: map_tree(_skip_first, tree) for name, tree in rows.items() if name not in OWN}
    return Episode(
        observations=rows["observation"],
        actions=map_tree(_skip_first, rows["action"]),
        rewards=rows["reward"][1:],
        terminated=bool(rows["continuation"][-1] == 0),
        truncated=truncated,
        origin=origin,
        task=task,
        extras=extras,
        stop_reason=stop_reason,
        error=error,
    )


def after_blank(leaf: Any) -> Any:
    """The leaf with one row of zeros (or an empty text) before it."""
    if _is_texts(leaf):
        return ["", *leaf]
    leaf = np.asarray(leaf)
    return np.concatenate([np.zeros((1, *leaf.shape[1:]), leaf.dtype), leaf])


def _as_rows(leaf: Any) -> Any:
    return list(leaf) if _is_texts(leaf) else np.asarray(leaf)


def _is_texts(leaf: Any) -> bool:
    return isinstance(leaf, list) and (not leaf or isinstance(leaf[0], str))


def _skip_first(leaf: Any) -> Any:
    return leaf[1:]
