"""Agent × world model → segments that never leave tensors.

The counterpart of `rollout` for latent worlds: no NumPy border, no decoding, no resets.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mindseye.core.protocols import Latent
from mindseye.core.tree import Tree, stack

Act = Callable[[Float[Tensor, "batch features"]], Tree]
"""Features to sampled actions in the action space's own form."""


@dataclass(frozen=True)
class Imagined:
    """A batch of imagined segments of H steps from given states."""

    features: Float[Tensor, "batch time_plus_one features"]
    """Of the start and of every state reached."""
    action: Tree
    """Taken from the first H of these states; leaves (batch, H, ...)."""
    state: Tree
    """Last state of every segment."""


def imagine(model: Latent, act: Act, state: Tree, horizon: int) -> Imagined:
    """Follow a policy inside a model for `horizon` steps.

    Gradients flow wherever the model and `act` let them; wrap in `torch.no_grad` where none are
    wanted.

    Args:
        model: A world model whose states have features.
        act: The policy.
        state: Start states, batched.
        horizon: Imagined steps.
    """
    features, actions = [model.features(state)], []
    for _ in range(horizon):
        action = act(features[-1])
        state = model.imagine(state, action)  # type: ignore[attr-defined]
        actions.append(action)
        features.append(model.features(state))
    return Imagined(torch.stack(features, 1), stack(actions, axis=1), state)
