"""Weights averaged over updates: what diffusion models sample with."""

import copy

import torch
from torch import nn


class MovingAverage:
    """An exponential moving average of a module's weights.

        θ̄ ← d · θ̄ + (1 − d) · θ,   d = min(decay, (1 + n) / (10 + n)) at update n

    The decay is smaller at first, so that the initial weights are soon forgotten.

    Args:
        module: Whose weights are followed.
        decay: Share kept per update.
    """

    def __init__(self, module: nn.Module, decay: float = 0.999):
        self.source, self.decay, self.updates = module, decay, 0
        self.module = copy.deepcopy(module).requires_grad_(False).eval()
        """The averaged copy."""

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the present weights; buffers are copied."""
        self.updates += 1
        kept = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averaged, present = list(self.module.parameters()), list(self.source.parameters())
        torch._foreach_lerp_(averaged, present, 1 - kept)
        for mine, theirs in zip(self.module.buffers(), self.source.buffers(), strict=True):
            mine.copy_(theirs)

    def state_dict(self) -> dict:
        """Averaged weights and the count of updates."""
        return {"module": self.module.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict) -> None:
        """Restore both."""
        self.module.load_state_dict(state["module"])
        self.updates = state["updates"]
