"""How alike two videos are, pixel by pixel.

These numbers reward blur and frozen pictures: read them beside a motion score and the baseline that
copies the last frame.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mindseye.core.errors import SpecError
from mindseye.core.report import Measure
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.clips import CHUNK, check_clips

MOST_DECIBELS = 100.0
"""What equal frames get, for which the logarithm has no answer."""
WINDOW, DEVIATION = 11, 1.5
"""Of the structural similarity's Gaussian, in pixels."""
_LUMINANCE, _CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class PixelScores:
    """Likeness per frame, arrays of shape (clips, frames)."""

    psnr: np.ndarray
    """In decibels, at most 100."""
    ssim: np.ndarray
    """At most 1."""

    def curves(self) -> dict[str, list[float]]:
        """Means over clips, frame by frame."""
        return {"psnr": self.psnr.mean(0).tolist(), "ssim": self.ssim.mean(0).tolist()}

    def measures(self, name: str) -> list[Measure]:
        """Means over clips with intervals."""
        return [
            mean_measure(f"psnr/{name}", self.psnr.mean(1), "dB"),
            mean_measure(f"ssim/{name}", self.ssim.mean(1)),
        ]


def pixel_scores(first: np.ndarray, second: np.ndarray) -> PixelScores:
    """Compare clips frame by frame."""
    return PixelScores(psnr(first, second), ssim(first, second))


def psnr(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in decibels, shape (clips, frames)."""
    check_clips(first, second)
    squares = [
        np.square(a.astype(np.float32) - b).mean((1, 2, 3), dtype=np.float64)
        for a, b in zip(first, second, strict=True)
    ]
    error = np.array(squares).reshape(first.shape[:2])
    floor = 255.0**2 / 10 ** (MOST_DECIBELS / 10)
    return 10 * np.log10(255.0**2 / np.maximum(error, floor))


def ssim(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Structural similarity, mean over windows that lie inside and channels, (clips, frames).

    Raises:
        SpecError: If frames are smaller than the window of 11 pixels.

    Source: Wang, Bovik, Sheikh and Simoncelli (2004), section III-B.
    """
    check_clips(first, second)
    if min(first.shape[2:4]) < WINDOW:
        raise SpecError(
            f"ssim: expected at least {WINDOW} pixels a side, got {first.shape[2:4]}; enlarge them"
        )
    pairs = zip(_chunks(first), _chunks(second), strict=True)
    return torch.cat([_ssim(a, b) for a, b in pairs]).numpy().reshape(first.shape[:2])


def _chunks(clips: np.ndarray) -> tuple[Tensor, ...]:
    return torch.from_numpy(np.ascontiguousarray(clips)).flatten(0, 1).split(CHUNK)


def _ssim(first: Tensor, second: Tensor) -> Tensor:
    x, y = (part.permute(0, 3, 1, 2).double() for part in (first, second))
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _LUMINANCE) / (mean_x**2 + mean_y**2 + _LUMINANCE)
    structure = (2 * covariance + _CONTRAST) / (var_x + var_y + _CONTRAST)
    return (luminance * structure).mean((1, 2, 3))


def _blur(x: Tensor) -> Tensor:
    weights = gaussian(WINDOW, DEVIATION).to(x)
    down = weights.view(1, 1, -1, 1).expand(x.shape[1], 1, -1, 1)
    across = weights.view(1, 1, 1, -1).expand(x.shape[1], 1, 1, -1)
    blurred = functional.conv2d(x, down, groups=x.shape[1])
    return functional.conv2d(blurred, across, groups=x.shape[1])


def gaussian(size: int, deviation: float) -> Tensor:
    """Weights of a Gaussian that sum to 1, shape (size,), float64."""
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = torch.exp(-(place**2) / (2 * deviation**2))
    return weights / weights.sum()
