"""Frozen encoders of frames: uint8 pictures in, one vector per patch out.

Whatever learned them, world models in feature space use them through this one interface, and
never change them.
"""

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from mindseye.core.errors import ConfigError

Frames = UInt8[Tensor, "rows height width 3"]


@runtime_checkable
class FrameEncoder(Protocol):
    """What every frozen encoder offers; patches are numbered line by line."""

    grid: tuple[int, int]
    """Patches down and across."""
    num_features: int

    def __call__(self, frames: Frames) -> Float[Tensor, "rows patches features"]:
        """Encode pictures."""
        ...


def patchify(x: Float[Tensor, "rows channels height width"], patch: int) -> Tensor:
    """Cut pictures into squares: (rows, patches, channels · patch · patch)."""
    rows, channels, height, width = x.shape
    x = x.view(rows, channels, height // patch, patch, width // patch, patch)
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def unpatchify(x: Float[Tensor, "rows patches numbers"], grid: tuple[int, int]) -> Tensor:
    """The inverse of patchify for pictures of three channels, cut into square patches."""
    side = math.isqrt(x.shape[-1] // 3)
    x = x.unflatten(1, grid).unflatten(3, (3, side, side))
    return x.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


def grid_of(shape: tuple[int, int, int], patch: int) -> tuple[int, int]:
    """Patches down and across.

    Raises:
        ConfigError: If the pictures cannot be cut into such patches.
    """
    height, width, channels = shape
    if height % patch or width % patch or channels != 3:
        raise ConfigError(
            f"frame encoder: cannot cut pictures {shape} into patches of {patch}; choose another"
        )
    return height // patch, width // patch


def as_floats(frames: Frames) -> Float[Tensor, "rows 3 height width"]:
    """Channels first, from -1/2 to 1/2."""
    return frames.permute(0, 3, 1, 2).float() / 255 - 0.5


class RawPatches(nn.Module, FrameEncoder):
    """Pixels as they are: what a world model in pixel space predicts.

    Args:
        shape: Of frames, (height, width, 3).
        patch: Pixels per side of a patch.
    """

    def __init__(self, shape: tuple[int, int, int], *, patch: int):
        super().__init__()
        self.grid = grid_of(shape, patch)
        self.patch, self.num_features = patch, 3 * patch * patch
        self.arguments = {"shape": list(shape), "patch": patch}

    def forward(self, frames: Frames) -> Float[Tensor, "rows patches features"]:
        """Cut."""
        return patchify(as_floats(frames), self.patch)


class Pooled(nn.Module, FrameEncoder):
    """The mean over the patches of another encoder: what is there, but hardly where.

    Args:
        encoder: Any.
    """

    def __init__(self, encoder: FrameEncoder):
        super().__init__()
        self.encoder, self.grid, self.num_features = encoder, (1, 1), encoder.num_features

    def forward(self, frames: Frames) -> Float[Tensor, "rows 1 features"]:
        """Encode and average."""
        return self.encoder(frames).mean(1, keepdim=True)


class RandomPatches(nn.Module, FrameEncoder):
    """Fixed random projections of patches at several scales: features that nothing has learned.

    Args:
        shape: Of frames, (height, width, 3).
        patch: Pixels per side of a patch.
        features: Numbers per patch, shared evenly among the scales.
        blurs: Standard deviations of the Gaussians that frames are blurred by, in pixels; patches
            of a wide blur tell of things far outside of them.
        seed: Of the projections.

    Raises:
        ConfigError: If the features cannot be shared among the scales.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        patch: int,
        features: int = 48,
        blurs: Sequence[float] = (0.0, 4.0, 12.0),
        seed: int = 0,
    ):
        super().__init__()
        if features % len(blurs):
            raise ConfigError(
                f"random patches: {features} features cannot be shared among {len(blurs)} scales"
            )
        self.grid = grid_of(shape, patch)
        self.patch, self.num_features = patch, features
        self.arguments = {
            "shape": list(shape),
            "patch": patch,
            "features": features,
            "blurs": list(blurs),
            "seed": seed,
        }
        self.pyramid = Pyramid(shape, blurs)
        numbers = 3 * patch * patch
        generator = torch.Generator(device="cpu").manual_seed(seed)
        each = (len(blurs), numbers, features // len(blurs))
        drawn = torch.randn(each, generator=generator, device="cpu") / math.sqrt(numbers)
        self.register_buffer("projection", drawn)

    def forward(self, frames: Frames) -> Float[Tensor, "rows patches features"]:
        """Blur, cut, project."""
        scales = self.pyramid(as_floats(frames)).unbind(1)
        parts = zip(scales, self.projection, strict=True)
        return torch.cat([patchify(x, self.patch) @ weight for x, weight in parts], -1)


def blurring(size: int, width: float) -> Float[Tensor, "size size"]:
    """Matrix that blurs lines of pixels by a Gaussian of that width; lines are continued at ends.

    A product with it is several times faster than a convolution as wide.
    """
    if width == 0:
        return torch.eye(size, device="cpu")
    reach = math.ceil(3 * width)
    offset = torch.arange(-reach, reach + 1, device="cpu")
    weight = torch.exp(-offset.square() / (2 * width * width))
    matrix = torch.zeros(size, size, device="cpu")
    for row in range(size):
        matrix[row].index_add_(0, (row + offset).clamp(0, size - 1), weight / weight.sum())
    return matrix


class Pyramid(nn.Module):
    """Frames at several scales: (rows, scales, 3, height, width).

    Args:
        shape: Of frames, (height, width, 3).
        blurs: Standard deviations of the Gaussians, in pixels.
    """

    def __init__(self, shape: tuple[int, int, int], blurs: Sequence[float]):
        super().__init__()
        height, width, _ = shape
        for name, size in (("down", height), ("across", width)):
            matrices = torch.stack([blurring(size, blur) for blur in blurs])
            self.register_buffer(name, matrices, persistent=False)

    def forward(self, x: Float[Tensor, "rows 3 height width"]) -> Tensor:
        """Blur."""
        x = self.down[:, None] @ x.unsqueeze(1)
        return x @ self.across[:, None].transpose(-1, -2)
