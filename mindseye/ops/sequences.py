"""Time axes: masked means, and linear recurrences in parallel."""

import torch
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor


def masked_mean(
    x: Float[Tensor, "batch time"], mask: Float[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Mean over the rows whose mask is 1; 0 if there are none."""
    return (x * mask).sum() / mask.sum().clamp(min=1)


def linear_scan(
    decay: Complex[Tensor, "batch time *shape"],
    added: Complex[Tensor, "batch time *shape"],
    start: Complex[Tensor, "batch *shape"],
) -> Complex[Tensor, "batch time *shape"]:
    """x_t = decay_t · x_{t−1} + added_t with x_{−1} = start, in log2(time) passes.

    A decay of zero resets the recurrence.
    """
    first = added[:, :1] + decay[:, :1] * start.unsqueeze(1)
    x, a = torch.cat((first, added[:, 1:]), 1), decay
    reach, steps = 1, added.shape[1]
    while reach < steps:
        x = torch.cat((x[:, :reach], x[:, reach:] + a[:, reach:] * x[:, :-reach]), 1)
        a = torch.cat((a[:, :reach], a[:, reach:] * a[:, :-reach]), 1)
        reach *= 2
    return x


def episode_ids(is_first: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """Running count of episode starts, so that equal ids mean the same episode."""
    return is_first.cumsum(1)


def histories(
    is_first: Bool[Tensor, "batch time"], length: int
) -> tuple[Int[Tensor, "batch time length"], Bool[Tensor, "batch time"]]:
    """Which rows lie before each row, oldest first, and whether they are all known.

    A history that reaches back beyond the first row of its episode repeats that row instead. It is
    known unless the segment begins inside the episode and too late. Rows with `is_first` have none.

    Returns:
        Row numbers, and where they can be used.
    """
    steps = is_first.shape[1]
    rows = torch.arange(steps, device=is_first.device)
    begun = torch.where(is_first, rows, -1).cummax(1).values
    before = torch.cat((torch.full_like(begun[:, :1], -1), begun[:, :-1]), 1)
    wanted = rows.unsqueeze(-1) - length + torch.arange(length, device=is_first.device)
    index = torch.maximum(wanted.expand(len(is_first), -1, -1), before.unsqueeze(-1))
    known = (index[..., 0] >= 0) & ~is_first & (rows > 0)
    return index.clamp(min=0), known
