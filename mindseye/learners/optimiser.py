"""One guarded optimiser step, shared by every learner with parameters."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from mindseye.core.errors import LearnerError

FASTER = 2.0
"""Muon's step over AdamW's."""


class Optimiser:
    """AdamW with clipping of the global gradient norm, refusing updates that are not finite.

    Args:
        parameters: What is optimised.
        learning_rate: Step size.
        clip: Largest global gradient norm.
        weight_decay: Decoupled.
        matrices: Those of `parameters` that Muon moves instead, `FASTER` times as far: hidden
            weights, two axes each. Small transformers need about half as many updates.

    Source of Muon: Jordan et al. (2024), https://kellerjordan.github.io/posts/muon; step sizes as
        Liu et al. (2025), arXiv 2502.16982.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        learning_rate: float,
        clip: float = 100.0,
        weight_decay: float = 0.0,
        eps: float = 1e-8,
        matrices: Iterable[nn.Parameter] = (),
    ):
        self.parameters, matrices = list(parameters), list(matrices)
        self.clip = clip
        of_muon = {id(matrix) for matrix in matrices}
        rest = [p for p in self.parameters if id(p) not in of_muon]
        self.adam = torch.optim.AdamW(
            rest, lr=learning_rate, weight_decay=weight_decay, eps=eps, fused=True
        )
        self.muon = None
        if matrices:
            self.muon = torch.optim.Muon(
                matrices,
                lr=FASTER * learning_rate,
                weight_decay=weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )

    def step(self, loss: Tensor, where: str) -> float:
        """Backpropagate and step; returns the gradient norm before clipping.

        Raises:
            LearnerError: If loss or gradients are not finite; parameters are left untouched.
        """
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip)
        if not torch.isfinite(norm):
            raise LearnerError(
                f"{where}: loss {loss.item():.3g} or its gradient is not finite; "
                "check the data with `mindseye data inspect`, or lower the learning rate"
            )
        self.adam.step()
        if self.muon is not None:
            self.muon.step()
        return float(norm)

    def set_rate(self, learning_rate: float) -> None:
        """Of the next step."""
        for group in self.adam.param_groups:
            group["lr"] = learning_rate
        for group in self.muon.param_groups if self.muon else ():
            group["lr"] = FASTER * learning_rate

    def scale_rate(self, factor: float) -> None:
        """Multiply the learning rate of all steps to come."""
        for group in self.adam.param_groups + (self.muon.param_groups if self.muon else []):
            group["lr"] *= factor

    def state_dict(self) -> dict:
        """Adam's state, and Muon's."""
        muon = {} if self.muon is None else {"muon": self.muon.state_dict()}
        return {"adam": self.adam.state_dict(), **muon}

    def load_state_dict(self, state: dict) -> None:
        """Restore them."""
        self.adam.load_state_dict(state["adam"])
        if self.muon is not None:
            self.muon.load_state_dict(state["muon"])
