"""A denoiser of vectors."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.models.diffusion.noise import NoiseFeatures
from mindseye.models.layers import mlp


class StateDenoiser(nn.Module):
    """Dense layers on the noisy vector, its condition and the noise; says 0 at first.

    Args:
        size: Numbers of a vector.
        condition: Numbers of what is known: past vectors and actions.
        units, layers: Hidden units and layers.
    """

    def __init__(self, size: int, condition: int, *, units: int = 256, layers: int = 3):
        super().__init__()
        self.noise = NoiseFeatures()
        self.net = mlp(size + condition + self.noise.size, units, layers, size, zero=True)

    def forward(
        self,
        noisy: Float[Tensor, "batch size"],
        noise: Float[Tensor, " batch"],
        condition: Float[Tensor, "batch condition"],
    ) -> Float[Tensor, "batch size"]:
        """F(x; ln(σ) / 4, condition)."""
        return self.net(torch.cat((noisy, condition, self.noise(noise)), -1)).float()
