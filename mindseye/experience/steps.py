"""Steps drawn from whole episodes, each with what lies before it."""

import numpy as np
import torch

from mindseye.core.batch import Batch
from mindseye.core.tree import take


def steps_with_past(
    batch: Batch, rng: np.random.Generator, count: int, past: int, *, ahead: int = 1
) -> Batch:
    """Steps drawn with equal chances, as segments with what came before and what came after.

    Where the past reaches back before the episode, its first row is repeated as a first row. Rows
    of the past, and those behind the episode's end, have no mask.

    Args:
        batch: Whole episodes side by side, as `collate` makes them.
        count: Of segments.
        past: Rows before each drawn step.
        ahead: Rows from the drawn step on.

    Returns:
        `observation`, `action`, `is_first` and `mask`, leaves (count, past + ahead, ...).
    """
    row, time = batch["mask"][:, 1:].nonzero(as_tuple=True)
    drawn = torch.from_numpy(rng.integers(len(row), size=count))
    wanted = time[drawn, None] + 1 + torch.arange(-past, ahead)
    last = batch["mask"].sum(1).long()[row[drawn], None] - 1
    where = row[drawn, None], torch.minimum(wanted.clamp(min=0), last)
    found = {name: take(batch[name], where) for name in ("observation", "action")}
    mask = (wanted <= last).float()
    mask[:, :past] = 0
    return {**found, "is_first": wanted <= 0, "mask": mask}
