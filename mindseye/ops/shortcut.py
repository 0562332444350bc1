"""Shortcut forcing: diffusion over sequences of frames that also learns to take long steps.

Every frame of a clip has its own signal level τ, from 0 (noise) to 1 (clean), and a step size d, the
distance the next denoising step will cover; both are multiples of the finest step 1 / `finest`.
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
    shape: tuple[int, ...], finest: int, *, long_share: float
) -> tuple[Int[Tensor, "*shape"], Int[Tensor, "*shape"]]:
    """Signal levels and step sizes to train on, independently for every frame.

    Args:
        shape: Leading axes of the frames.
        finest: Number of the finest steps from noise to clean, a power of two.
        long_share: Probability of a step longer than the finest; 0 is diffusion forcing.

    Returns:
        level, in units of the finest step, from 0 to finest − 1, a multiple of the step; and size,
        the binary logarithm of the step in the same unit.
    """
    longer = torch.randint(1, finest.bit_length(), shape)
    size = longer * (torch.rand(shape) < long_share)
    step = 2**size
    level = (torch.rand(shape) * (finest // step)).long() * step
    return level, size


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


def shortcut_loss(
    predicted: Float[Tensor, "*lead latents"],
    clean: Float[Tensor, "*lead latents"],
    noisy: Float[Tensor, "*lead latents"],
    target: Float[Tensor, "*lead latents"] | None,
    level: Int[Tensor, "*lead"],
    size: Int[Tensor, "*lead"],
    finest: int,
) -> Float[Tensor, "*lead"]:
    """Squared error in the space of clean latents, weighted towards clean frames.

    The finest steps are compared with the data, longer ones with `target`, the mean velocity of two
    half steps, scaled by (1 − τ)² to be an error of clean latents, too. The ramp 0.9 τ + 0.1 puts
    the weight where the signal is.

    Source: Hafner et al. (2025), equations 7 and 8.
    """
    tau = (level / finest).to(predicted.dtype)
    data = (predicted - clean).square().mean(-1)
    if target is not None:
        said = velocity(predicted, noisy, level, finest)
        bootstrap = (1 - tau).square() * (said - target).square().mean(-1)
        data = torch.where(size == 0, data, bootstrap)
    return (0.9 * tau + 0.1) * data


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
