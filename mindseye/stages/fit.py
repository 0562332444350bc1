"""A world model from experience."""

import numpy as np

from mindseye.core.errors import DataError
from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.experience import Replay, SuccessShare
from mindseye.learners.model_fitting import ModelFitting


def reward_limits(replay: Replay) -> tuple[float, float]:
    """Least and greatest reward recorded, 0 included: the range a model must be able to say.

    Raises:
        DataError: If there is no episode.
    """
    rewards = [e.rewards for e in replay if len(e)]
    if not rewards:
        raise DataError(f"{replay.folder}: holds no episode with a step; collect some first")
    low = min(0.0, min(float(r.min()) for r in rewards))
    high = max(0.0, max(float(r.max()) for r in rewards))
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def fit(
    run: Run,
    fitting: ModelFitting,
    replay: Replay,
    *,
    updates: int,
    batch_size: int,
    length: int,
    success_share: float = 0.25,
    stage: str = "fit",
) -> None:
    """Update a model on segments that never cross from one episode into the next.

    Args:
        updates: Gradient steps.
        batch_size, length: Segments per step, and their rows.
        success_share: Of segments drawn from episodes with a positive return.
    """
    replay.strategy = SuccessShare(success_share)
    rng = run.rng(stage)
    length = min(length, longest(replay))
    for _ in run.steps(stage, updates, keep={"fitting": fitting, "rng": rng}):
        batch = replay.sample(batch_size, length, rng, crossing=False)
        metrics = fitting.update(to_tensor(batch, run.device))
        run.log(metrics)


def longest(replay: Replay) -> int:
    """Rows of the longest episode."""
    return int(max(np.fromiter((len(e) + 1 for e in replay), int)))
