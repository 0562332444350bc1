"""Pretrained vision transformers through the transformers library: DINOv2, DINOv3, ViT-MAE."""

import math
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye.core.errors import MissingExtra, ModelError
from mindseye.models.perception.encoders import FrameEncoder, Frames


class TransformersEncoder(nn.Module, FrameEncoder):
    """Patch tokens of the last layer, normalised as the model has it; class and registers dropped.

    Args:
        name: A folder that `save_pretrained` wrote, or a name of a hub.
        size: Pixels per side that frames are resized to, a multiple of the model's patches; None:
            as large as the model's own pictures.
        download: Ask the hub for what is neither a folder nor in the cache.

    Raises:
        MissingExtra: If transformers is not installed.
        ModelError: If there is no such model here, or it has no patches.
    """

    def __init__(self, name: str | Path, *, size: int | None = None, download: bool = False):
        super().__init__()
        self.net = _load(str(name), download)
        config = self.net.config
        patch = getattr(config, "patch_size", None)
        if not isinstance(patch, int):
            raise ModelError(f"{name}: {config.model_type} has no square patches; use a DINOv2")
        if config.model_type == "vit_mae":
            # in pretraining it hides three quarters; here everything is seen, in order
            config.mask_ratio = 0.0
        self.size = size or config.image_size // patch * patch
        if self.size % patch:
            raise ModelError(f"{name}: patches of {patch} do not divide {self.size}; choose size")
        self.grid = self.size // patch, self.size // patch
        self.num_features = int(config.hidden_size)
        mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("mean", mean.view(3, 1, 1), persistent=False)
        self.register_buffer("spread", spread.view(3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, frames: Frames) -> Float[Tensor, "rows patches features"]:
        """Resize, normalise, encode."""
        x = frames.permute(0, 3, 1, 2).float() / 255
        x = functional.interpolate(
            x, (self.size, self.size), mode="bilinear", align_corners=False, antialias=True
        )
        x, patches = (x - self.mean) / self.spread, math.prod(self.grid)
        if self.net.config.model_type != "vit_mae":
            return self.net(pixel_values=x).last_hidden_state[:, -patches:]
        order = torch.arange(patches, device=x.device).expand(len(x), -1).float()
        own = self.net.config.image_size
        said = self.net(pixel_values=x, noise=order, interpolate_pos_encoding=self.size != own)
        return said.last_hidden_state[:, -patches:]


def _load(name: str, download: bool) -> nn.Module:
    try:
        from transformers import AutoModel
    except ImportError as error:
        raise MissingExtra("transformers", "features") from error
    try:
        return AutoModel.from_pretrained(name, local_files_only=not download)
    except (OSError, ValueError) as error:
        cause = str(error).strip().splitlines()[0]
        raise ModelError(
            f"{name}: no such encoder here ({cause}); name a folder of save_pretrained, or download"
        ) from error
