"""How like reality is what a world shows, camera by camera."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mindseye.core.protocols import WorldModel
from mindseye.core.report import Measure
from mindseye.core.tree import Tree, stack, take
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.pixels import psnr


@torch.inference_mode()
def shown_under(model: WorldModel, seen: Tree, actions: Tensor) -> Tree:
    """What a world model shows under given actions, beginning with the first real observation.

    Args:
        seen: Real observations, leaves (clips, steps + 1, ...).
        actions: Shape (clips, steps, ...).

    Returns:
        Leaves (clips, steps + 1, ...), the first of them as the model understood it.
    """
    state = model.initial(len(actions))
    first = torch.ones(len(actions), dtype=torch.bool)
    state = model.observe(state, actions[:, 0], take(seen, (slice(None), 0)), first)
    shown = [model.predict(state).observation]
    for action in actions.unbind(1):
        state = model.imagine(state, action)
        shown.append(model.predict(state).observation)
    return stack(shown, 1)


def camera_scores(name: str, shown: Tree, seen: Tree, cameras: Sequence[str]) -> list[Measure]:
    """Measures "psnr/CAMERA/NAME": mean likeness of the frames after the first, over clips."""
    found = []
    for camera in cameras:
        likeness = psnr(shown[camera][:, 1:].numpy(), seen[camera][:, 1:].numpy())
        found.append(mean_measure(f"psnr/{camera}/{name}", likeness.mean(1), "dB"))
    return found


def camera_sheet(shown: Tree, seen: Tree, cameras: Sequence[str], *, every: int = 2) -> np.ndarray:
    """The first clip as a picture: for every camera a line of real frames above one of shown ones.

    Returns:
        uint8 (height, width, 3), four times as large as the frames.
    """
    lines = [side[camera][0, ::every] for camera in cameras for side in (seen, shown)]
    sheet = torch.cat([torch.cat(list(line), 1) for line in lines], 0).numpy()
    return sheet.repeat(4, 0).repeat(4, 1)
