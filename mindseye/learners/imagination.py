"""Actor-critic in imagination: a policy learned inside a latent world model, touching no real step.

Follows DreamerV3 (Hafner et al. 2023, 2301.04104, section "actor critic learning"): score-function
policy gradient, λ-returns, a two-hot critic with a slowly moving average of itself as regulariser,
returns scaled by the range between their 5th and 95th percentile.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

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

BINS = 255
"""Classes of the critic: fine enough near 0 for sparse rewards, whatever the limits."""


class ImaginationActorCritic(Learner):
    """Learns a PolicyHead on a model's features from imagined segments.

    Args:
        model: Frozen here.
        policy: What is learned.
        horizon: Imagined steps per update.
        discount: Per step.
        lambda_: Of the λ-return.
        entropy_weight: Pressure to keep exploring inside the dream, per nat.
        learning_rate: Of both actor and critic.
        value_limits: Least and greatest return the critic can say.
        units: Width of the critic's layers.
        least_spread: Returns closer together than this are not stretched further apart.
        slow_rate: Share of the critic that enters its moving average at every update.
    """

    def __init__(
        self,
        model: LatentWorldModel,
        policy: PolicyHead,
        *,
        horizon: int = 15,
        discount: float = 0.97,
        lambda_: float = 0.95,
        entropy_weight: float = 3e-3,
        learning_rate: float = 1e-3,
        value_limits: Sequence[float] = (-100.0, 100.0),
        units: int = 256,
        slow_rate: float = 0.02,
        least_spread: float = 0.1,
    ):
        self.model, self.policy = model, policy
        self.horizon, self.discount, self.lambda_ = horizon, discount, lambda_
        self.entropy_weight, self.slow_rate = entropy_weight, slow_rate
        size = (model.num_features, units, 2)
        self.value = ScalarHead(*size, limits=value_limits, bins=BINS)
        self.slow_value = ScalarHead(*size, limits=value_limits, bins=BINS)
        self.slow_value.load_state_dict(self.value.state_dict())
        self.device = next(model.parameters()).device
        self.nets = nn.ModuleDict({"policy": policy, "value": self.value, "slow": self.slow_value})
        self.nets.to(self.device)
        self.actor = Optimiser(policy.parameters(), learning_rate=learning_rate)
        self.critic = Optimiser(self.value.parameters(), learning_rate=learning_rate)
        self.least_spread = least_spread
        self.spread: float | None = None
        """Moving average of the range of returns, 5th to 95th percentile."""

    def update(self, batch: Tree) -> Metrics:
        """One improvement from a batch of model states.

        Raises:
            LearnerError: If a loss is not finite.
        """
        with fast_arithmetic(self.device):
            return self._update(batch)

    def _update(self, batch: Tree) -> Metrics:
        model = self.model
        with torch.no_grad():
            dream = imagine(model, lambda x: self.policy(x).sample(), batch, self.horizon)
            reached = dream.features[:, 1:]
            reward, continuation = model.reward(reached), model.continuation(reached)
            value, slow = self.value(dream.features), self.slow_value(dream.features[:, :-1])
            target = ops.lambda_return(
                reward, continuation, value[:, 1:], discount=self.discount, lambda_=self.lambda_
            )
            # a state is worth learning from as far as the dream was likely to get there
            alive = torch.cat((torch.ones_like(reward[:, :1]), continuation[:, :-1]), 1)
            weight = (self.discount * alive).cumprod(1) / self.discount
            self._rescale(target)
            advantage = (target - value[:, :-1]) / max(self.spread or 0.0, self.least_spread)
            before = dream.features[:, :-1]
        said = self.policy(before)
        entropy = said.entropy()
        gain = advantage * said.log_prob(dream.action) + self.entropy_weight * entropy
        actor_loss = -(weight * gain).mean()
        self.actor.step(actor_loss, "actor")
        critic_loss = (weight * self.value.loss(before, target, slow)).mean()
        self.critic.step(critic_loss, "critic")
        self._follow()
        return {
            "loss/policy": actor_loss.item(),
            "loss/value": critic_loss.item(),
            "policy/entropy": entropy.mean().item(),
            "dream/return": target[:, 0].mean().item(),
            "dream/reward": reward.mean().item(),
        }

    def _rescale(self, target: Tensor) -> None:
        edges = torch.tensor([0.05, 0.95], device=target.device)
        low, high = torch.quantile(target.flatten(), edges).tolist()
        self.spread = (
            high - low if self.spread is None else 0.99 * self.spread + 0.01 * (high - low)
        )

    @torch.no_grad()
    def _follow(self) -> None:
        pairs = zip(self.slow_value.parameters(), self.value.parameters(), strict=True)
        for slow, fast in pairs:
            slow.lerp_(fast, self.slow_rate)

    def state_dict(self) -> dict:
        """Networks, optimisers and the return scale."""
        return {
            "nets": self.nets.state_dict(),
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "spread": self.spread,
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        self.nets.load_state_dict(state["nets"])
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self.spread = state["spread"]
