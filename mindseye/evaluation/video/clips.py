"""Clips: batches of short videos, uint8 of shape (clips, frames, height, width, 3)."""

import numpy as np
import torch

from mindseye.core.errors import SpecError
from mindseye.core.protocols import WorldModel
from mindseye.core.tree import to_numpy, to_tensor

CHUNK = 512
"""Frames worked on at a time, so that long clips fit into memory."""


def check_clips(*clips: np.ndarray) -> None:
    """Check that arrays are clips of one shape.

    Raises:
        SpecError: If one has another type or shape.
    """
    for array in clips:
        if array.dtype != np.uint8 or array.ndim != 5 or array.shape[-1] != 3:
            raise SpecError(
                "clips: expected uint8 (clips, frames, height, width, 3),"
                f" got {array.dtype} {array.shape}; stack episodes of pictures"
            )
        if array.shape != clips[0].shape:
            raise SpecError(
                f"clips: expected equal shapes, got {clips[0].shape} and {array.shape}; cut them"
            )


def copy_last(clips: np.ndarray, context: int) -> np.ndarray:
    """The clips with everything after the first `context` frames a copy of the last of them."""
    check_clips(clips)
    frozen = clips.copy()
    frozen[:, context:] = clips[:, context - 1 : context]
    return frozen


@torch.inference_mode()
def dream_clips(
    model: WorldModel, clips: np.ndarray, actions: np.ndarray, *, context: int, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """What a model dreams open loop after the first frames of real clips.

    Args:
        model: Over pictures of the clips' size.
        clips: Real clips.
        actions: Shape (clips, frames - 1, ...); `actions[:, t]` leads from frame t to t + 1.
        context: Real frames seen first.

    Returns:
        Clips whose first `context` frames are the real ones, and the model's uncertainty, shape
        (clips, frames - context); zeros where the model does not say.

    Raises:
        SpecError: If clips and actions do not fit together.
    """
    check_clips(clips)
    count, frames = clips.shape[:2]
    if actions.shape[:2] != (count, frames - 1) or not 1 <= context < frames:
        raise SpecError(
            f"dream: expected actions ({count}, {frames - 1}, ...) and a context from 1 to"
            f" {frames - 1}, got {actions.shape} and {context}; give one action between frames"
        )
    dreamt = clips.copy()
    doubts = np.zeros((count, frames - context))
    state = model.initial(count)
    for t in range(context):
        action = actions[:, t - 1] if t else np.zeros_like(actions[:, 0])
        seen, first = to_tensor(clips[:, t], device), torch.full((count,), t == 0, device=device)
        state = model.observe(state, to_tensor(action, device), seen, first)
    for t in range(context, frames):
        state = model.imagine(state, to_tensor(actions[:, t - 1], device))
        said = model.predict(state)
        dreamt[:, t] = to_numpy(said.observation)
        if said.uncertainty is not None:
            doubts[:, t - context] = to_numpy(said.uncertainty)
    return dreamt, doubts
