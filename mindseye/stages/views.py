"""The stages of a world of several cameras: its eyes first, then what they will see."""

import torch

from mindseye.core.batch import Batch
from mindseye.core.run import Run
from mindseye.core.tree import map_tree
from mindseye.experience.steps import steps_with_past
from mindseye.learners.diffusion_fitting import DiffusionFitting
from mindseye.models.world.keypoints import POSE, Eyes
from mindseye.models.world.views import POINTS, MultiViewWorldModel

_PICTURES, _RATE, _AVERAGE = 64, 3e-3, 0.99
"""Pictures per update of the eyes, their learning rate, and the decay of their averaged weights."""
_SOME = 4_096
"""Pictures whose mean painting begins with."""


def fit_eyes(record: Run, eyes: Eyes, data: Batch, *, updates: int) -> Batch:
    """Learn the points of every camera by itself; read all data with them.

    Args:
        eyes: Fitted in place.
        data: Whole episodes side by side.
        updates: Per camera.

    Returns:
        The same episodes; observations are "points" and "pose".
    """
    real = data["mask"].bool()
    seen = map_tree(lambda leaf: leaf[real], data["observation"])
    for camera in eyes.cameras:
        eyes.of[camera].set_usual(seen[camera][:_SOME])  # type: ignore[operator]
        fitting = DiffusionFitting(
            eyes.of[camera], learning_rate=_RATE, updates=updates, average=_AVERAGE, is_fast=True
        )
        rng = record.rng(f"eyes/{camera}")
        keep = {"fitting": fitting, "rng": rng}
        for step in record.steps(f"eyes-{camera}", updates, keep=keep):
            rows = torch.from_numpy(rng.integers(len(seen[POSE]), size=_PICTURES))
            metrics = fitting.update({"picture": seen[camera][rows], POSE: seen[POSE][rows]})
            if step % 10 == 0:
                record.log(metrics)
        eyes.of[camera].load_state_dict(fitting.averaged.state_dict())
    points = eyes.requires_grad_(False).read(data["observation"])
    return {**data, "observation": {POINTS: points, POSE: data["observation"][POSE]}}


def fit_views(
    record: Run,
    name: str,
    model: MultiViewWorldModel,
    data: Batch,
    *,
    updates: int,
    batch: int,
    learning_rate: float,
    ahead: int,
) -> MultiViewWorldModel:
    """Fit a world on single steps, then on what it makes of several in a row.

    Args:
        name: Of the stage.
        model: Fitted in place; its eyes are fitted already.
        data: As `fit_eyes` returns it.
        updates: Half of them on single steps.
        batch: Steps per update.
        learning_rate: At its highest.
        ahead: Steps in a row.

    Returns:
        The model with averaged weights.
    """
    arrivals = data["mask"][:, 1:].bool()
    before = map_tree(lambda leaf: leaf[:, :-1][arrivals], data["observation"])
    model.set_scales(before, map_tree(lambda leaf: leaf[:, 1:][arrivals], data["observation"]))
    fitting = DiffusionFitting(model, learning_rate=learning_rate, updates=updates, average=0.995)
    rng = record.rng(name)
    for step in record.steps(name, updates, keep={"fitting": fitting, "rng": rng}):
        row = 1 if 2 * step < updates else ahead
        rows = max(1, batch // row)
        metrics = fitting.update(steps_with_past(data, rng, rows, model.memory, ahead=row))
        if step % 10 == 0:
            record.log(metrics)
    return fitting.averaged  # type: ignore[return-value]
