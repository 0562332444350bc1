"""A world model that never reconstructs: latents that predict rewards, values and each other.

    latent    z_t = h(o_t),  z'_{t+1} = d(z_t, a_t)
    heads     reward and continuation from z'_{t+1}; value of z_t, to plan beyond a horizon

After TD-MPC2 (Hansen et al. 2024, 2310.16828): latents are groups of softmaxes (SimNorm, eq. 5), so
they can neither explode nor collapse to zero. It has no decoder; where a dream must show something,
it shows the recorded observation whose latent is nearest.
"""

from collections.abc import Sequence

import gymnasium
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mindseye.core.errors import ModelError
from mindseye.core.protocols import Latent, Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree, map_tree
from mindseye.models.layers import BinaryHead, Dense, ScalarHead
from mindseye.models.perception import ObservationEncoder
from mindseye.models.policy import ActionEncoder


class SimplexNorm(nn.Module):
    """Groups of numbers, each group a softmax."""

    def __init__(self, group: int):
        super().__init__()
        self.group = group

    def forward(self, x: Float[Tensor, "*lead latents"]) -> Float[Tensor, "*lead latents"]:
        """Normalise every group."""
        return x.unflatten(-1, (-1, self.group)).softmax(-1).flatten(-2)


class DecoderFreeWorldModel(nn.Module, WorldModel, Latent, Outcomes):
    """Deterministic latent dynamics without reconstruction.

    Args:
        observation_space, action_space: Of one world.
        latents: Width of the latent, a multiple of `group`.
        group: Numbers per softmax.
        units: Width of dense layers.
        depth: Channels of the first convolution, for images.
        reward_limits, value_limits: What the heads can say.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        latents: int = 128,
        group: int = 8,
        units: int = 256,
        depth: int = 16,
        reward_limits: Sequence[float] = (-1.0, 1.0),
        value_limits: Sequence[float] = (-100.0, 100.0),
    ):
        super().__init__()
        self.observation_space, self.action_space = observation_space, action_space
        self.num_features = latents
        self.encoder = ObservationEncoder(observation_space, units=units, depth=depth)
        norm = SimplexNorm(group)
        self.enter = nn.Sequential(nn.Linear(self.encoder.size, latents), norm)
        self.action_encoder = ActionEncoder(action_space)
        inputs = latents + self.action_encoder.size
        self.dynamics = nn.Sequential(Dense(inputs, units, 2), nn.Linear(units, latents), norm)
        self.reward = ScalarHead(latents + inputs, units, 1, limits=reward_limits)
        self.continuation = BinaryHead(latents, units, 1)
        self.value = ScalarHead(latents, units, 2, limits=value_limits)
        self._shown: Tree = None
        self._shown_latents: Tensor | None = None

    def encode(self, observation: Tree) -> Float[Tensor, "*lead latents"]:
        """Latents of observations with any leading axes."""
        return self.enter(self.encoder(observation))

    def advance(
        self, latent: Float[Tensor, "*lead latents"], action: Tree
    ) -> tuple[Float[Tensor, "*lead latents"], Float[Tensor, "*lead evidence"]]:
        """Next latent, and what the reward is read from: both latents and the action."""
        inputs = torch.cat((latent, self.action_encoder(action)), -1)
        after = self.dynamics(inputs)
        return after, torch.cat((after, inputs), -1)

    def initial(self, batch_size: int) -> Tree:
        """Nothing seen: an even latent."""
        weight = self.enter[0].weight
        even = weight.new_full((batch_size, self.num_features), 1 / self.enter[1].group)
        evidence = weight.new_zeros(batch_size, 2 * self.num_features + self.action_encoder.size)
        return {"latent": even, "evidence": evidence}

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """The latent of what is seen; there is no other memory."""
        _, evidence = self.advance(state["latent"], action)
        return {"latent": self.encode(observation), "evidence": evidence}

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """One step of the dynamics."""
        latent, evidence = self.advance(state["latent"], action)
        return {"latent": latent, "evidence": evidence}

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Reward and continuation."""
        return self.reward(state["evidence"]), self.continuation(state["latent"])

    def predict(self, state: Tree) -> Prediction:
        """Reward, continuation, and the nearest shown observation, whose distance is the doubt.

        Raises:
            ModelError: If `show` was never called.
        """
        if self._shown_latents is None:
            raise ModelError("decoder-free model: has nothing to show; call show(observations)")
        reward, continuation = self.outcome(state)
        nearest = torch.cdist(state["latent"], self._shown_latents).min(1)
        observation = map_tree(lambda x: x[nearest.indices], self._shown)
        return Prediction(observation, reward, continuation, nearest.values)

    @torch.no_grad()
    def show(self, observations: Tree) -> None:
        """Keep observations (rows, ...) to show in dreams."""
        self._shown = map_tree(torch.clone, observations)
        self._shown_latents = self.encode(observations)

    def features(self, state: Tree) -> Float[Tensor, "batch features"]:
        """The latent."""
        return state["latent"]
