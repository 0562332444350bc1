"""A diffusion model from experience: of the next observation, or of whole windows."""

from torch import nn

from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.experience import Replay
from mindseye.learners.diffusion_fitting import DiffusionFitting
from mindseye.models.diffusion.episodes import EpisodeDiffusion
from mindseye.models.world.diffusion import DiffusionWorldModel

_SCALE_SEGMENTS = 2_000
"""Segments that the scales of numbers are measured on."""


def fit_diffusion(
    run: Run,
    model: DiffusionWorldModel | EpisodeDiffusion,
    replay: Replay,
    *,
    updates: int,
    batch_size: int,
    rows: int,
    learning_rate: float = 2e-3,
    average: float = 0.995,
    stage: str = "diffusion",
) -> nn.Module:
    """Measure a model's scales, then fit it to segments within episodes.

    Args:
        updates: Gradient steps; the learning rate falls to 0 over them.
        batch_size, rows: Segments per step, and their rows.
        average: Decay of the averaged weights.

    Returns:
        The model with averaged weights, frozen.
    """
    rng = run.rng(f"{stage}/segments")
    some = to_tensor(replay.sample(_SCALE_SEGMENTS, rows, rng, crossing=False), run.device)
    if isinstance(model, EpisodeDiffusion):
        model.set_scales(some)
    else:
        known = some["mask"][:, 1].bool()
        model.set_scales(*(some["observation"][:, t][known] for t in (0, 1)))
    fitting = DiffusionFitting(model, learning_rate=learning_rate, updates=updates, average=average)
    for step in run.steps(stage, updates, keep={"fitting": fitting, "rng": rng}):
        batch = replay.sample(batch_size, rows, rng, crossing=False)
        metrics = fitting.update(to_tensor(batch, run.device))
        if step % 20 == 0:
            run.log(metrics)
    return fitting.averaged
