"""Encoders and decoders for the leaves of observation spaces.

An encoder turns (rows, ...) observations into (rows, size) floats. A decoder turns (rows, features)
into `loss(features, observation) -> (rows,)` in nats and `mode(features) -> observation`.
"""

import math

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye import ops
from mindseye.core.errors import SpecError
from mindseye.models.layers import Dense, mlp

SMALLEST_IMAGE = 16
"""A uint8 Box (height, width, channels) at least this high and wide is treated as an image."""


class ClassesEncoder(nn.Module):
    """Discrete and MultiDiscrete: one learned vector per variable and class, summed."""

    def __init__(self, counts: np.ndarray, units: int):
        super().__init__()
        self.table = nn.Embedding(int(counts.sum()), units)
        nn.init.normal_(self.table.weight, std=1 / math.sqrt(counts.size))
        offsets = np.cumsum(counts) - counts
        self.register_buffer("offsets", torch.from_numpy(offsets), persistent=False)
        self.tail = nn.Sequential(nn.LayerNorm(units), nn.SiLU(), Dense(units, units))
        self.size = units

    def forward(self, x: Tensor) -> Float[Tensor, "rows size"]:
        """Encode integers of shape (rows, ...)."""
        index = x.reshape(len(x), -1).long() + self.offsets
        return self.tail(functional.embedding_bag(index, self.table.weight, mode="sum"))


class ClassesDecoder(nn.Module):
    """Independent categoricals, grouped by their number of classes so that each group is one op."""

    def __init__(self, counts: np.ndarray, start: int, shape: tuple, features: int, units: int):
        super().__init__()
        self.counts, self.start, self.shape = counts, start, shape
        self.groups = [(int(n), np.flatnonzero(counts == n)) for n in np.unique(counts)]
        self.net = mlp(features, units, 1, int(counts.sum()))

    def _logits(self, features: Tensor) -> list[Tensor]:
        widths = [n * len(where) for n, where in self.groups]
        parts = self.net(features).float().split(widths, -1)
        return [p.unflatten(-1, (-1, n)) for p, (n, _) in zip(parts, self.groups, strict=True)]

    def loss(self, features: Float[Tensor, "rows features"], x: Tensor) -> Float[Tensor, " rows"]:
        """Summed cross-entropy of all variables, in nats."""
        x = x.reshape(len(x), -1).long() - self.start
        total = features.new_zeros(len(x), dtype=torch.float32)
        for logits, (_, where) in zip(self._logits(features), self.groups, strict=True):
            flat = functional.cross_entropy(
                logits.flatten(0, 1), x[:, where].flatten(), reduction="none"
            )
            total = total + flat.view(len(x), -1).sum(1)
        return total

    def mode(self, features: Float[Tensor, "rows features"]) -> Tensor:
        """Likeliest class of every variable, int64."""
        out = torch.empty(len(features), self.counts.size, dtype=torch.long, device=features.device)
        for logits, (_, where) in zip(self._logits(features), self.groups, strict=True):
            out[:, where] = logits.argmax(-1)
        return out.reshape(len(features), *self.shape) + self.start


class BitsEncoder(nn.Module):
    """MultiBinary."""

    def __init__(self, bits: int, units: int):
        super().__init__()
        self.net, self.size = Dense(bits, units, 2), units

    def forward(self, x: Tensor) -> Float[Tensor, "rows size"]:
        """Encode 0/1 of shape (rows, ...)."""
        return self.net(x.reshape(len(x), -1).float())


class BitsDecoder(nn.Module):
    """Independent Bernoullis."""

    def __init__(self, shape: tuple, features: int, units: int):
        super().__init__()
        self.shape = shape
        self.net = mlp(features, units, 1, int(np.prod(shape)))

    def loss(self, features: Float[Tensor, "rows features"], x: Tensor) -> Float[Tensor, " rows"]:
        """Summed binary cross-entropy, in nats."""
        target = x.reshape(len(x), -1).float()
        logits = self.net(features).float()
        return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)

    def mode(self, features: Float[Tensor, "rows features"]) -> Tensor:
        """Likelier bit, int8."""
        return (self.net(features) > 0).to(torch.int8).reshape(len(features), *self.shape)


class VectorEncoder(nn.Module):
    """Box that is no image: symlog, then dense layers."""

    def __init__(self, numbers: int, units: int):
        super().__init__()
        self.net, self.size = Dense(numbers, units, 2), units

    def forward(self, x: Tensor) -> Float[Tensor, "rows size"]:
        """Encode numbers of shape (rows, ...)."""
        return self.net(ops.symlog(x.reshape(len(x), -1).float()))


class VectorDecoder(nn.Module):
    """Gaussian of fixed width in symlog space.

    The width is small because worlds of this kind (angles, velocities) matter in the second digit:
    with unit variance the free bits of the latent would swallow them.
    """

    width = 0.1

    def __init__(self, space: spaces.Box, features: int, units: int):
        super().__init__()
        self.shape, self.dtype = space.shape, torch.from_numpy(np.zeros(0, space.dtype)).dtype
        self.net = mlp(features, units, 2, int(np.prod(space.shape)))

    def loss(self, features: Float[Tensor, "rows features"], x: Tensor) -> Float[Tensor, " rows"]:
        """Squared error in symlog space over twice the variance, summed."""
        error = self.net(features).float() - ops.symlog(x.reshape(len(x), -1).float())
        return (error / self.width).square().sum(1) / 2

    def mode(self, features: Float[Tensor, "rows features"]) -> Tensor:
        """Mean, in the space's own unit and type."""
        x = ops.symexp(self.net(features).float()).reshape(len(features), *self.shape)
        return x.to(self.dtype) if self.dtype.is_floating_point else x.round().to(self.dtype)


def is_image(space: spaces.Space) -> bool:
    """Whether a space is treated as pictures: uint8, (height, width, channels), large enough."""
    return (
        isinstance(space, spaces.Box)
        and space.dtype == np.uint8
        and len(space.shape) == 3
        and min(space.shape[:2]) >= SMALLEST_IMAGE
        and space.shape[2] <= 16
    )


def class_counts(space: spaces.Space) -> tuple[np.ndarray, int, tuple] | None:
    """(number of classes per variable, first value, shape), for discrete spaces; else None."""
    if isinstance(space, spaces.Discrete):
        return np.array([space.n]), int(space.start), ()
    if isinstance(space, spaces.MultiDiscrete):
        if np.any(space.start):
            raise SpecError(f"{space}: MultiDiscrete must start at 0; shift it in a wrapper")
        return space.nvec.astype(np.int64).reshape(-1), 0, space.nvec.shape
    return None
