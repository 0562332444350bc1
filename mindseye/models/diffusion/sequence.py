"""A denoiser of sequences: a U-Net along time, as in Janner et al. (2022, 2205.09991)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye.models.diffusion.noise import NoiseFeatures


class SequenceDenoiser(nn.Module):
    """Convolutions over (batch, time, features), halving time at every level; says 0 at first.

    Time need not divide: it is padded at the end and cut again.

    Args:
        features: Numbers per step.
        widths: Channels per level; each next one sees time at half the rate.
        condition: Numbers in which the noise is told.
    """

    def __init__(
        self, features: int, *, widths: Sequence[int] = (48, 96, 192), condition: int = 64
    ):
        super().__init__()
        self.noise = NoiseFeatures()
        self.condition = nn.Sequential(
            nn.Linear(self.noise.size, condition),
            nn.SiLU(),
            nn.Linear(condition, condition),
            nn.SiLU(),
        )
        self.halvings = len(widths) - 1
        self.first = nn.Conv1d(features, widths[0], 3, padding=1)
        pairs = list(zip([widths[0], *widths[:-1]], widths, strict=True))
        self.down = nn.ModuleList(_Block(before, after, condition) for before, after in pairs)
        self.up = nn.ModuleList(
            _Block(after + after, before, condition) for before, after in reversed(pairs)
        )
        self.last = nn.Conv1d(widths[0], features, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(
        self, noisy: Float[Tensor, "batch time features"], noise: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch time features"]:
        """F(x; ln(σ) / 4)."""
        told, steps = self.condition(self.noise(noise)), noisy.shape[1]
        x = functional.pad(noisy.transpose(1, 2), (0, -steps % 2**self.halvings))
        x, kept = self.first(x), []
        for index, block in enumerate(self.down):
            if index:
                x = functional.avg_pool1d(x, 2)
            x = block(x, told)
            kept.append(x)
        for index, block in enumerate(self.up):
            if index:
                x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat((x, kept.pop()), 1), told)
        return self.last(x)[:, :, :steps].transpose(1, 2).float()


class _Block(nn.Module):
    """Two convolutions, each scaled and shifted by the noise, beside a linear skip.

    Nothing is normalised: over so few steps that would hide how large the numbers are.
    """

    def __init__(self, before: int, after: int, condition: int):
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n, after, 3, padding=1) for n in (before, after)
        )
        self.affine = nn.Linear(condition, 4 * after)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)
        self.skip = nn.Conv1d(before, after, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """(batch, before, time) to (batch, after, time)."""
        out, factors = x, self.affine(told).unsqueeze(-1).chunk(4, 1)
        for index, convolution in enumerate(self.convolutions):
            scale, shift = factors[2 * index], factors[2 * index + 1]
            out = functional.silu(convolution(out) * (1 + scale) + shift)
        return self.skip(x) + out
