"""Actions of any space as one vector in roughly [-1, 1]: what dynamics and value functions read."""

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.models.perception import leaf_at, named_spaces


class ActionEncoder(nn.Module):
    """Trees of actions to (..., size) floats, without parameters.

    Discrete actions become one-hot (floats are taken to be one-hot already, so that gradients can
    pass), bounded boxes are scaled to [-1, 1], unbounded ones are left as they are.

    Raises:
        SpecError: If the space is of a kind that cannot be encoded.
    """

    def __init__(self, space: spaces.Space):
        super().__init__()
        self.spaces = named_spaces(space)
        self.size = sum(_width(leaf, name) for name, leaf in self.spaces.items())

    def forward(self, action: Tree) -> Float[Tensor, "*lead size"]:
        """Encode."""
        parts = [_encode(space, leaf_at(action, name)) for name, space in self.spaces.items()]
        return torch.cat(parts, -1)


def _width(space: spaces.Space, name: str) -> int:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return int(space.nvec.sum())
    if isinstance(space, spaces.Box | spaces.MultiBinary):
        return int(np.prod(space.shape))
    raise SpecError(
        f"world model: cannot use action{name and ' ' + name} of space {space}; "
        "use Box, Discrete, MultiDiscrete, MultiBinary, or Dict and Tuple of these"
    )


def _encode(space: spaces.Space, action: Tensor) -> Tensor:
    if isinstance(space, spaces.Discrete):
        if action.is_floating_point():
            return action
        # zeros where is_first may lie outside a space that does not start at 0
        index = (action.long() - int(space.start)).clamp(0, int(space.n) - 1)
        return functional.one_hot(index, int(space.n)).float()
    if isinstance(space, spaces.MultiDiscrete):
        if action.is_floating_point():
            return action
        columns = zip(action.long().unbind(-1), space.nvec.tolist(), strict=True)
        return torch.cat([functional.one_hot(a, n).float() for a, n in columns], -1)
    flat = action.float().flatten(action.ndim - len(space.shape or ()))
    if isinstance(space, spaces.Box) and is_bounded(space):
        low = torch.as_tensor(space.low.reshape(-1), dtype=flat.dtype, device=flat.device)
        high = torch.as_tensor(space.high.reshape(-1), dtype=flat.dtype, device=flat.device)
        return 2 * (flat - low) / (high - low) - 1
    return flat


def is_bounded(space: spaces.Box) -> bool:
    """Whether every number of the box has both bounds."""
    return bool(np.isfinite(space.low).all() and np.isfinite(space.high).all())
