"""Learning from the sign of the advantage: what turned out better than expected, and what worse.

PMPO (Abdolmaleki et al. 2024, 2410.04166) as Dreamer 4 uses it inside its imagination (Hafner et
al. 2025, 2509.24527, equation 11): the size of an advantage does not matter, so tasks of different
reward scales weigh the same, and a frozen prior policy keeps the search near what was seen.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import nn

from mindseye import ops
from mindseye.core.batch import Metrics
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.core.tree import Tree
from mindseye.experience.imagination import imagine
from mindseye.learners.optimiser import Optimiser
from mindseye.models.layers import ScalarHead
from mindseye.models.policy import PolicyHead
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.video import VideoWorldModel


class PreferenceImagination(Learner):
    """Improves a policy on a model's features from imagined segments.

    Args:
        model: Frozen here.
        prior: Where the policy starts and what it is held to; a copy is learned.
        horizon: Imagined steps per update.
        discount, lambda_: Of the λ-return.
        praise: Weight of actions better than expected; the others weigh 1 − praise.
        prior_weight: Of KL(policy ‖ prior), per nat.
        passes: Gradient steps per imagined batch.
        patience: Updates of the value alone before the policy begins to trust it.
        learning_rate: Of policy and value.
        value_limits: Least and greatest return the value can say.
        units: Width of the value's layers.
    """

    def __init__(
        self,
        model: LatentWorldModel | VideoWorldModel,
        prior: PolicyHead,
        *,
        horizon: int = 12,
        discount: float = 0.97,
        lambda_: float = 0.95,
        praise: float = 0.5,
        prior_weight: float = 0.3,
        passes: int = 1,
        patience: int = 0,
        learning_rate: float = 1e-3,
        value_limits: Sequence[float] = (-10.0, 10.0),
        units: int = 128,
    ):
        self.model, self.prior = model, prior
        self.policy = deepcopy(prior).requires_grad_(True)
        self.horizon, self.discount, self.lambda_ = horizon, discount, lambda_
        self.praise, self.prior_weight, self.passes = praise, prior_weight, passes
        self.value = ScalarHead(model.num_features, units, 1, limits=value_limits, bins=127)
        self.device = next(prior.parameters()).device
        self.nets = nn.ModuleDict({"policy": self.policy, "value": self.value}).to(self.device)
        self.actor = Optimiser(self.policy.parameters(), learning_rate=learning_rate)
        self.critic = Optimiser(self.value.parameters(), learning_rate=learning_rate)
        self.patience, self.updates = patience, 0
        self.surprise = torch.zeros(0)
        """Per dream of the last batch, how far the value was from the return, on average."""

    def update(self, batch: Tree) -> Metrics:
        """One improvement from a batch of model states.

        Raises:
            LearnerError: If a loss is not finite.
        """
        with fast_arithmetic(self.device):
            return self._update(batch)

    def _update(self, batch: Tree) -> Metrics:
        with torch.no_grad():
            dream = imagine(self.model, lambda x: self.policy(x).sample(), batch, self.horizon)
            reached = dream.features[:, 1:]
            reward, continuation = self.model.reward(reached), self.model.continuation(reached)
            value = self.value(dream.features)
            target = ops.lambda_return(
                reward, continuation, value[:, 1:], discount=self.discount, lambda_=self.lambda_
            )
            # what happens after an end is not worth learning from
            alive = self.model.continuation(dream.features[:, :-1]).cumprod(1)
            better = target > value[:, :-1]
            before = dream.features[:, :-1]
            first = self.prior(before)
            self.surprise = (target - value[:, :-1]).abs().mean(1)
        for _ in range(self.passes):
            said = self.policy(before)
            log_prob = said.log_prob(dream.action)
            drift = ops.masked_mean(said.kl(first), alive)
            loss = (
                (1 - self.praise) * ops.masked_mean(log_prob, alive * ~better)
                - self.praise * ops.masked_mean(log_prob, alive * better)
                + self.prior_weight * drift
            )
            if self.updates >= self.patience:
                self.actor.step(loss, "policy")
            error = ops.masked_mean(self.value.loss(before, target), alive)
            self.critic.step(error, "value")
        self.updates += 1
        return {
            "loss/policy": loss.item(),
            "loss/value": error.item(),
            "policy/entropy": said.entropy().mean().item(),
            "policy/drift": drift.item(),
            "dream/return": target[:, 0].mean().item(),
            "dream/reward": reward.mean().item(),
        }

    def state_dict(self) -> dict:
        """Networks, optimisers and the number of updates."""
        return {
            "nets": self.nets.state_dict(),
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore them."""
        self.nets.load_state_dict(state["nets"])
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self.updates = state["updates"]
