"""Q-learning from any source of transitions: replay, a world model, or a mixture."""

import copy

import torch

from mindseye.core.batch import Batch, Metrics
from mindseye.core.protocols import Learner
from mindseye.core.tree import map_tree
from mindseye.learners.optimiser import Optimiser
from mindseye.models.value import ActionValueNetwork


class QLearning(Learner):
    """Deep Q-learning with a periodically copied target (Mnih et al. 2015).

        minimise w · (Q(o, a) − [r + discount · c · max_a' Q̄(o', a')])²

    Args:
        network: Trained in place.
        discount: Per step.
        learning_rate: Of Adam.
        target_period: Updates between copies of the network into the target.
        double: Choose the next action by the network, value it by the target (van Hasselt 2016).
    """

    def __init__(
        self,
        network: ActionValueNetwork,
        *,
        discount: float = 0.99,
        learning_rate: float = 5e-4,
        target_period: int = 100,
        double: bool = True,
        weight_decay: float = 0.0,
    ):
        self.network, self.discount, self.double = network, discount, double
        self.target = copy.deepcopy(network).requires_grad_(False)
        self.target_period, self.updates = target_period, 0
        self.optimiser = Optimiser(
            network.parameters(), learning_rate=learning_rate, weight_decay=weight_decay
        )

    def update(self, batch: Batch) -> Metrics:
        """One step on all neighbouring pairs of rows of a batch of segments.

        Fields as in `core.batch`; `weight` multiplies the squared errors where it is given.

        Raises:
            LearnerError: If the loss is not finite.
        """
        before = map_tree(lambda x: x[:, :-1], batch["observation"])
        after = map_tree(lambda x: x[:, 1:], batch["observation"])
        with torch.no_grad():
            values = self.target(after)
            best = (self.network(after) if self.double else values).argmax(-1, keepdim=True)
            bootstrap = batch["continuation"][:, 1:] * values.gather(-1, best).squeeze(-1)
            target = batch["reward"][:, 1:] + self.discount * bootstrap
        weight = batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()
        if "weight" in batch:
            weight = weight * batch["weight"][:, 1:]
        value = self.network.of(before, batch["action"][:, 1:])
        loss = (weight * (value - target).square()).sum() / weight.sum().clamp(min=1e-8)
        self.optimiser.step(loss, "q-learning")
        self.updates += 1
        if self.updates % self.target_period == 0:
            self.target.load_state_dict(self.network.state_dict())
        return {"loss/value": loss.item(), "value/mean": value.mean().item()}

    def state_dict(self) -> dict:
        """Networks, optimiser and the count of updates."""
        return {
            "network": self.network.state_dict(),
            "target": self.target.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        self.network.load_state_dict(state["network"])
        self.target.load_state_dict(state["target"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.updates = state["updates"]
