"""Proximal policy optimisation: the model-free learner, in any world, real or dreamed."""

from collections.abc import Sequence

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn

from mindseye import ops
from mindseye.agents.policy import PolicyNetwork
from mindseye.core.batch import Batch, Metrics
from mindseye.core.protocols import Learner
from mindseye.core.tree import Tree, map_tree
from mindseye.learners.optimiser import Optimiser
from mindseye.models.layers import mlp
from mindseye.models.perception import ObservationEncoder


class ValueNetwork(nn.Module):
    """Expected return of an observation, in units of the learner's reward scale."""

    def __init__(self, observation_space: gymnasium.Space, *, units: int, depth: int):
        super().__init__()
        self.encoder = ObservationEncoder(observation_space, units=units, depth=depth)
        self.head = mlp(self.encoder.size, units, 1, 1, zero=True)

    def forward(self, observation: Tree) -> Tensor:
        """Values with the leading axes of the observation."""
        return self.head(self.encoder(observation)).squeeze(-1)


class PPO(Learner):
    """Clipped-objective policy gradient on whole episodes (Schulman et al. 2017, 1707.06347).

    Args:
        network: The policy; acts with `explore=True` to make the batches, which must carry
            `log_prob`.
        observation_space: Of one world.
        seed: Of the order of minibatches.
        discount, lambda_: Of generalised advantage estimation.
        clip: Largest trusted change of an action's probability ratio.
        epochs, minibatch: Passes over a batch, and steps per gradient.
        entropy_weight: Pressure to keep exploring, per nat.
        learning_rate: Of policy and value.
    """

    def __init__(
        self,
        network: PolicyNetwork,
        observation_space: gymnasium.Space,
        *,
        seed: int,
        discount: float = 0.99,
        lambda_: float = 0.95,
        clip: float = 0.2,
        epochs: int = 6,
        minibatch: int = 256,
        entropy_weight: float = 0.01,
        learning_rate: float = 1e-3,
        units: int = 128,
        depth: int = 16,
    ):
        self.network, self.clip, self.entropy_weight = network, clip, entropy_weight
        self.discount, self.lambda_ = discount, lambda_
        self.epochs, self.minibatch = epochs, minibatch
        self.value = ValueNetwork(observation_space, units=units, depth=depth)
        self.value.to(next(network.parameters()).device)
        self.rng = np.random.default_rng(seed)
        parameters = [*network.parameters(), *self.value.parameters()]
        self.optimiser = Optimiser(parameters, learning_rate=learning_rate, clip=0.5)

    def update(self, batch: Batch) -> Metrics:
        """Several epochs over padded episodes, fields as in `core.batch`, `log_prob` among them.

        Raises:
            LearnerError: If a loss is not finite.
        """
        taken = (batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()).bool()
        advantage, target = self._targets(batch, taken)
        rows = {
            "observation": map_tree(lambda x: x[:, :-1][taken], batch["observation"]),
            "action": map_tree(lambda x: x[:, 1:][taken], batch["action"]),
            "log_prob": batch["log_prob"][:, 1:][taken],
            "advantage": advantage[taken],
            "target": target[taken],
        }
        count = int(taken.sum())
        totals: dict[str, list[float]] = {}
        for _ in range(self.epochs):
            order = torch.from_numpy(self.rng.permutation(count))
            for index in order.split(self.minibatch):
                for name, value in self._step(map_tree(lambda x, i=index: x[i], rows)).items():
                    totals.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in totals.items()}

    @torch.no_grad()
    def _targets(self, batch: Batch, taken: Tensor) -> tuple[Tensor, Tensor]:
        value = self.value(batch["observation"])
        after = torch.cat((taken[:, 1:], torch.zeros_like(taken[:, :1])), 1)
        advantage = ops.generalised_advantage(
            batch["reward"][:, 1:],
            value[:, :-1],
            value[:, 1:],
            batch["continuation"][:, 1:],
            1 - after.float(),
            discount=self.discount,
            lambda_=self.lambda_,
        )
        return advantage, advantage + value[:, :-1]

    def _step(self, rows: Batch) -> Metrics:
        said = self.network(rows["observation"])
        ratio = (said.log_prob(rows["action"]) - rows["log_prob"]).exp()
        advantage = rows["advantage"]
        if len(advantage) > 1:
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        clipped = ratio.clamp(1 - self.clip, 1 + self.clip)
        policy = -torch.minimum(ratio * advantage, clipped * advantage).mean()
        value = (self.value(rows["observation"]) - rows["target"]).square().mean() / 2
        entropy = said.entropy().mean()
        loss = policy + 0.5 * value - self.entropy_weight * entropy
        self.optimiser.step(loss, "ppo")
        return {
            "loss/policy": policy.item(),
            "loss/value": value.item(),
            "policy/entropy": entropy.item(),
        }

    def _parts(self) -> Sequence[tuple[str, nn.Module | Optimiser]]:
        return ("network", self.network), ("value", self.value), ("optimiser", self.optimiser)

    def state_dict(self) -> dict:
        """Networks, optimiser and the order of minibatches."""
        state = {name: part.state_dict() for name, part in self._parts()}
        return state | {"rng": self.rng.bit_generator.state}

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        for name, part in self._parts():
            part.load_state_dict(state[name])
        self.rng.bit_generator.state = state["rng"]
