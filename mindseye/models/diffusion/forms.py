"""The next observation as something to denoise, given the last ones and the actions.

A form knows how observations become tensors (`encode`, `decode`), what is denoised (`clean`, of
deviation near `DEVIATION`) and how that becomes the next observation (`following`).
"""

from collections.abc import Sequence

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.models.diffusion.image import ImageDenoiser
from mindseye.models.diffusion.state import StateDenoiser
from mindseye.models.layers import Dense
from mindseye.models.perception.images import ImageEncoder

DEVIATION = 0.5
"""Of what is denoised; the noise that is trained on, and sampling's, belong to this scale."""

_NEARNESS = 3.0
"""Factor on differences, so that small ones count."""


class VectorForm(nn.Module):
    """Boxes of numbers: the change from the last observation is denoised, each number scaled.

    Numbers that never changed in the data never change in dreams.

    Args:
        space: Of one observation.
        context: Observations known.
        action: Numbers of an encoded action.
        units, layers: Of the denoiser.
        differences: Pairs of numbers, such as two places along one axis, whose difference networks
            read, too: contact is a small difference of large numbers.
    """

    centre: Tensor
    spread: Tensor
    change: Tensor

    def __init__(
        self,
        space: spaces.Box,
        context: int,
        action: int,
        units: int,
        layers: int,
        differences: Sequence[tuple[int, int]] = (),
    ):
        super().__init__()
        self.differences = [list(side) for side in zip(*differences, strict=True)]
        self.shape, self.size = space.shape, int(np.prod(space.shape))
        self.dtype = torch.from_numpy(np.zeros(0, space.dtype)).dtype
        shown = self.size + len(differences)
        condition = context * (shown + action)
        self.denoiser = StateDenoiser(self.size, condition, units=units, layers=layers)
        self.register_buffer("centre", torch.zeros(self.size))
        self.register_buffer("spread", torch.ones(self.size))
        self.register_buffer("change", torch.ones(self.size))
        self.read = Dense(2 * shown + action, units)
        self.read_size = units

    def set_scales(self, before: Tensor, after: Tensor) -> None:
        """Measure the scales of numbers and of their changes on pairs of neighbours."""
        x, y = before.flatten(1).double(), after.flatten(1).double()
        deviation = x.std(0)
        spread = torch.where(deviation > 1e-6, deviation, 1.0)
        self.centre.copy_(x.mean(0))
        self.spread.copy_(spread)
        self.change.copy_(((y - x) / spread).square().mean(0).sqrt())

    def encode(self, observation: Tensor) -> Float[Tensor, "*lead size"]:
        """Standardised numbers."""
        flat = observation.flatten(observation.ndim - len(self.shape)).float()
        return (flat - self.centre) / self.spread

    def decode(self, x: Float[Tensor, "batch size"]) -> Tensor:
        """Observations in the space's own unit and type."""
        out = (x * self.spread + self.centre).unflatten(-1, self.shape)
        return out.to(self.dtype) if self.dtype.is_floating_point else out.round().to(self.dtype)

    def clean(self, past: Tensor, after: Tensor) -> Tensor:
        """What is denoised, for a known next observation."""
        scale = torch.where(self.change > 1e-6, self.change, 1.0)
        return DEVIATION * (after - past[:, -1]) / scale

    def following(self, past: Tensor, clean: Tensor) -> Tensor:
        """Inverse of clean."""
        return past[:, -1] + clean * self.change / DEVIATION

    def forward(self, noisy: Tensor, noise: Tensor, past: Tensor, action: Tensor) -> Tensor:
        """F(x; ln(σ) / 4, past, actions)."""
        condition = torch.cat((self._shown(past).flatten(1), action.flatten(1)), -1)
        return self.denoiser(noisy, noise, condition)

    def arrival(self, before: Tensor, action: Tensor, after: Tensor) -> Tensor:
        """Features of one step, for reward and continuation."""
        return self.read(torch.cat((self._shown(before), action, self._shown(after)), -1))

    def _shown(self, x: Float[Tensor, "*lead size"]) -> Tensor:
        if not self.differences:
            return x
        first, second = ((x * self.spread + self.centre)[..., side] for side in self.differences)
        return torch.cat((x, (first - second) * _NEARNESS), -1)


class PictureForm(nn.Module):
    """uint8 pictures (height, width, channels): the next frame itself is denoised.

    Args:
        space: Of one observation.
        context: Frames known.
        action: Numbers of an encoded action.
        widths, blocks: Of the U-Net.
    """

    def __init__(
        self, space: spaces.Box, context: int, action: int, widths: Sequence[int], blocks: int
    ):
        super().__init__()
        height, width, channels = space.shape
        self.size = (channels, height, width)
        self.denoiser = ImageDenoiser(
            channels, context, context * action, widths=widths, blocks=blocks
        )
        self.seen = ImageEncoder((height, width, 2 * channels), 8)
        self.read = Dense(self.seen.size + action, 64)
        self.read_size = 64

    def set_scales(self, before: Tensor, after: Tensor) -> None:
        """Nothing to measure: pictures have a scale."""

    def encode(self, observation: Tensor) -> Float[Tensor, "*lead channels height width"]:
        """Channels first, in [−1, 1]."""
        return observation.movedim(-1, -3).float() / 127.5 - 1

    def decode(self, x: Float[Tensor, "batch channels height width"]) -> Tensor:
        """Pictures."""
        return _bytes(x).to(torch.uint8).movedim(-3, -1)

    def clean(self, past: Tensor, after: Tensor) -> Tensor:
        """The next frame."""
        return after

    def following(self, past: Tensor, clean: Tensor) -> Tensor:
        """The next frame, rounded to what a picture can show so that errors do not creep."""
        return clean + (_bytes(clean) / 127.5 - 1 - clean).detach()

    def forward(self, noisy: Tensor, noise: Tensor, past: Tensor, action: Tensor) -> Tensor:
        """F(x; ln(σ) / 4, past, actions)."""
        return self.denoiser(noisy, noise, past.flatten(1, 2), action.flatten(1))

    def arrival(self, before: Tensor, action: Tensor, after: Tensor) -> Tensor:
        """Features of one step, for reward and continuation."""
        both = torch.cat((before, after), 1).movedim(1, -1)
        return self.read(torch.cat((self.seen((both + 1) * 127.5), action), -1))


def _bytes(x: Tensor) -> Tensor:
    return ((x + 1) * 127.5).round().clamp(0, 255)
