"""Sizes of the latent world model, by name."""

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
