"""Pictures: strided convolutions down, sub-pixel convolutions up, channels last throughout.

A 3x3 convolution to four times the channels followed by a pixel shuffle contains "upsample by two,
then convolve 5x5" as a special case (`ops.convolutions`) at 36 taps instead of 100.
"""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from mindseye.models.layers import Dense

SMALLEST_MAP = 4


def _num_stages(height: int, width: int) -> int:
    return max(1, int(math.log2(min(height, width) / SMALLEST_MAP)))


def _padded(size: int, stages: int) -> int:
    return -(-size // 2**stages) * 2**stages


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of (rows, channels, height, width), kept channels last."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every pixel."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ImageEncoder(nn.Module):
    """(rows, height, width, channels) uint8 to (rows, size) floats.

    Args:
        shape: (height, width, channels).
        depth: Channels of the first stage; doubled at each of the following.
    """

    def __init__(self, shape: tuple[int, int, int], depth: int):
        super().__init__()
        height, width, channels = shape
        stages = _num_stages(height, width)
        self.padding = (0, _padded(width, stages) - width, 0, _padded(height, stages) - height)
        layers: list[nn.Module] = []
        for stage in range(stages):
            after = depth * 2 ** min(stage, 3)
            layers += [nn.Conv2d(channels, after, 4, 2, 1), ChannelNorm(after), nn.SiLU()]
            channels = after
        self.net = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        grid = (_padded(height, stages) >> stages) * (_padded(width, stages) >> stages)
        self.size = channels * grid

    def forward(self, x: UInt8[Tensor, "rows height width channels"]) -> Float[Tensor, "rows size"]:
        """Encode pictures."""
        x = x.permute(0, 3, 1, 2).to(next(self.parameters()).dtype) / 255 - 0.5
        return self.net(functional.pad(x, self.padding)).flatten(1)


class ImageDecoder(nn.Module):
    """Unit-variance Gaussian pictures in [0, 1]; loss is the squared error summed over pixels."""

    def __init__(self, shape: tuple[int, int, int], depth: int, features: int):
        super().__init__()
        self.shape = shape
        height, width, channels = shape
        stages = _num_stages(height, width)
        widths = [depth * 2 ** min(stage, 3) for stage in reversed(range(stages))]
        self.low = (widths[0], _padded(height, stages) >> stages, _padded(width, stages) >> stages)
        self.grow = nn.Sequential(Dense(features, 256), nn.Linear(256, math.prod(self.low)))
        layers: list[nn.Module] = [ChannelNorm(widths[0]), nn.SiLU()]
        for before, after in zip(widths, [*widths[1:], channels], strict=True):
            layers += [nn.Conv2d(before, 4 * after, 3, 1, 1), nn.PixelShuffle(2)]
            layers += [ChannelNorm(after), nn.SiLU()]
        self.net = nn.Sequential(*layers[:-2]).to(memory_format=torch.channels_last)

    def _mean(self, features: Tensor) -> Tensor:
        x = (
            self.grow(features)
            .unflatten(-1, self.low)
            .contiguous(memory_format=torch.channels_last)
        )
        x = self.net(x)[:, :, : self.shape[0], : self.shape[1]]
        return x.permute(0, 2, 3, 1) + 0.5

    def loss(self, features: Float[Tensor, "rows features"], x: Tensor) -> Float[Tensor, " rows"]:
        """Half the squared error, summed over the picture."""
        error = self._mean(features).float() - x.float() / 255
        return error.square().sum((1, 2, 3)) / 2

    def mode(self, features: Float[Tensor, "rows features"]) -> Tensor:
        """uint8 pictures."""
        return (self._mean(features).float() * 255).round().clamp(0, 255).to(torch.uint8)
