"""Teaching an agent offline: recorded episodes, and others drawn anew from round to round."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from mindseye.core.batch import Batch
from mindseye.core.episode import Episode
from mindseye.core.run import Run
from mindseye.core.tree import take
from mindseye.experience import collate
from mindseye.learners.offline import IQL, TD3BC, side_by_side


def teach_offline(
    run: Run,
    learner: TD3BC | IQL,
    real: Sequence[Episode],
    *,
    draw: Callable[[int], list[Episode]] | None,
    after: Callable[[int], None],
    updates: int,
    rounds: int,
    real_share: float,
    reward_scale: float = 1.0,
    batch_size: int = 256,
    stage: str = "teach",
) -> None:
    """Update a learner on pairs of neighbouring rows of real and drawn episodes.

    Args:
        draw: Called with the number of a round before it begins; what it returns replaces what was
            drawn before. None: learn from real episodes alone.
        after: Called with the number of every round that is over.
        updates: In all rounds together.
        real_share: Of the pairs of an update, where others are drawn.
        reward_scale: Factor on rewards.
        batch_size: Pairs per update.
    """
    recorded, rng = side_by_side(collate(real)), run.rng("teach_offline")
    for number in range(rounds):
        drawn = None
        if draw is not None:
            run.seed_torch(f"draw/{number}")
            drawn = side_by_side(collate(draw(number)))
        keep = {"learner": learner, "rng": rng}
        for step in run.steps(f"{stage}_{number}", updates // rounds, keep=keep):
            batch = _mixed(recorded, drawn, rng, batch_size, real_share)
            metrics = learner.update({**batch, "reward": reward_scale * batch["reward"]})
            if step % 50 == 0:
                run.log(metrics)
        after(number)


def _mixed(
    recorded: Batch, drawn: Batch | None, rng: np.random.Generator, count: int, share: float
) -> Batch:
    kept = count if drawn is None else round(share * count)
    rows = take(recorded, rng.integers(len(recorded["mask"]), size=kept))
    if drawn is None:
        return rows
    others = take(drawn, rng.integers(len(drawn["mask"]), size=count - kept))
    return {name: torch.cat((leaf, others[name])) for name, leaf in rows.items()}
