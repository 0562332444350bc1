"""Single steps drawn from whole episodes, each with what lies before it."""

import numpy as np
import torch

from mindseye.core.batch import Batch
from mindseye.core.tree import take


def steps_with_past(batch: Batch, rng: np.random.Generator, count: int, past: int) -> Batch:
    """Steps drawn with equal chances, each as a segment that ends with it; only the end has a mask.

    Where the past reaches back before the episode, its first row is repeated as a first row.

    Args:
        batch: Whole episodes side by side, as `collate` makes them.
        count: Of steps.
        past: Rows before each.

    Returns:
        `observation`, `action`, `is_first` and `mask`, leaves (count, past + 1, ...).
    """
    row, time = batch["mask"][:, 1:].nonzero(as_tuple=True)
    drawn = torch.from_numpy(rng.integers(len(row), size=count))
    wanted = time[drawn, None] + 1 + torch.arange(-past, 1)
    where = row[drawn, None], wanted.clamp(min=0)
    found = {name: take(batch[name], where) for name in ("observation", "action")}
    last = torch.zeros(wanted.shape)
    last[:, -1] = 1
    return {**found, "is_first": wanted <= 0, "mask": last}
