"""Fitting what denoises: a diffusion world model, or a model of whole sequences."""

import math

import torch
from torch import nn

from mindseye.core.batch import Batch, Metrics
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.diffusion import MovingAverage


class DiffusionFitting(Learner):
    """Minimise the sum of a model's losses; keep an average of its weights to sample with.

        fitting = DiffusionFitting(model)
        for _ in range(1_000):
            fitting.update(replay.sample(64, 2, rng, crossing=False))
        dream = DreamWorld(fitting.averaged, ...)

    Args:
        model: What is fitted, in place: a module with `losses`.
        learning_rate: Of AdamW; rises linearly over `warm_up` updates, falls as a cosine to 0 over
            `updates` if these are given.
        updates: That will be made; 0 keeps the learning rate.
        warm_up: Updates.
        average: Decay of the averaged weights.
        weight_decay: Of AdamW.
        is_fast: Whether products may run in bfloat16: for pictures, where the second digit of a
            number does not matter.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        learning_rate: float = 1e-3,
        updates: int = 0,
        warm_up: int = 100,
        average: float = 0.999,
        weight_decay: float = 0.0,
        is_fast: bool = False,
    ):
        self.model, self.is_fast = model, is_fast
        self.average = MovingAverage(model, average)
        self.optimiser = Optimiser(
            model.parameters(), learning_rate=learning_rate, clip=1.0, weight_decay=weight_decay
        )
        self.learning_rate, self.total, self.warm_up = learning_rate, updates, warm_up

    @property
    def averaged(self) -> nn.Module:
        """The model with averaged weights, frozen."""
        return self.average.module

    def update(self, batch: Batch) -> Metrics:
        """One step, and one of the average.

        Raises:
            LearnerError: If the loss is not finite.
        """
        self.optimiser.set_rate(self._rate())
        if self.is_fast:
            with fast_arithmetic(next(self.model.parameters()).device):
                losses = self.model.losses(batch)  # type: ignore[operator]
        else:
            losses = self.model.losses(batch)  # type: ignore[operator]
        total = torch.stack([loss.float() for loss in losses.values()]).sum()
        norm = self.optimiser.step(total, "diffusion fitting")
        self.average.update()
        return {f"loss/{k}": v.item() for k, v in losses.items()} | {"gradient/norm": norm}

    def _rate(self) -> float:
        done = self.average.updates
        rate = self.learning_rate * min(1.0, (done + 1) / max(1, self.warm_up))
        if self.total:
            rate *= 0.5 * (1 + math.cos(math.pi * min(1.0, done / self.total)))
        return rate

    def state_dict(self) -> dict:
        """Model, its average and the optimiser."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
