"""A denoiser of pictures, as in DIAMOND (Alonso et al. 2024, 2405.12399): a small U-Net.

Past frames are stacked on the channels of the noisy one; noise and actions set scale and shift of
every normalisation.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye.models.diffusion.noise import AdaptiveNorm, NoiseFeatures


class ImageDenoiser(nn.Module):
    """U-Net over (batch, channels, height, width); says 0 at first.

    Args:
        channels: Of a frame.
        past: Frames known.
        action: Numbers of what is known beside frames.
        widths: Channels at each resolution, the first one the frame's own; each next is half as
            high and wide.
        blocks: Residual blocks per resolution, on the way down and on the way up.
        condition: Numbers in which noise and actions are told.
    """

    def __init__(
        self,
        channels: int,
        past: int,
        action: int,
        *,
        widths: Sequence[int] = (32, 64, 64),
        blocks: int = 1,
        condition: int = 128,
    ):
        super().__init__()
        self.noise = NoiseFeatures()
        self.condition = nn.Sequential(
            nn.Linear(self.noise.size + action, condition),
            nn.SiLU(),
            nn.Linear(condition, condition),
            nn.SiLU(),
        )
        self.halvings = len(widths) - 1
        self.first = nn.Conv2d((past + 1) * channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        before, skipped = widths[0], [widths[0]]
        for width in widths:
            level = nn.ModuleList()
            for _ in range(blocks):
                level.append(_Residual(before, width, condition))
                before = width
                skipped.append(width)
            self.down.append(level)
        self.middle = _Residual(before, before, condition)
        self.up = nn.ModuleList()
        for width in reversed(widths):
            level = nn.ModuleList()
            for _ in range(blocks):
                level.append(_Residual(before + skipped.pop(), width, condition))
                before = width
            self.up.append(level)
        self.norm = AdaptiveNorm(before + skipped.pop(), condition)
        self.last = nn.Conv2d(before + widths[0], channels, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(
        self,
        noisy: Float[Tensor, "batch channels height width"],
        noise: Float[Tensor, " batch"],
        past: Float[Tensor, "batch past_channels height width"],
        action: Float[Tensor, "batch action"],
    ) -> Float[Tensor, "batch channels height width"]:
        """F(x; ln(σ) / 4, past, action)."""
        told = self.condition(torch.cat((self.noise(noise), action), -1))
        height, width = noisy.shape[2:]
        step = 2**self.halvings
        x = torch.cat((noisy, past), 1)
        x = functional.pad(x, (0, -width % step, 0, -height % step))
        x = self.first(x)
        kept = [x]
        for index, level in enumerate(self.down):
            if index:
                x = functional.avg_pool2d(x, 2)
            for block in level:  # type: ignore[attr-defined]
                x = block(x, told)
                kept.append(x)
        x = self.middle(x, told)
        for index, level in enumerate(self.up):
            if index:
                x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            for block in level:  # type: ignore[attr-defined]
                x = block(torch.cat((x, kept.pop()), 1), told)
        x = functional.silu(self.norm(torch.cat((x, kept.pop()), 1), told))
        return self.last(x)[:, :, :height, :width].float()


class _Residual(nn.Module):
    def __init__(self, before: int, after: int, condition: int):
        super().__init__()
        self.norms = nn.ModuleList(AdaptiveNorm(n, condition) for n in (before, after))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n, after, 3, padding=1) for n in (before, after)
        )
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Two normalised convolutions beside the identity."""
        out = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            out = convolution(functional.silu(norm(out, told)))
        return self.skip(x) + out
