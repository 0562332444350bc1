"""Learning to see without being told what matters."""

import math

import torch

from mindseye.core.batch import Batch, Metrics
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.perception.vision import HiddenPatches


class HiddenPatchFitting(Learner):
    """Hides a share of every frame's patches and learns to tell all of them.

    Args:
        task: Fitted in place, its encoder with it; calibrated before.
        share: Of patches hidden, 0 to 1.
        learning_rate: Of AdamW, at first.
        decay: Factor of the learning rate per update.
        weight_decay: Decoupled.
    """

    def __init__(
        self,
        task: HiddenPatches,
        *,
        share: float = 0.5,
        learning_rate: float = 1e-3,
        decay: float = 1.0,
        weight_decay: float = 0.01,
    ):
        self.task, self.share, self.decay = task, share, decay
        self.optimiser = Optimiser(
            task.parameters(), learning_rate=learning_rate, weight_decay=weight_decay, clip=1.0
        )

    def update(self, batch: Batch) -> Metrics:
        """One step on `observation`, frames with leading axes (batch, time) or (batch,).

        Raises:
            LearnerError: If the loss is not finite.
        """
        frames = batch["observation"]
        frames = frames.reshape(-1, *frames.shape[-3:])
        patches = math.prod(self.task.encoder.grid)
        hidden = torch.rand(len(frames), patches, device=frames.device) < self.share
        with fast_arithmetic(frames.device):
            losses = self.task.loss(frames, hidden)
        norm = self.optimiser.step(losses.mean(), "hidden patches")
        self.optimiser.scale_rate(self.decay)
        unseen = losses[hidden].mean() if hidden.any() else losses.mean()
        return {
            "loss/hidden": unseen.item(),
            "loss/all": losses.mean().item(),
            "gradient/norm": norm,
        }

    def state_dict(self) -> dict:
        """Task and optimiser."""
        return {"task": self.task.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both."""
        self.task.load_state_dict(state["task"])
        self.optimiser.load_state_dict(state["optimiser"])
