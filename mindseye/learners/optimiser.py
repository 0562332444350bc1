"""One guarded optimiser step, shared by every learner with parameters."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from mindseye.core.errors import LearnerError


class Optimiser:
    """AdamW with clipping of the global gradient norm, refusing updates that are not finite.

    Args:
        parameters: What is optimised.
        learning_rate: Step size.
        clip: Largest global gradient norm.
        weight_decay: Decoupled.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        learning_rate: float,
        clip: float = 100.0,
        weight_decay: float = 0.0,
        eps: float = 1e-8,
    ):
        self.parameters = list(parameters)
        self.clip = clip
        self.adam = torch.optim.AdamW(
            self.parameters, lr=learning_rate, weight_decay=weight_decay, eps=eps, fused=True
        )

    def step(self, loss: Tensor, where: str) -> float:
        """Backpropagate and step; returns the gradient norm before clipping.

        Raises:
            LearnerError: If loss or gradients are not finite; parameters are left untouched.
        """
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip)
        if not torch.isfinite(norm):
            raise LearnerError(
                f"{where}: loss {loss.item():.3g} or its gradient is not finite; "
                "check the data with `mindseye data inspect`, or lower the learning rate"
            )
        self.adam.step()
        return float(norm)

    def set_rate(self, learning_rate: float) -> None:
        """Of the next step."""
        for group in self.adam.param_groups:
            group["lr"] = learning_rate

    def scale_rate(self, factor: float) -> None:
        """Multiply the learning rate of all steps to come."""
        for group in self.adam.param_groups:
            group["lr"] *= factor

    def state_dict(self) -> dict:
        """Adam's state."""
        return self.adam.state_dict()

    def load_state_dict(self, state: dict) -> None:
        """Restore Adam's state."""
        self.adam.load_state_dict(state)
