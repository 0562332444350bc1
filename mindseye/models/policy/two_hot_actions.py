"""Continuous actions as two-hot vectors: nothing is lost, and networks see them in ranges.

Source: Wang et al. (2025), 2509.19080, section on action encoding.
"""

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye import ops
from mindseye.core.errors import SpecError
from mindseye.models.policy.actions import is_bounded


class TwoHotActionEncoder(nn.Module):
    """Every number of a bounded box as weights on its two neighbouring bins; without parameters.

    Gradients pass to the action. `decode` is the inverse for actions inside the box.

    Args:
        space: A Box with bounds.
        bins: Per number, the ends of its range among them.

    Raises:
        SpecError: If the space is no Box with bounds, or there are fewer than two bins.
    """

    low: Tensor
    high: Tensor
    bins: Tensor

    def __init__(self, space: gymnasium.Space, bins: int = 21):
        super().__init__()
        if not isinstance(space, spaces.Box) or not is_bounded(space) or bins < 2:
            raise SpecError(
                f"two-hot actions: expected a Box with bounds and 2 bins or more, got {space} and"
                f" {bins}; use the plain encoding"
            )
        self.shape, self.size = space.shape, bins * int(np.prod(space.shape))
        for name, bound in (("low", space.low), ("high", space.high)):
            self.register_buffer(name, torch.tensor(bound, dtype=torch.float32), persistent=False)
        self.register_buffer("bins", torch.linspace(-1, 1, bins), persistent=False)

    def forward(self, action: Float[Tensor, "*lead"]) -> Float[Tensor, "*lead size"]:
        """Encode actions in the space's own form, with any leading axes; clipped to the box."""
        unit = 2 * (action.float() - self.low) / (self.high - self.low) - 1
        return ops.two_hot(unit, self.bins).flatten(action.ndim - len(self.shape))

    def decode(self, hot: Float[Tensor, "*lead size"]) -> Tensor:
        """Actions in the space's own form."""
        unit = hot.unflatten(-1, (*self.shape, len(self.bins))) @ self.bins
        return self.low + (unit + 1) / 2 * (self.high - self.low)
