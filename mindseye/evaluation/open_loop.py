"""Open-loop error against horizon: how long a dream stays true when nobody corrects it.

Real episodes are cut into windows. The model sees the first `context` observations of a window,
then only the actions that were really taken, and its predictions are compared with what really
happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mindseye.core.episode import Episode
from mindseye.core.errors import DataError
from mindseye.core.protocols import WorldModel
from mindseye.core.tree import Tree, map_tree, stack, take, to_numpy, to_tensor
from mindseye.evaluation.distance import distance, unrelated
from mindseye.evaluation.statistics import spearman

TRUST_BOUND = 0.5
"""Trusted while the error is below this share of the distance between unrelated observations."""


@dataclass(frozen=True)
class OpenLoop:
    """Errors, arrays of shape (windows, horizon); column h is h + 1 steps ahead."""

    observation: np.ndarray
    """Normalised: 0 equal, 1 as wrong as an unrelated real observation."""
    copy_last: np.ndarray
    """The same for predicting that nothing changes."""
    reward: np.ndarray
    """Absolute, in the world's reward unit."""
    termination: np.ndarray
    """|continuation − what happened|."""
    uncertainty: np.ndarray | None
    alive: np.ndarray
    """True where the real episode had not ended before this step."""

    def curve(self, errors: np.ndarray) -> list[float]:
        """Mean over windows still alive, per horizon."""
        counts = self.alive.sum(0)
        total = np.where(self.alive, errors, 0.0).sum(0)
        return [float(t / n) if n else float("nan") for t, n in zip(total, counts, strict=True)]

    def trust_horizon(self, bound: float = TRUST_BOUND) -> int:
        """Largest number of steps for which the mean observation error stays under the bound."""
        for steps, error in enumerate(self.curve(self.observation)):
            if not error <= bound:
                return steps
        return self.observation.shape[1]

    def calibration(self) -> float:
        """Rank correlation of uncertainty with observation error over all living predictions."""
        if self.uncertainty is None:
            return float("nan")
        return spearman(self.uncertainty[self.alive], self.observation[self.alive])

    def coverage(self) -> float:
        """Share of the worst tenth of predictions that the most doubted half contains.

        One half is chance, one is perfect.
        """
        if self.uncertainty is None:
            return float("nan")
        error, doubt = self.observation[self.alive], self.uncertainty[self.alive]
        worst = error >= np.quantile(error, 0.9)
        return float((doubt[worst] >= np.median(doubt)).mean())


def windows(
    episodes: Sequence[Episode], *, context: int, horizon: int, count: int, rng: np.random.Generator
) -> list[tuple[Episode, int]]:
    """Random (episode, first row) pairs with at least one step after the context.

    Raises:
        DataError: If every episode is shorter than the context.
    """
    long_enough = [e for e in episodes if len(e) >= context]
    if not long_enough:
        raise DataError(f"open loop: no episode has {context + 1} observations; lower the context")
    weight = np.array([len(e) - context + 1 for e in long_enough], np.float64)
    chosen = rng.choice(len(long_enough), size=count, p=weight / weight.sum())
    return [
        (long_enough[i], int(rng.integers(max(1, len(long_enough[i]) - context - horizon + 1))))
        for i in chosen
    ]


@torch.inference_mode()
def open_loop(
    model: WorldModel,
    episodes: Sequence[Episode],
    *,
    context: int = 4,
    horizon: int = 30,
    count: int = 64,
    rng: np.random.Generator,
    device: str = "cpu",
) -> OpenLoop:
    """Measure a model on real episodes it was not fitted on.

    Args:
        context: Observations seen before the model is on its own.
        horizon: Steps predicted.
        count: Windows.

    Raises:
        DataError: If every episode is shorter than the context.
    """
    chosen = windows(episodes, context=context, horizon=horizon, count=count, rng=rng)
    observations, actions, rewards, ended, alive = _gather(chosen, context + horizon)
    unit = unrelated(map_tree(lambda x: np.concatenate(list(x)), observations), rng)
    state = model.initial(count)
    zero = map_tree(lambda x: np.zeros_like(x[:, 0]), actions)
    for t in range(context):
        action = take(actions, (slice(None), t - 1)) if t else zero
        seen = to_tensor(take(observations, (slice(None), t)), device)
        is_first = torch.full((count,), t == 0, device=device)
        state = model.observe(state, to_tensor(action, device), seen, is_first)
    last = take(observations, (slice(None), context - 1))
    columns: dict[str, list[np.ndarray]] = {k: [] for k in ("obs", "copy", "rew", "end", "doubt")}
    for t in range(context - 1, context + horizon - 1):
        state = model.imagine(state, to_tensor(take(actions, (slice(None), t)), device))
        said = model.predict(state)
        truth = take(observations, (slice(None), t + 1))
        columns["obs"].append(distance(to_numpy(said.observation), truth) / unit)
        columns["copy"].append(distance(last, truth) / unit)
        columns["rew"].append(np.abs(to_numpy(said.reward) - rewards[:, t]))
        columns["end"].append(np.abs((1 - to_numpy(said.continuation)) - ended[:, t]))
        if said.uncertainty is not None:
            columns["doubt"].append(to_numpy(said.uncertainty))
    made = {name: np.stack(parts, 1) for name, parts in columns.items() if parts}
    return OpenLoop(
        observation=made["obs"],
        copy_last=made["copy"],
        reward=made["rew"],
        termination=made["end"],
        uncertainty=made.get("doubt"),
        alive=alive[:, context - 1 :],
    )


def _gather(
    chosen: list[tuple[Episode, int]], length: int
) -> tuple[Tree, Tree, np.ndarray, np.ndarray, np.ndarray]:
    """Windows as arrays: observations (count, length, ...), the rest (count, length − 1, ...)."""
    observations, actions, rewards, ended, alive = [], [], [], [], []
    for episode, start in chosen:
        rows = np.arange(start, start + length)
        steps = rows[:-1]
        within = steps < len(episode)
        safe = np.minimum(steps, len(episode) - 1)
        observations.append(take(episode.observations, np.minimum(rows, len(episode))))
        actions.append(take(episode.actions, safe))
        rewards.append(episode.rewards[safe])
        ended.append((safe == len(episode) - 1) & episode.terminated)
        alive.append(within)
    return (
        stack(observations),
        stack(actions),
        np.stack(rewards),
        np.stack(ended).astype(np.float64),
        np.stack(alive),
    )
