"""Fréchet distances between sets of clips: on random features, or on an encoder that is handed in.

A distance on random features is no FVD and its values mean nothing beside published ones; it orders
sets of clips that went through the same features. With few clips all Fréchet distances are noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mindseye.core.errors import DataError
from mindseye.core.report import Measure
from mindseye.evaluation.video.clips import check_clips

ClipEncoder = Callable[[Tensor], Tensor]
"""Float clips (clips, 3, frames, height, width) in [0, 1] to features (clips, size)."""
_SEED = 20_250_101
_CHUNK = 64


@dataclass(frozen=True)
class FrechetDistance:
    """How far two sets of clips are apart, and by which features."""

    value: float
    features: str
    """Named in the measure: "random", "i3d", or what the caller says."""
    clips: int
    """In the smaller set."""

    def measures(self, name: str) -> list[Measure]:
        """One number; the distance of sets has no interval of its own."""
        kind = "fvd" if self.features == "i3d" else f"fvd_{self.features}"
        return [Measure(f"{kind}/{name}", self.value, self.value, self.value, self.clips)]


class RandomFeatures(nn.Module):
    """A fixed random 3-D convolution net: the same weights on every machine and in every run.

    Args:
        size: Features per clip.
    """

    def __init__(self, size: int = 32):
        super().__init__()
        widths = (3, 16, size)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv3d(before, after, 3, (1, 2, 2), 1), nn.ReLU()]
        self.net = nn.Sequential(*layers)
        numbers = np.random.default_rng(_SEED)
        for parameter in self.parameters():
            fan_in = max(1, parameter[0].numel())
            drawn = numbers.normal(0, fan_in**-0.5, tuple(parameter.shape))
            parameter.data = torch.as_tensor(drawn, dtype=torch.float32)
            parameter.requires_grad_(False)

    def forward(self, clips: Tensor) -> Tensor:
        """Mean activation of every channel, shape (clips, size)."""
        return self.net(clips - 0.5).mean((2, 3, 4))


def fvd_random(first: np.ndarray, second: np.ndarray) -> FrechetDistance:
    """Fréchet distance on fixed random features; never to be called FVD."""
    return frechet_distance(first, second, RandomFeatures(), features="random")


def fvd(first: np.ndarray, second: np.ndarray, weights: Path | str) -> FrechetDistance:
    """Fréchet video distance (Unterthiner et al. 2018, 1812.01717) on I3D features.

    Args:
        weights: A TorchScript file of the detector; it is a program, so use one you trust. It
            takes clips as `ClipEncoder` says.

    Raises:
        DataError: If there is no such file.
    """
    if not Path(weights).is_file():
        raise DataError(f"fvd: no file {weights}; give the TorchScript file of an I3D network")
    network = torch.jit.load(str(weights), map_location="cpu").eval()
    return frechet_distance(first, second, network, features="i3d")


def frechet_distance(
    first: np.ndarray, second: np.ndarray, encoder: ClipEncoder, *, features: str
) -> FrechetDistance:
    """Fréchet distance of two sets of clips under an encoder.

    Raises:
        DataError: If a set has fewer than two clips.
    """
    check_clips(first[:1], second[:1])
    if min(len(first), len(second)) < 2:
        raise DataError(f"frechet: expected two clips or more, got {len(first)} and {len(second)}")
    encoded = [_encode(clips, encoder) for clips in (first, second)]
    return FrechetDistance(frechet(*encoded), features, min(len(first), len(second)))


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """|m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁ C₂)^½) of two sets of features, shape (rows, size)."""
    means = first.mean(0), second.mean(0)
    one, two = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (first, second))
    root = _square_root(one)
    cross = np.linalg.eigvalsh(root @ two @ root)
    shared = np.sqrt(np.maximum(cross, 0)).sum()
    apart = np.square(means[0] - means[1]).sum()
    return max(0.0, float(apart + np.trace(one) + np.trace(two) - 2 * shared))


@torch.inference_mode()
def _encode(clips: np.ndarray, encoder: ClipEncoder) -> np.ndarray:
    parts = [
        encoder(torch.from_numpy(clips[at : at + _CHUNK]).permute(0, 4, 1, 2, 3).float() / 255)
        for at in range(0, len(clips), _CHUNK)
    ]
    return torch.cat(parts).double().numpy()


def _square_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
