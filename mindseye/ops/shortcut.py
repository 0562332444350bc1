"""Shortcut forcing: diffusion over sequences of frames that also learns to take long steps.

Every frame of a clip has its own signal level τ, from 0 (noise) to 1 (clean), and a step size d,
the distance the next denoising step will cover; both are multiples of the finest, 1 / `finest`.
With one step size, the finest, this is diffusion forcing (Chen et al. 2024, 2407.01392).

Source: Frans et al. (2024), arXiv 2410.12557; Hafner et al. (2025), arXiv 2509.24527, section 3.2.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

Denoise = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(noisy latents, level, size) to clean latents; level and size as integers, see `draw_levels`."""


def draw_levels(
    shape: tuple[int, ...], finest: int, *, is_long: bool
) -> tuple[Int[Tensor, "*shape"], Int[Tensor, "*shape"]]:
    """Signal levels and step sizes to train on, independently for every frame.

    Args:
        shape: Leading axes of the frames.
        finest: Number of the finest steps from noise to clean, a power of two.
        is_long: Whether all steps are longer than the finest; else all are the finest.

    Returns:
        level, in units of the finest step, from 0 to finest − 1, a multiple of the step; and size,
        the binary logarithm of the step in the same unit.
    """
    if is_long:
        size = torch.randint(1, finest.bit_length(), shape)
    else:
        size = torch.zeros(shape, dtype=torch.long)
    step = 2**size
    return (torch.rand(shape) * (finest // step)).long() * step, size


def corrupt(
    clean: Float[Tensor, "*lead latents"], level: Int[Tensor, "*lead"], finest: int
) -> Float[Tensor, "*lead latents"]:
    """(1 − τ) · noise + τ · clean, with noise from torch's global generator."""
    tau = (level / finest).unsqueeze(-1).to(clean.dtype)
    return (1 - tau) * torch.randn_like(clean) + tau * clean


def velocity(
    clean: Float[Tensor, "*lead latents"],
    noisy: Float[Tensor, "*lead latents"],
    level: Int[Tensor, "*lead"],
    finest: int,
) -> Float[Tensor, "*lead latents"]:
    """Direction from noisy to clean latents that would arrive at τ = 1."""
    tau = (level / finest).unsqueeze(-1).to(clean.dtype)
    # a level of 1 never occurs while training; sampling may round to it
    return (clean - noisy) / (1 - tau).clamp(min=0.5 / finest)


@torch.no_grad()
def shortcut_target(
    denoise: Denoise,
    noisy: Float[Tensor, "*lead latents"],
    level: Int[Tensor, "*lead"],
    size: Int[Tensor, "*lead"],
    finest: int,
) -> Float[Tensor, "*lead latents"]:
    """Mean velocity of two steps of half the size: what one step of this size should do.

    Where the size is 0 there are no halves, and the value means nothing.
    """
    half_size = (size - 1).clamp(min=0)
    half = 2**half_size
    first = velocity(denoise(noisy, level, half_size), noisy, level, finest)
    further = noisy + first * (half / finest).unsqueeze(-1)
    middle = (level + half).clamp(max=finest - 1)
    second = velocity(denoise(further, middle, half_size), further, middle, finest)
    return (first + second) / 2


def ramp(level: Int[Tensor, "*lead"], finest: int) -> Float[Tensor, "*lead"]:
    """Weight 0.9 τ + 0.1, more where there is signal.

    Source: Hafner et al. (2025), equation 8.
    """
    return 0.9 * level / finest + 0.1


def forcing_loss(
    predicted: Float[Tensor, "*lead latents"],
    clean: Float[Tensor, "*lead latents"],
    weight: Float[Tensor, "*lead latents"],
) -> Float[Tensor, "*lead"]:
    """Weighted squared error of the finest steps, in the space of clean latents.

    Source: Hafner et al. (2025), equation 7.
    """
    return (weight * (predicted - clean).square()).mean(-1)


def shortcut_loss(
    predicted: Float[Tensor, "*lead latents"],
    noisy: Float[Tensor, "*lead latents"],
    target: Float[Tensor, "*lead latents"],
    weight: Float[Tensor, "*lead latents"],
    level: Int[Tensor, "*lead"],
    finest: int,
) -> Float[Tensor, "*lead"]:
    """Weighted squared error of longer steps against `shortcut_target`, among clean latents.

    Source: Hafner et al. (2025), equation 7.
    """
    said = velocity(predicted, noisy, level, finest)
    scale = (1 - level / finest).square()
    return scale * (weight * (said - target).square()).mean(-1)


def shortcut_sample(
    denoise: Denoise,
    noise: Float[Tensor, "batch latents"],
    steps: int,
    finest: int,
    *,
    is_shortcut: bool = True,
) -> Float[Tensor, "batch latents"]:
    """Clean latents from noise in `steps` equal steps; a power of two, at most `finest`.

    Args:
        is_shortcut: Whether the network is told how long the steps are; one trained by diffusion
            forcing knows the finest alone.
    """
    step = finest // steps
    size = torch.full(noise.shape[:-1], (step.bit_length() - 1) * is_shortcut, device=noise.device)
    latents = noise
    for index in range(steps):
        level = torch.full_like(size, index * step)
        towards = velocity(denoise(latents, level, size), latents, level, finest)
        latents = latents + towards * (step / finest)
    return latents
