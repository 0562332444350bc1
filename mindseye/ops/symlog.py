"""Squashing of unbounded numbers; two-hot coding of scalars (Hafner et al. 2023, 2301.04104)."""

import torch
from jaxtyping import Float
from torch import Tensor


def symlog(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """sign(x) · ln(1 + |x|): compresses large magnitudes, identity near zero. Source: eq. 1."""
    return torch.sign(x) * torch.log1p(torch.abs(x))


def symexp(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Inverse of symlog: sign(x) · (exp|x| − 1)."""
    return torch.sign(x) * torch.expm1(torch.abs(x))


def two_hot(
    x: Float[Tensor, "*shape"], bins: Float[Tensor, " bins"]
) -> Float[Tensor, "*shape bins"]:
    """Weights on the two neighbouring bins whose mean is x; x is clamped to the bins' range.

    Args:
        x: Values in the unit of the bins.
        bins: Strictly increasing.
    """
    x = x.clamp(bins[0], bins[-1]).contiguous()
    above = torch.searchsorted(bins, x).clamp(1, len(bins) - 1)
    below = above - 1
    weight = (x - bins[below]) / (bins[above] - bins[below])
    out = torch.zeros(*x.shape, len(bins), dtype=bins.dtype, device=x.device)
    out.scatter_(-1, below.unsqueeze(-1), (1 - weight).unsqueeze(-1))
    return out.scatter_(-1, above.unsqueeze(-1), weight.unsqueeze(-1))
