"""Where, when, how much and how things move: scores after Physics-IQ, and steadiness over time.

Two real takes of the same event differ. That difference is the unit: a score of 100 means as close
to reality as reality is to itself.

Source: Motamed et al. (2025), "Do generative video models understand physical principles?",
arXiv 2501.09038. Here masks are of any frame size and intervals come from a bootstrap over clips.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from mindseye.core.report import Measure
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.clips import check_clips
from mindseye.evaluation.video.pixels import gaussian

RATE = 0.3
"""Share of each new frame in the running background."""
THRESHOLD = 10.0
"""Grey levels by which a moving pixel differs from the background."""
_BLUR_SIDE, _BLUR_DEVIATION = 5, 1.1
_GREY = np.array((0.299, 0.587, 0.114), np.float32)
_EPSILON = 1e-6
_PATCHES = 8


@dataclass(frozen=True)
class MotionLikeness:
    """Of one set of clips to another; arrays of shape (clips,)."""

    where: np.ndarray
    """Intersection over union of all places that ever moved."""
    where_and_when: np.ndarray
    """The same frame by frame, mean over frames."""
    how_much: np.ndarray
    """Shared over joint amount of motion per place."""
    how: np.ndarray
    """Mean squared difference of pixels in [0, 1]; lower is better."""


@dataclass(frozen=True)
class MotionScores:
    """How close clips come to one take, in the unit of another take; arrays of shape (clips,)."""

    likeness: MotionLikeness
    variance: MotionLikeness
    """The same between the two real takes."""
    score: np.ndarray
    """0 to 100; nan where nothing moves in the real take, so that nothing can be judged."""

    def measures(self, name: str) -> list[Measure]:
        """Means over clips in which something moves."""
        moving = np.isfinite(self.score)
        found = [mean_measure(f"motion/{name}", self.score[moving], "points of 100")]
        for part in ("where", "where_and_when", "how_much", "how"):
            values = getattr(self.likeness, part)[moving]
            found.append(mean_measure(f"{part}/{name}", values))
        return found


def motion_masks(clips: np.ndarray, *, side: int = 5) -> np.ndarray:
    """Pixels that differ from a running background, bool, shape (clips, frames, height, width).

    Args:
        side: Pixels of the square that opening and closing use; 1 leaves the masks as they are.
    """
    check_clips(clips)
    blurred = _blur(clips.astype(np.float32) @ _GREY)
    background = blurred[:, 0]
    mask = np.empty(blurred.shape, bool)
    for t in range(blurred.shape[1]):
        background = background + RATE * (blurred[:, t] - background)
        mask[:, t] = np.abs(blurred[:, t] - background) > THRESHOLD
    opened = _grow(_shrink(mask, side), side)
    return _shrink(_grow(opened, side), side)


def motion_likeness(first: np.ndarray, second: np.ndarray, *, side: int = 5) -> MotionLikeness:
    """Compare the motion of clips."""
    check_clips(first, second)
    return _compare(first, second, motion_masks(first, side=side), motion_masks(second, side=side))


def motion_scores(
    dream: np.ndarray, take: np.ndarray, other_take: np.ndarray, *, side: int = 5
) -> MotionScores:
    """Score dreamed clips against two real takes of the same events.

    Args:
        dream: What is judged.
        take: What it is compared with.
        other_take: The same events once more; its difference to `take` is the unit.
    """
    check_clips(dream, take, other_take)
    masks = [motion_masks(clips, side=side) for clips in (dream, take, other_take)]
    found = _compare(dream, take, masks[0], masks[1])
    variance = _compare(other_take, take, masks[2], masks[1])
    shares = [
        getattr(found, part) / np.maximum(getattr(variance, part), _EPSILON)
        for part in ("where_and_when", "where", "how_much")
    ]
    score = 100 * np.clip(np.mean(shares, 0) - (found.how - variance.how), 0, 1)
    moves = masks[1].any((1, 2, 3))
    return MotionScores(found, variance, np.where(moves, score, np.nan))


def temporal_consistency(clips: np.ndarray) -> np.ndarray:
    """Mean cosine of each frame's patches to the frame before and to the first, shape (clips,).

    Patches are 8x8 mean colours, centred per frame; 1 is a still picture, flicker lowers it.
    """
    check_clips(clips)
    pictures = torch.from_numpy(clips.astype(np.float32)).flatten(0, 1).permute(0, 3, 1, 2)
    patches = functional.adaptive_avg_pool2d(pictures, _PATCHES).flatten(1)
    patches = functional.normalize(patches - patches.mean(1, keepdim=True), dim=1, eps=_EPSILON)
    patches = patches.unflatten(0, clips.shape[:2])
    before = (patches[:, 1:] * patches[:, :-1]).sum(-1)
    first = (patches[:, 1:] * patches[:, :1]).sum(-1)
    return ((before + first) / 2).mean(1).double().numpy()


def _compare(
    first: np.ndarray, second: np.ndarray, first_mask: np.ndarray, second_mask: np.ndarray
) -> MotionLikeness:
    amounts = first_mask.mean(1), second_mask.mean(1)
    squares = [
        np.square((a.astype(np.float32) - b) / 255).mean()
        for a, b in zip(first, second, strict=True)
    ]
    return MotionLikeness(
        where=_overlap(first_mask.max(1), second_mask.max(1), (1, 2)),
        where_and_when=_overlap(first_mask, second_mask, (2, 3)).mean(1),
        how_much=_share(
            np.minimum(*amounts).sum((1, 2)),
            np.maximum(*amounts).sum((1, 2)),
        ),
        how=np.array(squares, np.float64),
    )


def _overlap(a: np.ndarray, b: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    return _share((a & b).sum(axes), (a | b).sum(axes))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Part of the whole; 1 where there is nothing on either side."""
    return np.where(whole > 0, part / np.maximum(whole, _EPSILON), 1.0)


def _blur(grey: np.ndarray) -> np.ndarray:
    """Gaussian of 5x5 pixels along the last two axes, borders mirrored."""
    weights = gaussian(_BLUR_SIDE, _BLUR_DEVIATION).numpy().astype(np.float32)
    edge = _BLUR_SIDE // 2
    for axis in (-2, -1):
        widths = [(0, 0)] * grey.ndim
        widths[axis] = (edge, edge)
        padded = np.moveaxis(np.pad(grey, widths, mode="reflect"), axis, 0)
        size = grey.shape[axis]
        parts = [w * padded[k : k + size] for k, w in enumerate(weights)]
        grey = np.moveaxis(np.sum(parts, 0), 0, axis)
    return grey


def _grow(mask: np.ndarray, side: int) -> np.ndarray:
    """True within a square of True; beyond the border there is nothing."""
    for axis in (-2, -1):
        grown = mask.copy()
        for shift in range(1, side // 2 + 1):
            ahead, behind = [slice(None)] * mask.ndim, [slice(None)] * mask.ndim
            ahead[axis], behind[axis] = slice(shift, None), slice(None, -shift)
            grown[tuple(ahead)] |= mask[tuple(behind)]
            grown[tuple(behind)] |= mask[tuple(ahead)]
        mask = grown
    return mask


def _shrink(mask: np.ndarray, side: int) -> np.ndarray:
    return ~_grow(~mask, side)
