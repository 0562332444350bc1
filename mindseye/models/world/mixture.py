"""Mixtures of Gaussians as a prediction head.

    p(x | h) = Σ_k π_k(h) N(x; μ_k(h), σ_k(h)²)

Source: Bishop (1994), "Mixture density networks".
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.errors import ConfigError

MixtureKind = Literal["dimension", "joint"]

LOWEST, HIGHEST = -4.0, 2.0
"""Of the logarithm of a standard deviation: numbers known exactly must not cost −∞ nats."""


class MixtureHead(nn.Module):
    """Features to a mixture over vectors.

    Args:
        inputs: Features.
        size: Numbers of a vector.
        components: Gaussians.
        kind: "dimension": one mixture per number, drawn independently. "joint": one choice of
            component for the whole vector, whose numbers are independent given it.

    Raises:
        ConfigError: If the kind is unknown.
    """

    def __init__(self, inputs: int, size: int, components: int, kind: MixtureKind = "dimension"):
        super().__init__()
        if kind not in ("dimension", "joint"):
            raise ConfigError(f"mixture: no kind {kind!r}; use 'dimension' or 'joint'")
        self.size, self.components, self.is_joint = size, components, kind == "joint"
        choices = components if self.is_joint else size * components
        self.weights = nn.Linear(inputs, choices)
        self.gaussians = nn.Linear(inputs, 2 * size * components)

    def forward(self, features: Float[Tensor, "*lead inputs"]) -> tuple[Tensor, Tensor, Tensor]:
        """Log-weights (..., size or 1, components); means and log-deviations (..., size, ...)."""
        choices = 1 if self.is_joint else self.size
        log_weight = self.weights(features).unflatten(-1, (choices, self.components))
        gaussians = self.gaussians(features).unflatten(-1, (2, self.size, self.components))
        mean, log_deviation = gaussians.unbind(-3)
        return log_weight.log_softmax(-1), mean, log_deviation.clamp(LOWEST, HIGHEST)

    def loss(
        self, features: Float[Tensor, "*lead inputs"], target: Float[Tensor, "*lead size"]
    ) -> Float[Tensor, "*lead"]:
        """Negative log-likelihood, in nats, summed over the vector."""
        log_weight, mean, log_deviation = self(features)
        away = (target.unsqueeze(-1) - mean) * (-log_deviation).exp()
        log_density = -0.5 * away.square() - log_deviation - 0.5 * math.log(2 * math.pi)
        if self.is_joint:
            return -(log_weight.squeeze(-2) + log_density.sum(-2)).logsumexp(-1)
        return -(log_weight + log_density).logsumexp(-1).sum(-1)

    def sample(self, features: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch size"]:
        """One draw per row, from torch's generator."""
        log_weight, mean, log_deviation = self(features)
        # the largest of log-weights plus Gumbel noise is a draw from the weights
        noise = torch.rand_like(log_weight).clamp_(1e-20).log_().neg_().log_()
        chosen = (log_weight - noise).argmax(-1, keepdim=True).expand(-1, self.size, -1)
        mean, log_deviation = mean.gather(-1, chosen), log_deviation.gather(-1, chosen)
        return (mean + torch.randn_like(mean) * log_deviation.exp()).squeeze(-1)
