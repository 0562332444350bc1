"""Diffusion in the form of Karras et al. (2022, 2206.00364), "EDM": noise is measured in σ alone.

A *denoiser* D(x; σ) guesses the clean tensor from one with Gaussian noise of deviation σ. Sampling
follows dx/dσ = (x − D(x; σ)) / σ from much noise to none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mindseye.core.errors import SpecError

Denoise = Callable[[Float[Tensor, "batch *shape"], Float[Tensor, " batch"]], Tensor]
"""Called as denoise(noisy, sigma); returns the guess of the clean tensor, of equal shape."""

Guide = Callable[[Tensor, Tensor, int], Tensor]
"""Called as guide(noisy, clean, step) after the slope of a step is known, but not in the last step;
returns what is added to the sample. `clean` is the denoiser's guess."""


@dataclass(frozen=True)
class Scales:
    """Factors that let a network see and say tensors of unit variance at every σ."""

    skip: Tensor
    out: Tensor
    into: Tensor
    noise: Tensor
    """ln(σ) / 4, shape (batch,): what the network is told of the noise."""


@dataclass(frozen=True)
class Churn:
    """Noise added while sampling, to wash out errors made earlier.

    Source: Karras et al. (2022), algorithm 2.
    """

    amount: float
    """Over all steps; 0 is deterministic sampling."""
    inflation: float = 1.0
    """Factor on the deviation of the added noise."""
    low: float = 0.0
    high: float = float("inf")
    """Noise is added only while σ lies between."""


def scales(sigma: Float[Tensor, " batch"], data_deviation: float, dimensions: int) -> Scales:
    """Preconditioning of a network that works on tensors of the given number of dimensions.

        D(x; σ) = skip · x + out · F(into · x; noise)

    Args:
        sigma: Deviation of the noise, above 0.
        data_deviation: Deviation of clean data.
        dimensions: Of the tensor, the batch axis counted.

    Source: Karras et al. (2022), table 1.
    """
    wide = sigma.reshape(-1, *(1,) * (dimensions - 1))
    total = wide.square() + data_deviation**2
    return Scales(
        skip=data_deviation**2 / total,
        out=wide * data_deviation / total.sqrt(),
        into=1 / total.sqrt(),
        noise=sigma.log() / 4,
    )


def preconditioned(
    network: Callable[[Tensor, Tensor], Tensor], data_deviation: float
) -> Callable[[Tensor, Tensor], Tensor]:
    """The denoiser that a network F(x, ln(σ) / 4) stands for."""

    def denoise(noisy: Tensor, sigma: Tensor) -> Tensor:
        by = scales(sigma, data_deviation, noisy.ndim)
        return by.skip * noisy + by.out * network(by.into * noisy, by.noise)

    return denoise


def denoising_loss(
    network: Callable[[Tensor, Tensor], Tensor],
    clean: Float[Tensor, "batch *shape"],
    sigma: Float[Tensor, " batch"],
    data_deviation: float,
) -> Float[Tensor, " batch"]:
    """Mean squared error of F against its target: of unit size at every σ.

    Equal to (1 / out²) · ‖D(clean + σ ε; σ) − clean‖², Karras et al. (2022), eq. 8. The noise ε
    comes from torch's global generator.
    """
    by = scales(sigma, data_deviation, clean.ndim)
    wide = sigma.reshape(-1, *(1,) * (clean.ndim - 1))
    noisy = clean + wide * torch.randn_like(clean)
    target = (clean - by.skip * noisy) / by.out
    return (network(by.into * noisy, by.noise) - target).square().flatten(1).mean(1)


def draw_sigmas(
    count: int,
    *,
    mean: float = -1.2,
    deviation: float = 1.2,
    low: float = 2e-3,
    high: float = 80.0,
    device: torch.device | str = "cpu",
) -> Float[Tensor, " count"]:
    """Noise to train on: ln σ ~ N(mean, deviation²), clipped, from torch's global generator."""
    return (mean + deviation * torch.randn(count, device=device)).exp().clamp(low, high)


def sigma_schedule(steps: int, *, low: float, high: float, rho: float = 7.0) -> list[float]:
    """Noise before each step of sampling, and the 0 it ends at: steps + 1 numbers.

        σ_i = (high^(1/ρ) + i / (steps − 1) · (low^(1/ρ) − high^(1/ρ)))^ρ

    One step goes from `high` to 0 at once.

    Raises:
        SpecError: If there is no step, or not 0 < low < high.

    Source: Karras et al. (2022), eq. 5.
    """
    if steps < 1 or not 0 < low < high:
        raise SpecError(
            f"sigma_schedule: expected steps of at least 1 and 0 < low < high, got {steps}, {low},"
            f" {high}"
        )
    top, bottom = high ** (1 / rho), low ** (1 / rho)
    between = [top + i / max(1, steps - 1) * (bottom - top) for i in range(steps)]
    return [x**rho for x in between] + [0.0]


def sample(
    denoise: Denoise,
    start: Float[Tensor, "batch *shape"],
    schedule: list[float],
    *,
    second_order: bool = False,
    churn: Churn | None = None,
    guide: Guide | None = None,
) -> Float[Tensor, "batch *shape"]:
    """Turn noise into data.

    Args:
        denoise: The denoiser, with whatever condition it has closed over.
        start: Noise of deviation `schedule[0]`.
        schedule: Decreasing, ends with 0; see `sigma_schedule`.
        second_order: Heun's method: correct every step but the last, at twice the cost.
        churn: Fresh noise, from torch's global generator.
        guide: Nudges the sample.

    Source: Karras et al. (2022), algorithms 1 and 2.
    """
    x = start
    for step in range(len(schedule) - 1):
        sigma, after = schedule[step], schedule[step + 1]
        if churn is not None:
            x, sigma = _churned(x, sigma, churn, len(schedule) - 1)
        clean = denoise(x, _filled(x, sigma))
        slope = (x - clean) / sigma
        reached = x + (after - sigma) * slope
        if second_order and after > 0:
            other = (reached - denoise(reached, _filled(x, after))) / after
            reached = x + (after - sigma) * (slope + other) / 2
        if guide is not None and after > 0:
            reached = reached + guide(x, clean, step)
        x = reached
    return x


def classifier_free(conditional: Denoise, unconditional: Denoise, weight: float) -> Denoise:
    """A denoiser that exaggerates what a condition changes; weight 0 leaves it as it is.

    Source: Ho and Salimans (2022), 2207.12598, eq. 6.
    """

    def denoise(noisy: Tensor, sigma: Tensor) -> Tensor:
        given = conditional(noisy, sigma)
        return given + weight * (given - unconditional(noisy, sigma))

    return denoise


def _filled(x: Tensor, sigma: float) -> Tensor:
    return torch.full((len(x),), sigma, dtype=x.dtype, device=x.device)


def _churned(x: Tensor, sigma: float, churn: Churn, steps: int) -> tuple[Tensor, float]:
    if not churn.low <= sigma <= churn.high:
        return x, sigma
    more = sigma * (1 + min(churn.amount / steps, 2**0.5 - 1))
    added = (more**2 - sigma**2) ** 0.5 * churn.inflation
    return x + added * torch.randn_like(x), more
