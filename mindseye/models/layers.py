"""Small networks shared by encoders, heads and dynamics."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye import ops


class Dense(nn.Sequential):
    """Linear, LayerNorm, SiLU, `layers` times (LayerNorm is one fused kernel on CPUs)."""

    def __init__(self, inputs: int, units: int, layers: int = 1):
        parts: list[nn.Module] = []
        for index in range(layers):
            parts += [nn.Linear(units if index else inputs, units), nn.LayerNorm(units), nn.SiLU()]
        super().__init__(*parts)


def mlp(inputs: int, units: int, layers: int, outputs: int, *, zero: bool = False) -> nn.Sequential:
    """Hidden layers and a linear read-out; `zero` starts the read-out at exactly 0."""
    last = nn.Linear(units, outputs)
    if zero:
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    return nn.Sequential(Dense(inputs, units, layers), last)


class ScalarHead(nn.Module):
    """Distribution over a scalar as two-hot classes on symlog-spaced bins.

    Args:
        inputs, units, layers: Sizes.
        limits: Least and greatest value the head can say, in the scalar's own unit.
        bins: Number of classes.
    """

    bins: Tensor

    def __init__(
        self, inputs: int, units: int, layers: int, *, limits: Sequence[float], bins: int = 63
    ):
        super().__init__()
        self.net = mlp(inputs, units, layers, bins, zero=True)
        # on the CPU even where the head is only laid out on the meta device
        ends = torch.tensor([float(limits[0]), float(limits[1])], device="cpu")
        low, high = ops.symlog(ends)
        self.register_buffer("bins", torch.linspace(float(low), float(high), bins))

    def forward(self, features: Float[Tensor, "*lead features"]) -> Float[Tensor, "*lead"]:
        """Mean, in the scalar's own unit."""
        probability = self.net(features).float().softmax(-1)
        return probability @ ops.symexp(self.bins)

    def loss(
        self, features: Float[Tensor, "*lead features"], *targets: Float[Tensor, "*lead"]
    ) -> Float[Tensor, "*lead"]:
        """Cross-entropy against two-hot targets, whose means are the targets; summed over them."""
        values = ops.symexp(self.bins)
        hot = torch.stack([ops.two_hot(target, values) for target in targets]).sum(0)
        return ops.cross_entropy(self.net(features).float(), hot)


class BinaryHead(nn.Module):
    """Probability of an event."""

    def __init__(self, inputs: int, units: int, layers: int):
        super().__init__()
        self.net = mlp(inputs, units, layers, 1)

    def forward(self, features: Float[Tensor, "*lead features"]) -> Float[Tensor, "*lead"]:
        """Probability in [0, 1]."""
        return self.net(features).float().squeeze(-1).sigmoid()

    def loss(
        self, features: Float[Tensor, "*lead features"], target: Float[Tensor, "*lead"]
    ) -> Float[Tensor, "*lead"]:
        """Binary cross-entropy in nats."""
        logit = self.net(features).float().squeeze(-1)
        return functional.binary_cross_entropy_with_logits(logit, target, reduction="none")
