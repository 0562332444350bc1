"""The latent world model: categorical latents over an interchangeable memory.

    embedding e_t = encoder(o_t)
    posterior q(z_t | e_t)          (with the backbone "rssm": q(z_t | e_t, h_t))
    memory    h_t = backbone(h_{t−1}, mix(z_{t−1}, a_t))
    prior     p(z_t | h_t)
    heads     observation, reward, continuation from [h_t, z_t]

Because the posterior does not look at the memory, all posteriors of a sequence are computed at
once and the backbone trains in parallel over time (Deng et al. 2023, S4WM, 2307.02064). The option
"rssm" gives that up for DreamerV3's recurrent posterior (Hafner et al. 2023, 2301.04104).

Uncertainty is the disagreement of a few small heads that all learned the prior from the same
memory but from different initial weights (Sekar et al. 2020, 2005.05960): their mean total
variation distance to each other's mean, in [0, 1].
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import gymnasium
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mindseye import ops
from mindseye.core.batch import Batch
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Latent, Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree, map_tree
from mindseye.models.backbones import (
    BlockGRUBackbone,
    GRUBackbone,
    StateSpaceBackbone,
    TransformerBackbone,
)
from mindseye.models.layers import BinaryHead, Dense, ScalarHead, mlp
from mindseye.models.perception import ObservationDecoder, ObservationEncoder
from mindseye.models.policy import ActionEncoder

BackboneName = Literal["gru", "transformer", "s4", "rssm"]
_COLDEST = 1e-3
"""Temperature, so that nothing is divided by 0."""
BACKBONES = {
    "gru": GRUBackbone,
    "transformer": TransformerBackbone,
    "s4": StateSpaceBackbone,
    "rssm": BlockGRUBackbone,
}


@dataclass(frozen=True)
class Posteriors:
    """What a model made of a batch of segments: leading axes (batch, time)."""

    deterministic: Float[Tensor, "batch time width"]
    stochastic: Float[Tensor, "batch time latents"]
    """Straight-through samples, variables and classes merged."""
    posterior: Float[Tensor, "batch time variables classes"]
    """Log-probabilities."""
    prior: Float[Tensor, "batch time variables classes"]
    """Log-probabilities."""
    memory_at: Callable[[Tensor, Tensor], Tree]

    @property
    def features(self) -> Float[Tensor, "batch time features"]:
        """Memory and latent side by side."""
        return torch.cat((self.deterministic, self.stochastic), -1)

    def state_at(self, row: Tensor, time: Tensor) -> Tree:
        """Model states at the given rows and times, cut from the graph, ready to imagine from."""
        state = {
            "memory": self.memory_at(row, time),
            "deterministic": self.deterministic[row, time],
            "stochastic": self.stochastic[row, time],
        }
        return map_tree(torch.Tensor.detach, state)


class LatentWorldModel(nn.Module, WorldModel, Latent, Outcomes):
    """A world model for any observation and action space, from the spaces alone.

    Args:
        observation_space, action_space: Of one world.
        backbone: "gru", "transformer", "s4", or "rssm".
        width: Of the memory h.
        units: Of every dense layer.
        variables, classes: Size of the categorical latent.
        depth: Channels of the first convolution, for images.
        reward_limits: Least and greatest reward the model can predict.
        doubters: Heads whose disagreement is the uncertainty; 0 for none.
        memory: Further sizes of the backbone, by the names of its own arguments.

    Raises:
        SpecError: If a space cannot be modelled.
        ConfigError: If the backbone is unknown or does not fit the width.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        backbone: BackboneName = "gru",
        width: int = 256,
        units: int = 256,
        variables: int = 16,
        classes: int = 16,
        depth: int = 16,
        reward_limits: Sequence[float] = (-1.0, 1.0),
        doubters: int = 4,
        memory: Mapping[str, int] | None = None,
    ):
        super().__init__()
        if backbone not in BACKBONES:
            raise ConfigError(f"world model: unknown backbone {backbone!r}; use {list(BACKBONES)}")
        self.observation_space, self.action_space = observation_space, action_space
        self.arguments = {
            "backbone": backbone,
            "width": width,
            "units": units,
            "variables": variables,
            "classes": classes,
            "depth": depth,
            "reward_limits": [float(x) for x in reward_limits],
            "doubters": doubters,
            "memory": dict(memory or {}),
        }
        self.temperature = 1.0
        """Of imagination: below 1 the likelier is likelier still, at 0 nothing else is imagined."""
        self.backbone_name, self.variables, self.classes = backbone, variables, classes
        self.is_recurrent_posterior = backbone == "rssm"
        latents = variables * classes
        self.num_features = width + latents
        self.encoder = ObservationEncoder(observation_space, units=units, depth=depth)
        self.action_encoder = ActionEncoder(action_space)
        seen = self.encoder.size + (width if self.is_recurrent_posterior else 0)
        self.posterior_head = mlp(seen, units, 1, latents)
        self.mix = Dense(latents + self.action_encoder.size, units)
        self.backbone = BACKBONES[backbone](units, width, **(memory or {}))
        self.prior_head = mlp(width, units, 1, latents)
        self.decoder = ObservationDecoder(
            observation_space, features=self.num_features, units=units, depth=depth
        )
        self.reward = ScalarHead(self.num_features, units, 1, limits=reward_limits)
        self.continuation = BinaryHead(self.num_features, units, 1)
        self.doubters = nn.ModuleList(mlp(width, units // 2, 1, latents) for _ in range(doubters))

    # ---- the role of a world model -------------------------------------------------------------

    def initial(self, batch_size: int) -> Tree:
        """State before anything was seen."""
        memory = self.backbone.initial(batch_size)
        zeros = self.prior_head[-1].weight.new_zeros
        return {
            "memory": memory,
            "deterministic": zeros(batch_size, self.backbone.width),
            "stochastic": zeros(batch_size, self.variables * self.classes),
        }

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """Posterior state; rows with is_first forget state and action."""
        keep = (~is_first).float().unsqueeze(-1)
        empty = self.backbone.initial(len(is_first))

        def forget(old: Tensor, new: Tensor) -> Tensor:
            return torch.where(is_first.view(-1, *[1] * (old.ndim - 1)), new, old)

        memory = map_tree(forget, state["memory"], empty)
        inputs = torch.cat((state["stochastic"], self.action_encoder(action)), -1) * keep
        hidden, memory = self.backbone.step(self.mix(inputs), memory)
        log_prob = self._posterior(self.encoder(observation), hidden)
        return self._state(memory, hidden, ops.sample_one_hot(log_prob))

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """A sampled prior state, at the model's `temperature`."""
        inputs = torch.cat((state["stochastic"], self.action_encoder(action)), -1)
        hidden, memory = self.backbone.step(self.mix(inputs), state["memory"])
        log_prob = self._logits(self.prior_head, hidden)
        if self.temperature != 1.0:
            log_prob = (log_prob / max(self.temperature, _COLDEST)).log_softmax(-1)
        sample = ops.straight_through(ops.sample_one_hot(log_prob), log_prob)
        return self._state(memory, hidden, sample)

    def predict(self, state: Tree) -> Prediction:
        """Likeliest observation, mean reward, continuation, and uncertainty."""
        features = self.features(state)
        return Prediction(
            observation=self.decoder.mode(features),
            reward=self.reward(features),
            continuation=self.continuation(features),
            uncertainty=self.doubt(state["deterministic"]) if self.doubters else None,
        )

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Mean reward and continuation, without decoding."""
        features = self.features(state)
        return self.reward(features), self.continuation(features)

    def features(self, state: Tree) -> Float[Tensor, "batch features"]:
        """Memory and latent side by side."""
        return torch.cat((state["deterministic"], state["stochastic"]), -1)

    # ---- learning ------------------------------------------------------------------------------

    def posteriors(self, batch: Batch) -> Posteriors:
        """Read whole segments, the first row of each from an empty memory."""
        embedding = self.encoder(batch["observation"])
        is_first = batch["is_first"].clone()
        is_first[:, 0] = True
        keep = (~is_first).to(embedding.dtype).unsqueeze(-1)
        action = self.action_encoder(batch["action"])
        if self.is_recurrent_posterior:
            return self._recurrent_posteriors(embedding, action, keep, is_first)
        posterior = self._logits(self.posterior_head, embedding)
        sample = ops.straight_through(ops.sample_one_hot(posterior), posterior).flatten(-2)
        before = torch.cat((torch.zeros_like(sample[:, :1]), sample[:, :-1]), 1)
        inputs = self.mix(torch.cat((before, action), -1) * keep)
        hidden, memory_at = self.backbone.sequence(inputs, is_first)
        prior = self._logits(self.prior_head, hidden)
        return Posteriors(hidden, sample, posterior, prior, memory_at)

    def _recurrent_posteriors(
        self, embedding: Tensor, action: Tensor, keep: Tensor, is_first: Tensor
    ) -> Posteriors:
        rows, steps = is_first.shape
        memory = self.backbone.initial(rows)
        sample = embedding.new_zeros(rows, self.variables * self.classes)
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for t in range(steps):
            inputs = torch.cat((sample, action[:, t]), -1) * keep[:, t]
            hidden, memory = self.backbone.step(self.mix(inputs), memory * keep[:, t])
            posterior = self._posterior(embedding[:, t], hidden)
            sample = ops.straight_through(ops.sample_one_hot(posterior), posterior).flatten(-2)
            found.append((hidden, sample, posterior))
        hidden, sample, posterior = (torch.stack(x, 1) for x in zip(*found, strict=True))
        prior = self._logits(self.prior_head, hidden)
        return Posteriors(hidden, sample, posterior, prior, lambda row, time: hidden[row, time])

    def doubt_loss(
        self, deterministic: Float[Tensor, "*lead width"], target: Tensor
    ) -> Float[Tensor, "*lead"]:
        """Cross-entropy of every doubter against the posterior, whose gradient is stopped."""
        probability, hidden = target.detach().exp(), deterministic.detach()
        losses = [-(probability * self._logits(d, hidden)).sum((-2, -1)) for d in self.doubters]
        return torch.stack(losses).sum(0)

    def doubt(self, deterministic: Float[Tensor, "*lead width"]) -> Float[Tensor, "*lead"]:
        """Disagreement of the doubters, in [0, 1]."""
        said = torch.stack([self._logits(d, deterministic).exp() for d in self.doubters])
        return (said - said.mean(0)).abs().sum(-1).mean((0, -1)) / 2

    # ---- parts ---------------------------------------------------------------------------------

    def _logits(self, head: nn.Module, x: Tensor) -> Tensor:
        return ops.unimix(head(x).unflatten(-1, (self.variables, self.classes)))

    def _posterior(self, embedding: Tensor, hidden: Tensor) -> Tensor:
        seen = torch.cat((embedding, hidden), -1) if self.is_recurrent_posterior else embedding
        return self._logits(self.posterior_head, seen)

    def _state(self, memory: Tree, hidden: Tensor, sample: Tensor) -> Tree:
        return {"memory": memory, "deterministic": hidden, "stochastic": sample.flatten(-2)}
