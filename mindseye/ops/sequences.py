"""Time axes: masked means, and linear recurrences in parallel."""

import torch
from jaxtyping import Bool, Complex, Float
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
