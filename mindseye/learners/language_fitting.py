"""Fitting a small language model to conversations and their answers."""

import math

import torch

from mindseye.core.batch import Batch, Metrics
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.language.small import SmallLanguageModel


class LanguageFitting(Learner):
    """Cross-entropy of the words of answers, in nats per word.

    An answer's words count `weight` times (one number per example, ones unless given).

    Args:
        model: Fitted in place.
        learning_rate: Of all but hidden weights, which Muon moves twice as far.
        warmup: Updates until the rate is reached.
        total: Updates over which the rate then falls to a tenth; None: it stays.
    """

    def __init__(
        self,
        model: SmallLanguageModel,
        *,
        learning_rate: float = 2e-3,
        warmup: int = 20,
        total: int | None = None,
    ):
        self.model, self.learning_rate = model, learning_rate
        self.warmup, self.total, self.done = warmup, total, 0
        network = model.network
        self.optimiser = Optimiser(
            network.parameters(), learning_rate=learning_rate, clip=1.0, matrices=network.matrices()
        )

    def update(self, batch: Batch) -> Metrics:
        """One step on a batch made by `SmallLanguageModel.batch`.

        Raises:
            LearnerError: If the loss is not finite; the model is left as it was.
        """
        self.model.train()
        self.optimiser.set_rate(self.learning_rate * self._share())
        with torch.autocast("cpu", torch.bfloat16):
            log_probs, owner = self.model.log_probs(batch)
        weight = batch["weight"][owner]
        loss = -(weight * log_probs).sum() / weight.sum().clamp(min=1e-6)
        norm = self.optimiser.step(loss, "language")
        self.done += 1
        self.model.eval()
        likely = float((log_probs.detach() > math.log(0.5)).float().mean())
        return {"loss/language": float(loss.detach()), "share/likely": likely, "norm": norm}

    def state_dict(self) -> dict:
        """Weights, optimiser and place."""
        return {
            "network": self.model.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "done": self.done,
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore them."""
        self.model.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.done = state["done"]

    def _share(self) -> float:
        rising = min(1.0, (self.done + 1) / self.warmup)
        if self.total is None:
            return rising
        return rising * (1.0 - 0.9 * min(1.0, self.done / self.total))
