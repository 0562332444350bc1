"""Advantages of attempts at the same task, measured against each other."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def group_mean(
    value: Float[Tensor, " attempts"], group: Int[Tensor, " attempts"]
) -> Float[Tensor, " attempts"]:
    """The mean of every attempt's own group."""
    total, size = _sums(value, group)
    return total / size


def group_variance(
    return_: Float[Tensor, " attempts"], group: Int[Tensor, " attempts"]
) -> Float[Tensor, " attempts"]:
    """V = (1/n) Σ (r_i − r̄)² of every attempt's own group: how much there is to learn from it."""
    return group_mean((return_ - group_mean(return_, group)).square(), group)


def has_contrast(
    return_: Float[Tensor, " attempts"], group: Int[Tensor, " attempts"]
) -> Bool[Tensor, " attempts"]:
    """Whether the attempts of a group differ; those that do not teach nothing."""
    return group_variance(return_, group) > 1e-8


def group_normalised(
    return_: Float[Tensor, " attempts"], group: Int[Tensor, " attempts"]
) -> Float[Tensor, " attempts"]:
    """A_i = (r_i − r̄) / std(r), 0 in groups whose attempts do not differ.

    Source: Shao et al. (2024), arXiv 2402.03300, section 4.1.2.
    """
    variance = group_variance(return_, group)
    centred = return_ - group_mean(return_, group)
    return torch.where(variance > 1e-8, centred / variance.clamp(min=1e-8).sqrt(), 0.0)


def leave_one_out(
    return_: Float[Tensor, " attempts"], group: Int[Tensor, " attempts"]
) -> Float[Tensor, " attempts"]:
    """A_i = r_i − the mean of the group's other attempts; 0 for one that is alone.

    Source: Kool, van Hoof and Welling (2019), "Buy 4 REINFORCE samples, get a baseline for free!".
    """
    total, size = _sums(return_, group)
    others = (total - return_) / (size - 1).clamp(min=1)
    return torch.where(size > 1, return_ - others, 0.0)


def _sums(value: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
    """Total and size of every attempt's own group."""
    _, place = group.unique(return_inverse=True)
    totals = value.new_zeros(len(value)).index_add_(0, place, value)
    sizes = value.new_zeros(len(value)).index_add_(0, place, torch.ones_like(value))
    return totals[place], sizes[place]
