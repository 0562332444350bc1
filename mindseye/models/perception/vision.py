"""A small vision transformer, and what it learns from: hidden patches of recorded frames."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mindseye.models.backbones.space_time import SpaceTimeTransformer
from mindseye.models.perception.encoders import (
    FrameEncoder,
    Frames,
    Pyramid,
    as_floats,
    grid_of,
    patchify,
)


class PatchTransformer(nn.Module, FrameEncoder):
    """Patches that look at each other; every token knows something of the whole frame.

    Args:
        shape: Of frames, (height, width, 3).
        patch: Pixels per side of a patch.
        features: Width of the tokens.
        layers, heads: Sizes.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        patch: int,
        features: int = 48,
        layers: int = 2,
        heads: int = 4,
    ):
        super().__init__()
        self.grid = grid_of(shape, patch)
        self.shape, self.patch, self.num_features = shape, patch, features
        self.arguments = {
            "shape": list(shape),
            "patch": patch,
            "features": features,
            "layers": layers,
            "heads": heads,
        }
        self.register_buffer("background", torch.zeros(3, *shape[:2]))
        self.register_buffer("spread", torch.ones(()))
        self.enter = nn.Linear(3 * patch * patch, features)
        self.place = nn.Parameter(0.5 * torch.randn(math.prod(self.grid), features))
        self.hidden = nn.Parameter(0.02 * torch.randn(features))
        self.net = SpaceTimeTransformer(
            features, layers=layers, heads=heads, time_every=0, window=1, soft_cap=None
        )

    def forward(self, frames: Frames) -> Float[Tensor, "rows patches features"]:
        """Encode whole frames."""
        return self.read(as_floats(frames), None)

    @torch.no_grad()
    def calibrate(self, frames: Frames) -> None:
        """Make what frames have in common, and how little of them varies, not matter."""
        x = as_floats(frames)
        self.background.copy_(x.mean(0))
        self.spread.copy_((x - self.background).square().mean().sqrt().clamp(min=1e-3))

    def read(
        self,
        x: Float[Tensor, "rows 3 height width"],
        hidden: Bool[Tensor, "rows patches"] | None,
    ) -> Float[Tensor, "rows patches features"]:
        """Encode frames of which some patches are hidden."""
        tokens = self.enter(patchify((x - self.background) / self.spread, self.patch))
        if hidden is not None:
            tokens = torch.where(hidden.unsqueeze(-1), self.hidden.to(tokens.dtype), tokens)
        tokens = (tokens + self.place).unsqueeze(1)
        alone = torch.ones(len(tokens), 1, dtype=torch.bool, device=tokens.device)
        return self.net(tokens, alone).squeeze(1)


class HiddenPatches(nn.Module):
    """The task: tell what hidden patches look like, at several scales.

    At a wide blur a patch shows the direction of things outside of it, so tokens must come to
    carry more than what lies inside their own patch.

    Args:
        encoder: Learns, and is kept.
        blurs: Standard deviations in pixels of the scales to tell.

    Source: masked autoencoders (He et al. 2022, arXiv 2111.06377) with the plain mask tokens and
        linear read-out of Xie et al. (2022), arXiv 2111.09886. Differs: several scales are told.
    """

    def __init__(self, encoder: PatchTransformer, blurs: Sequence[float]):
        super().__init__()
        self.encoder = encoder
        self.pyramid = Pyramid(encoder.shape, blurs)
        numbers = len(blurs) * 3 * encoder.patch**2
        self.tell = nn.Linear(encoder.num_features, numbers)
        self.register_buffer("mean", torch.zeros(math.prod(encoder.grid), numbers))
        self.register_buffer("scale", torch.ones(len(blurs)))

    def target(self, x: Float[Tensor, "rows 3 height width"]) -> Tensor:
        """What there is to tell: (rows, patches, numbers), the scales one after the other."""
        return torch.cat([patchify(s, self.encoder.patch) for s in self.pyramid(x).unbind(1)], -1)

    @torch.no_grad()
    def calibrate(self, frames: Frames) -> None:
        """Make what frames have in common, and how little a blurred one varies, not matter."""
        self.encoder.calibrate(frames)
        target = self.target(as_floats(frames))
        self.mean.copy_(target.mean(0))
        apart = (target - self.mean).unflatten(-1, (len(self.scale), -1))
        self.scale.copy_(apart.square().mean((0, 1, 3)).sqrt().clamp(min=1e-4))

    def loss(
        self, frames: Frames, hidden: Bool[Tensor, "rows patches"]
    ) -> Float[Tensor, "rows patches"]:
        """Squared error of every patch, in units of what is to be told."""
        x = as_floats(frames)
        said = self.tell(self.encoder.read(x, hidden)).float()
        scale = self.scale.repeat_interleave(said.shape[-1] // len(self.scale))
        return (said - (self.target(x) - self.mean) / scale).square().mean(-1)
