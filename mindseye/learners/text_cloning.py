"""Imitation of what was said in texts that list what can be said."""

import torch

from mindseye.core.batch import Batch, Metrics
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.policy.text import TextPolicy


class TextCloning(Learner):
    """Cross-entropy of the choices made, in nats.

    Args:
        policy: What imitates.
        learning_rate: Of the policy.
    """

    def __init__(self, policy: TextPolicy, *, learning_rate: float = 2e-3):
        self.policy = policy
        self.optimiser = Optimiser(policy.parameters(), learning_rate=learning_rate, clip=1.0)

    def update(self, batch: Batch) -> Metrics:
        """One step on `observation` and `action`, lists of texts.

        Raises:
            LearnerError: If the loss is not finite.
        """
        choices = self.policy(batch["observation"])
        loss = -choices.log_prob(batch["action"]).mean()
        self.optimiser.step(loss, "text cloning")
        with torch.no_grad():
            right = [a == b for a, b in zip(choices.mode(), batch["action"], strict=True)]
        return {"loss/cloning": float(loss.detach()), "cloning/agreement": sum(right) / len(right)}

    def state_dict(self) -> dict:
        """Policy and optimiser."""
        return {"policy": self.policy.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore them."""
        self.policy.load_state_dict(state["policy"])
        self.optimiser.load_state_dict(state["optimiser"])
