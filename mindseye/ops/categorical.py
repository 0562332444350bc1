"""Vectors of categoricals: discrete latents of world models (Hafner et al. 2021, 2010.02193)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def unimix(
    logits: Float[Tensor, "*shape classes"], share: float = 0.01
) -> Float[Tensor, "*shape classes"]:
    """Log-probabilities of the categorical mixed with a `share` of the uniform distribution."""
    probability = (1 - share) * logits.float().softmax(-1) + share / logits.shape[-1]
    return probability.log()


def sample_one_hot(log_prob: Float[Tensor, "*shape classes"]) -> Float[Tensor, "*shape classes"]:
    """One-hot sample without gradient, from torch's global generator.

    One uniform number per categorical and its inverse distribution function: a fraction of the
    random numbers that the Gumbel trick would draw.
    """
    cumulative = log_prob.detach().exp().cumsum(-1)
    point = torch.rand_like(cumulative[..., :1]) * cumulative[..., -1:]
    index = (cumulative < point).sum(-1, keepdim=True)
    return torch.zeros_like(log_prob).scatter_(-1, index, 1.0)


def mode_one_hot(log_prob: Float[Tensor, "*shape classes"]) -> Float[Tensor, "*shape classes"]:
    """One-hot of the likeliest class, without gradient."""
    index = log_prob.detach().argmax(-1, keepdim=True)
    return torch.zeros_like(log_prob).scatter_(-1, index, 1.0)


def straight_through(
    one_hot: Float[Tensor, "*shape classes"], log_prob: Float[Tensor, "*shape classes"]
) -> Float[Tensor, "*shape classes"]:
    """Forward the sample, backward the probabilities."""
    probability = log_prob.exp()
    return one_hot + probability - probability.detach()


def kl_divergence(
    log_p: Float[Tensor, "*shape variables classes"],
    log_q: Float[Tensor, "*shape variables classes"],
) -> Float[Tensor, "*shape"]:
    """KL(p ‖ q) in nats, summed over the independent variables."""
    return (log_p.exp() * (log_p - log_q)).sum((-2, -1))


def balanced_kl(
    posterior: Float[Tensor, "*shape variables classes"],
    prior: Float[Tensor, "*shape variables classes"],
    *,
    dynamics_weight: float,
    representation_weight: float,
    free_nats: float,
) -> Float[Tensor, "*shape"]:
    """Pull the prior towards the posterior and, more weakly, the posterior towards the prior.

    Args:
        posterior, prior: Log-probabilities.
        dynamics_weight: Of KL(sg(posterior) ‖ prior).
        representation_weight: Of KL(posterior ‖ sg(prior)).
        free_nats: Each term is clipped from below at this.

    Source: Hafner et al. (2023), arXiv 2301.04104, eq. 5.
    """
    dynamics = kl_divergence(posterior.detach(), prior).clamp(min=free_nats)
    representation = kl_divergence(posterior, prior.detach()).clamp(min=free_nats)
    return dynamics_weight * dynamics + representation_weight * representation


def entropy(log_prob: Float[Tensor, "*shape classes"]) -> Float[Tensor, "*shape"]:
    """Entropy in nats."""
    return -(log_prob.exp() * log_prob).sum(-1)


def cross_entropy(
    logits: Float[Tensor, "*shape classes"], target: Float[Tensor, "*shape classes"]
) -> Float[Tensor, "*shape"]:
    """−Σ target · log softmax(logits), for soft targets."""
    return -(target * functional.log_softmax(logits, -1)).sum(-1)
