"""From pictures to places: a small network that finds known objects in frames.

It is trained on real frames whose objects' places are known, so that what is said of true states
can be asked of dreamed frames. Objects are told apart by their looks: object k of every frame is
the same one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from mindseye.core.errors import DataError
from mindseye.core.report import Measure
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.clips import CHUNK, check_clips

_REACH = 2
"""Cells around the likeliest one over which its place is averaged."""


@dataclass(frozen=True)
class Tracks:
    """Where every object is in every frame."""

    positions: np.ndarray
    """Centres, shape (clips, frames, objects, 2): x to the right and y up, 0 to 1 in the frame."""
    seen: np.ndarray
    """bool, shape (clips, frames, objects); positions elsewhere mean nothing."""


@dataclass(frozen=True)
class TrackError:
    """How well a tracker does where the truth is known; arrays of shape (clips,)."""

    distance: np.ndarray
    """Mean distance in shares of the frame, where the object was there and was seen."""
    missed: np.ndarray
    """Share of visible objects not seen."""
    invented: np.ndarray
    """Share of invisible objects seen; nan where there were none."""

    def measures(self, name: str) -> list[Measure]:
        """Means over clips."""
        return [
            mean_measure(f"tracker/{part}/{name}", values[np.isfinite(values)], unit)
            for part, values, unit in (
                ("distance", self.distance, "of the frame"),
                ("missed", self.missed, "share"),
                ("invented", self.invented, "share"),
            )
        ]


class Tracker(nn.Module):
    """For each object a distribution over places of a coarse grid and "not here".

    Args:
        objects: Number of objects.
        depth: Channels.
    """

    def __init__(self, objects: int, depth: int = 24):
        super().__init__()
        self.objects = objects
        self.net = nn.Sequential(
            nn.Conv2d(3, depth, 5, 2, 2),
            nn.SiLU(),
            nn.Conv2d(depth, depth, 3, 1, 1),
            nn.SiLU(),
            nn.Conv2d(depth, depth, 3, 1, 1),
            nn.SiLU(),
            nn.Conv2d(depth, objects, 3, 1, 1),
        )
        self.absent = nn.Parameter(torch.zeros(objects))

    def forward(
        self, frames: UInt8[Tensor, "rows height width 3"]
    ) -> Float[Tensor, "rows n cells"]:
        """Log-probabilities over the grid's cells, then of "not here" in the last place."""
        maps = self.net(frames.permute(0, 3, 1, 2).float() / 255 - 0.5)
        absent = self.absent.expand(len(frames), -1).unsqueeze(-1)
        return torch.cat((maps.flatten(2), absent), -1).log_softmax(-1)


def fit_tracker(
    tracker: Tracker,
    clips: np.ndarray,
    truth: Tracks,
    *,
    updates: int = 300,
    batch: int = 64,
    learning_rate: float = 3e-3,
    rng: np.random.Generator,
) -> None:
    """Train in place on real clips whose objects' places are known.

    Args:
        tracker: Of as many objects as the truth has.
        clips: Real clips.
        truth: Where the objects are.

    Raises:
        DataError: If clips and truth do not fit together.
    """
    check_clips(clips)
    if truth.seen.shape != (*clips.shape[:2], tracker.objects):
        raise DataError(
            f"tracker: expected truth of {(*clips.shape[:2], tracker.objects)},"
            f" got {truth.seen.shape}; give one row per frame and object"
        )
    frames = torch.from_numpy(clips).flatten(0, 1)
    positions = torch.from_numpy(truth.positions.astype(np.float32)).flatten(0, 1)
    seen = torch.from_numpy(truth.seen).flatten(0, 1)
    grid = _grid(clips.shape[2:4])
    optimiser = torch.optim.Adam(tracker.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)
    for _ in range(updates):
        rows = torch.from_numpy(rng.integers(len(frames), size=batch))
        target = _target(positions[rows], seen[rows], grid)
        loss = -(target * tracker(frames[rows])).sum(-1).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()


@torch.inference_mode()
def track(tracker: Tracker, clips: np.ndarray) -> Tracks:
    """Find the objects of all frames."""
    check_clips(clips)
    grid = _grid(clips.shape[2:4])
    frames = torch.from_numpy(np.ascontiguousarray(clips)).flatten(0, 1)
    found = [_read(tracker(part).exp(), grid) for part in frames.split(CHUNK)]
    positions = torch.cat([p for p, _ in found]).unflatten(0, clips.shape[:2])
    seen = torch.cat([s for _, s in found]).unflatten(0, clips.shape[:2])
    return Tracks(positions.double().numpy(), seen.numpy())


def track_error(found: Tracks, truth: Tracks) -> TrackError:
    """Compare found places with true ones."""
    distance = np.linalg.norm(found.positions - truth.positions, axis=-1)
    return TrackError(
        distance=_mean_where(distance, found.seen & truth.seen),
        missed=_mean_where(~found.seen, truth.seen),
        invented=_mean_where(found.seen, ~truth.seen),
    )


def _mean_where(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    count = which.sum((1, 2))
    total = np.where(which, values, 0).sum((1, 2))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _grid(frame: tuple[int, int]) -> tuple[int, int]:
    return -(-frame[0] // 2), -(-frame[1] // 2)


def _target(positions: Tensor, seen: Tensor, grid: tuple[int, int]) -> Tensor:
    """Weights of the four nearest cells, or of "not here": (rows, objects, cells + 1)."""
    height, width = grid
    across = (positions[..., 0] * width - 0.5).clamp(0, width - 1)
    down = ((1 - positions[..., 1]) * height - 0.5).clamp(0, height - 1)
    columns = (1 - (torch.arange(width) - across[..., None]).abs()).clamp(min=0)
    rows = (1 - (torch.arange(height) - down[..., None]).abs()).clamp(min=0)
    cells = (rows[..., :, None] * columns[..., None, :]).flatten(-2)
    return torch.cat((cells * seen[..., None], (~seen)[..., None].float()), -1)


def _read(probability: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Places (rows, objects, 2), averaged around the likeliest cell, and whether they are seen."""
    height, width = grid
    cells = probability[..., :-1].unflatten(-1, grid)
    side = 2 * _REACH + 1
    summed = functional.avg_pool2d(cells, side, 1, _REACH, count_include_pad=True)
    best = summed.flatten(-2).argmax(-1)
    row, column = (best // width)[..., None], (best % width)[..., None]
    near_rows = ((torch.arange(height) - row).abs() <= _REACH).float()
    near_columns = ((torch.arange(width) - column).abs() <= _REACH).float()
    local = cells * near_rows[..., :, None] * near_columns[..., None, :]
    total = local.sum((-2, -1)).clamp(min=1e-9)
    x = (local.sum(-2) * (torch.arange(width) + 0.5)).sum(-1) / total / width
    y = 1 - (local.sum(-1) * (torch.arange(height) + 0.5)).sum(-1) / total / height
    return torch.stack((x, y), -1), total > 0.5
