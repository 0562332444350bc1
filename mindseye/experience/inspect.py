"""What is in a store, in numbers, and what looks wrong with it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from mindseye.core.episode import Episode
from mindseye.core.protocols import Experience
from mindseye.core.tree import named_leaves
from mindseye.experience.replay import Replay


def describe(experience: Experience) -> dict[str, Any]:
    """Read every episode and count.

    Returns:
        JSON-ready: `episodes`, `steps`, `observation` and `action` (dtype and shape per leaf),
        `return` and `length` (mean and quantiles), `success_share` (of episodes with a total reward
        above 0), `terminated_share`, `actions` (shares of choices, or the range of numbers),
        `origins`, `stop_reasons`, `errors`, and `warnings`, texts.
    """
    survey = _Survey()
    for episode in experience:
        survey.look(episode)
    damaged = experience.damaged if isinstance(experience, Replay) else {}
    return survey.summary(damaged)


def describe_text(description: Mapping[str, Any]) -> str:
    """A description as lines to read."""
    lines = []
    for name, value in description.items():
        if isinstance(value, dict):
            parts = (f"{key or 'value'} {_short(part)}" for key, part in value.items())
            lines.append(f"{name:18}{', '.join(parts) or 'none'}")
        elif name != "warnings":
            lines.append(f"{name:18}{_short(value)}")
    lines += [f"warning: {text}" for text in description["warnings"]]
    return "\n".join(lines)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_short(part)}" for key, part in value.items()) + ")"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class _Survey:
    """Counts so far."""

    def __init__(self):
        self._returns: list[float] = []
        self._lengths: list[int] = []
        self._rewards: set[float] = set()
        self._counts = {name: Counter() for name in ("origins", "stop_reasons", "errors")}
        self._terminated = 0
        self._choices: dict[str, Counter] = {}
        self._ranges: dict[str, tuple[float, float]] = {}
        self._leaves: dict[str, dict[str, str]] = {}

    def look(self, episode: Episode) -> None:
        """Count an episode."""
        self._returns.append(episode.total_reward)
        self._lengths.append(len(episode))
        if len(self._rewards) < 2:
            self._rewards.update(np.unique(episode.rewards).tolist()[:2])
        self._terminated += episode.terminated
        self._counts["origins"][f"{episode.origin.kind} {episode.origin.world}"] += 1
        self._counts["stop_reasons"][episode.stop_reason or "not said"] += 1
        if episode.error:
            self._counts["errors"][episode.error.splitlines()[-1]] += 1
        if not self._leaves:
            self._leaves = {
                "observation": _shapes(episode.observations),
                "action": _shapes(episode.actions),
            }
        for name, leaf in named_leaves(episode.actions):
            self._look_at_actions(name, leaf)

    def _look_at_actions(self, name: str, leaf: Any) -> None:
        if isinstance(leaf, list):
            self._choices.setdefault(name, Counter()).update(leaf)
        elif len(leaf) and np.asarray(leaf).dtype.kind in "iub":
            rows = np.asarray(leaf).reshape(len(leaf), -1)
            for place in range(rows.shape[1]):
                key = f"{name}[{place}]" if np.ndim(leaf) > 1 else name
                values, counts = np.unique(rows[:, place], return_counts=True)
                found = dict(zip(map(str, values.tolist()), counts.tolist(), strict=True))
                self._choices.setdefault(key, Counter()).update(found)
        elif len(leaf):
            low, high = self._ranges.get(name, (np.inf, -np.inf))
            self._ranges[name] = (min(low, float(leaf.min())), max(high, float(leaf.max())))

    def summary(self, damaged: Mapping[int, str]) -> dict[str, Any]:
        """Everything counted."""
        returns = np.array(self._returns)
        count = max(len(returns), 1)
        choices = {name: _shares(counter) for name, counter in self._choices.items()}
        ranges = {name: {"low": a, "high": b} for name, (a, b) in self._ranges.items()}
        return {
            "episodes": len(returns),
            "steps": int(sum(self._lengths)),
            **(self._leaves or {"observation": {}, "action": {}}),
            "return": _spread(self._returns),
            "length": _spread(self._lengths),
            "success_share": float((returns > 0).sum() / count),
            "terminated_share": self._terminated / count,
            "actions": choices | ranges,
            **{name: dict(counter) for name, counter in self._counts.items()},
            "warnings": list(self._warnings(returns, choices, damaged)),
        }

    def _warnings(self, returns: np.ndarray, choices: dict, damaged: Mapping[int, str]):
        if not len(returns):
            yield "no episodes"
            return
        if not (returns > 0).any():
            yield f"no successful episode among {len(returns)}: no total reward is above 0"
        if len(self._rewards) == 1:
            yield f"every reward is {next(iter(self._rewards)):g}: nothing to learn from them"
        for name, shares in choices.items():
            if len(shares) == 1:
                yield f"action{' ' + name if name else ''} is always {next(iter(shares))}"
        if self._counts["errors"]:
            yield f"{sum(self._counts['errors'].values())} episodes ended in an error"
        for number, cause in damaged.items():
            yield f"episode {number} is damaged: {cause}"


def _shapes(tree: Any) -> dict[str, str]:
    return {
        name: "text" if isinstance(leaf, list) else f"{leaf.dtype} {tuple(leaf.shape[1:])}"
        for name, leaf in named_leaves(tree)
    }


def _shares(counter: Counter) -> dict[str, float]:
    total = sum(counter.values())
    return {value: count / total for value, count in sorted(counter.items())}


def _spread(values: list) -> dict[str, float]:
    if not values:
        return {}
    quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    names = ["least", "quarter", "median", "three_quarters", "greatest"]
    return {"mean": float(np.mean(values)), **dict(zip(names, quantiles, strict=True))}
