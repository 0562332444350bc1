"""Distributions over sequences of actions that a planner narrows down.

Shapes: B batch, K candidates, H horizon, A numbers per action, V discrete actions.
"""

import math

import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from mindseye.core.errors import SpecError


class Gaussians:
    """Numbers in a bounded box: a Gaussian per step and dimension, clipped to the box.

    Args:
        space: Bounded box.
        rows, horizon: B and H.
        colour: Exponent β of the noise's power spectrum over time; 0 is white, 2 is smooth
            (Pinneri et al. 2020, 2008.06389).
    """

    def __init__(self, space: spaces.Box, rows: int, horizon: int, colour: float):
        self.shape, self.colour = space.shape, colour
        low, high = (torch.as_tensor(x.reshape(-1)).float() for x in (space.low, space.high))
        if not (torch.isfinite(low).all() and torch.isfinite(high).all()):
            raise SpecError(
                f"planner: expected a bounded action space, got {space}; wrap the world"
            )
        self.low, self.high = low, high
        self.mean = ((low + high) / 2).expand(rows, horizon, -1).clone()
        self.spread = ((high - low) / 2).expand_as(self.mean).clone()
        self.least = 0.02 * (high - low)

    def warm(self, sequence: Tensor) -> None:
        """Centre on a previous plan."""
        self.mean = sequence.flatten(2).float()

    def sample(self, count: int) -> Float[Tensor, "B K H A"]:
        """Candidates."""
        rows, horizon, numbers = self.mean.shape
        noise = _coloured((rows, count, numbers, horizon), self.colour).transpose(2, 3)
        drawn = self.mean.unsqueeze(1) + self.spread.unsqueeze(1) * noise
        return torch.minimum(torch.maximum(drawn, self.low), self.high)

    def refit(self, drawn: Float[Tensor, "B K H A"], weight: Float[Tensor, "B K"]) -> None:
        """Move to the weighted candidates."""
        weight = weight[:, :, None, None]
        self.mean = (weight * drawn).sum(1)
        variance = (weight * (drawn - self.mean.unsqueeze(1)).square()).sum(1)
        self.spread = torch.maximum(variance.sqrt(), self.least)

    def actions(self, drawn: Float[Tensor, "*lead H A"]) -> Tensor:
        """In the action space's own form."""
        return drawn.unflatten(-1, self.shape)


class Categories:
    """Discrete actions: a categorical per step.

    Args:
        space: Discrete.
        rows, horizon: B and H.
    """

    def __init__(self, space: spaces.Discrete, rows: int, horizon: int):
        self.start, self.count = int(space.start), int(space.n)
        self.probability = torch.full((rows, horizon, self.count), 1 / self.count)

    def warm(self, sequence: Tensor) -> None:
        """Half the probability on a previous plan."""
        hot = functional.one_hot(sequence.long() - self.start, self.count).float()
        self.probability = 0.5 * hot + 0.5 / self.count

    def sample(self, count: int) -> Tensor:
        """Candidates, one-hot, (B, K, H, V)."""
        rows, horizon, _ = self.probability.shape
        flat = self.probability.flatten(0, 1)
        index = torch.multinomial(flat, count, replacement=True).view(rows, horizon, count)
        return functional.one_hot(index.transpose(1, 2), self.count).float()

    def refit(self, drawn: Float[Tensor, "B K H V"], weight: Float[Tensor, "B K"]) -> None:
        """Move to the weighted candidates; no action's probability reaches 0."""
        fitted = (weight[:, :, None, None] * drawn).sum(1)
        self.probability = 0.95 * fitted + 0.05 / self.count

    def actions(self, drawn: Float[Tensor, "*lead H V"]) -> Tensor:
        """In the action space's own form."""
        return drawn.argmax(-1) + self.start


def _coloured(shape: tuple[int, ...], beta: float) -> Tensor:
    """Noise of unit variance whose power falls as frequency^−β along the last axis."""
    if beta == 0:
        return torch.randn(shape)
    frequency = torch.fft.rfftfreq(shape[-1])
    frequency[0] = frequency[1] if len(frequency) > 1 else 1.0
    amplitude = frequency ** (-beta / 2)
    spectrum = torch.fft.rfft(torch.randn(shape)) * amplitude
    noise = torch.fft.irfft(spectrum, shape[-1])
    power = torch.cat((amplitude, amplitude[1 : shape[-1] - len(amplitude) + 1])).square().sum()
    return noise / math.sqrt(float(power) / shape[-1])


def candidates(
    space: spaces.Space, rows: int, horizon: int, *, colour: float = 0.0
) -> Gaussians | Categories:
    """The distribution that fits an action space.

    Raises:
        SpecError: If the space is neither Discrete nor a bounded Box.
    """
    if isinstance(space, spaces.Discrete):
        return Categories(space, rows, horizon)
    if isinstance(space, spaces.Box):
        return Gaussians(space, rows, horizon, colour)
    raise SpecError(f"planner: expected a Discrete or Box action space, got {space}")
