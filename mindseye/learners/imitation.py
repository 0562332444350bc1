"""Behaviour cloning: do what was done."""

import torch

from mindseye import ops
from mindseye.agents.policy import PolicyNetwork
from mindseye.core.batch import Batch, Metrics
from mindseye.core.protocols import Learner
from mindseye.core.tree import map_tree
from mindseye.learners.optimiser import Optimiser


class BehaviourCloning(Learner):
    """Maximises the likelihood of recorded actions.

    What is cloned depends on the sampling: whole datasets, or successful episodes only.

    Args:
        network: Trained in place.
        learning_rate: Of Adam.
        weight_decay: Small datasets of successes are easily learned by heart.
    """

    def __init__(
        self, network: PolicyNetwork, *, learning_rate: float = 1e-3, weight_decay: float = 1e-2
    ):
        self.network = network
        self.optimiser = Optimiser(
            network.parameters(), learning_rate=learning_rate, weight_decay=weight_decay
        )

    def update(self, batch: Batch) -> Metrics:
        """One step on segments, fields as in `core.batch`.

        Raises:
            LearnerError: If the loss is not finite.
        """
        taken = batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()
        said = self.network(map_tree(lambda x: x[:, :-1], batch["observation"]))
        log_prob = said.log_prob(map_tree(lambda x: x[:, 1:], batch["action"]))
        loss = -ops.masked_mean(log_prob, taken)
        self.optimiser.step(loss, "behaviour cloning")
        with torch.no_grad():
            entropy = ops.masked_mean(said.entropy(), taken)
        return {"loss/policy": loss.item(), "policy/entropy": entropy.item()}

    def state_dict(self) -> dict:
        """Network and optimiser."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
