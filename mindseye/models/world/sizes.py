"""Sizes of world models, by name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

SizeName = Literal["tiny", "small", "medium", "large", "1M", "12M", "25M", "50M", "100M", "200M"]


@dataclass(frozen=True)
class Size:
    """Widths of a LatentWorldModel; see its arguments."""

    width: int
    units: int
    variables: int
    classes: int
    depth: int

    def arguments(self) -> dict[str, Any]:
        """As keyword arguments of LatentWorldModel."""
        return asdict(self)


SIZES: dict[str, Size] = {
    "tiny": Size(64, 64, 8, 8, 8),
    "small": Size(256, 256, 16, 16, 16),
    "medium": Size(512, 384, 32, 16, 24),
    "large": Size(1024, 512, 32, 32, 32),
    # widths of DreamerV3's sizes (Hafner et al. 2025, Nature), for the backbone "rssm"
    "1M": Size(512, 64, 32, 4, 4),
    "12M": Size(2048, 256, 32, 16, 16),
    "25M": Size(3072, 384, 32, 24, 24),
    "50M": Size(4096, 512, 32, 32, 32),
    "100M": Size(6144, 768, 32, 48, 48),
    "200M": Size(8192, 1024, 32, 64, 64),
}

VIDEO_SIZES: Mapping[str, Mapping[str, Any]] = {
    "plot": {
        "tokenizer": {"patch": 4, "latents": 20, "latent_width": 4, "width": 48, "layers": 2,
                      "time_every": 2, "soft_cap": None},
        "dynamics": {"layers": 2, "time_every": 2, "window": 20, "soft_cap": None},
        "width": 64, "spatial": 5, "finest": 16,
    },
    "medium": {
        "tokenizer": {"patch": 8, "latents": 16, "latent_width": 16, "width": 256, "layers": 6,
                      "time_every": 3},
        "dynamics": {"layers": 8, "heads": 8, "key_heads": 4, "window": 32, "registers": 4},
        "width": 512, "spatial": 8, "finest": 64,
    },
    "paper": {
        "tokenizer": {"patch": 4, "latents": 256, "latent_width": 32, "width": 1_024, "layers": 14,
                      "heads": 16, "window": 96},
        "dynamics": {"layers": 32, "heads": 32, "key_heads": 8, "window": 192, "registers": 4},
        "width": 2_048, "spatial": 256, "finest": 64, "units": 2_048, "ahead": 8,
    },
}  # fmt: skip
"""Of `VideoWorldModel`, by the names of its own arguments. "plot" is for frames of 20 x 16 pixels,
the others for 64 x 64. "paper": 0.4 B parameters of tokenizer, 1.6 B of dynamics, as Dreamer 4."""
