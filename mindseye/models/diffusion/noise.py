"""What a denoiser is told of the noise, and how it tells its layers."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class NoiseFeatures(nn.Module):
    """Sines and cosines of ln(σ) / 4 at fixed frequencies, 2 · `frequencies` numbers.

    The frequencies are geometric, from one turn over the whole range of noise to many.
    """

    turns: Tensor

    def __init__(self, frequencies: int = 8):
        super().__init__()
        self.size = 2 * frequencies
        turns = torch.logspace(-1, 1, frequencies) * math.pi
        self.register_buffer("turns", turns, persistent=False)

    def forward(self, noise: Float[Tensor, " batch"]) -> Float[Tensor, "batch size"]:
        """Features of the noise of every row."""
        angle = noise.unsqueeze(-1) * self.turns
        return torch.cat((angle.sin(), angle.cos()), -1)


class AdaptiveNorm(nn.Module):
    """Group norm whose scale and shift a condition sets; starts as plain group norm.

    Source: Dhariwal and Nichol (2021), 2105.05233, section 3 (adaptive group normalisation).
    """

    def __init__(self, channels: int, condition: int):
        super().__init__()
        self.groups = math.gcd(channels, max(1, channels // 16))
        self.affine = nn.Linear(condition, 2 * channels)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, condition: Float[Tensor, "batch condition"]) -> Tensor:
        """Normalise (batch, channels, ...)."""
        wide = (*x.shape[:2], *(1,) * (x.ndim - 2))
        scale, shift = self.affine(condition).chunk(2, -1)
        x = functional.group_norm(x, self.groups)
        return x * (1 + scale.reshape(wide)) + shift.reshape(wide)
