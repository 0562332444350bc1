"""A recurrent world model with mixture densities, whose dropout masks make every dream another one.

    code     z_t = o_t for vectors; for pictures the mean of a variational encoder q(z | o_t)
    memory   h_{t+1}, c_{t+1} = LSTM([m_z · z_t, a_t], m_h · h_t, c_t)
    heads    p(z_{t+1} | h_{t+1}, z_t, a_t) a mixture of Gaussians
             reward and continuation from [h_{t+1}, z_{t+1}]

The masks m_z and m_h are part of the state: a dream keeps its own from its first observation on,
takes them along when it is saved, copied or branched, and draws new ones when it is reset. Actions
are never masked: an agent must not learn that what it does has no effect. `observe`, which tracks
what really happened, uses no masks.

Source: Wellmer and Kwok (2021), arXiv 2109.08342; memory and mixture of Ha and Schmidhuber (2018),
arXiv 1803.10122. Masks held over time: Gal and Ghahramani (2016), arXiv 1512.05287.
"""

import math
from typing import Literal

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mindseye.core.errors import ConfigError, SpecError
from mindseye.core.protocols import Latent, Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree
from mindseye.models.perception.images import ImageDecoder, ImageEncoder
from mindseye.models.perception.leaves import is_image
from mindseye.models.policy import ActionEncoder
from mindseye.models.world.mixture import MixtureHead, MixtureKind

MaskScope = Literal["episode", "step", "none"]


class DropoutWorldModel(nn.Module, WorldModel, Latent, Outcomes):
    """A world model that dreams with dropout.

        model = DropoutWorldModel(observation_space, action_space, dream_dropout=0.1)
        state = model.imagine(model.initial(16), actions)    # sixteen simulators, not one

    Args:
        observation_space: Of one world: a Box of numbers of about one, or a picture.
        action_space: Of one world.
        width: Of the memory.
        components: Gaussians of the mixture.
        mixture: "dimension" gives every number of the code a mixture of its own, as in the paper;
            "joint" gives the code one, so that numbers that belong together are drawn together.
        scale: Factor on vectors, such that differences that matter are about one.
        noise: Deviation of the noise that vectors get while fitting, in units of the code, so that
            the memory learns to live with codes that it has drawn itself. Pictures have their own.
        code_size: Numbers that stand for a picture; a vector stands for itself.
        depth: Channels of the first convolution, for pictures.
        dropout: Share of the code and of the memory dropped while fitting, in [0, 1).
        dream_dropout: The same while dreaming.
        mask_scope: Masks hold for an "episode", are drawn anew each "step", or there are "none".

    Raises:
        ConfigError: If a rate is outside [0, 1) or the scope is unknown.
        SpecError: If observations are neither a vector nor a picture.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        width: int = 512,
        components: int = 5,
        mixture: MixtureKind = "dimension",
        scale: float = 1.0,
        noise: float = 0.1,
        code_size: int = 64,
        depth: int = 32,
        dropout: float = 0.05,
        dream_dropout: float = 0.1,
        mask_scope: MaskScope = "episode",
    ):
        super().__init__()
        for name, rate in (("dropout", dropout), ("dream_dropout", dream_dropout)):
            if not 0 <= rate < 1:
                raise ConfigError(f"dropout world model: expected {name} in [0, 1), got {rate}")
        if mask_scope not in ("episode", "step", "none"):
            raise ConfigError(f"dropout world model: no mask_scope {mask_scope!r}; use 'episode'")
        self.observation_space, self.action_space = observation_space, action_space
        self.width, self.dropout = width, dropout
        self.dream_dropout, self.mask_scope = dream_dropout, mask_scope
        self.code = _code(observation_space, scale, noise, code_size, depth)
        self.action_encoder = ActionEncoder(action_space)
        self.num_features = self.code.size + 2 * width
        self.memory = nn.LSTMCell(self.code.size + self.action_encoder.size, width)
        self.next_code = MixtureHead(
            width + self.code.size + self.action_encoder.size, self.code.size, components, mixture
        )
        self.outcomes = nn.Sequential(
            nn.Linear(width + self.code.size, width), nn.SiLU(), nn.Linear(width, 2)
        )

    # ---- the role of a world model -------------------------------------------------------------

    def initial(self, batch_size: int) -> Tree:
        """State before anything was seen, with masks of its own."""
        zeros = self.memory.weight_hh.new_zeros
        return {
            "code": zeros(batch_size, self.code.size),
            "hidden": zeros(batch_size, self.width),
            "cell": zeros(batch_size, self.width),
            **self._dream_masks(batch_size),
        }

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """What happened, without dropout. Rows with is_first forget, and draw new masks."""
        fresh = self._dream_masks(len(is_first))
        first = is_first.unsqueeze(-1)
        hidden, cell = self.remember(state, self.action_encoder(action), None)
        return {
            "code": self.code.encode(observation),
            "hidden": hidden.masked_fill(first, 0.0),
            "cell": cell.masked_fill(first, 0.0),
            **{name: torch.where(first, fresh[name], state[name]) for name in fresh},
        }

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """A state that this row's simulator might reach, drawn from the mixture."""
        masks = {name: state[name] for name in ("code_mask", "hidden_mask")}
        if self.mask_scope == "step":
            masks = self._dream_masks(len(state["code"]))
        encoded = self.action_encoder(action)
        hidden, cell = self.remember(state, encoded, masks)
        code = self.next_code.sample(torch.cat((hidden, state["code"], encoded), -1))
        return {"code": code, "hidden": hidden, "cell": cell, **masks}

    def predict(self, state: Tree) -> Prediction:
        """Observation of the code, expected reward, continuation."""
        reward, continuation = self.outcome(state)
        return Prediction(self.code.decode(state["code"]), reward, continuation)

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Expected reward and continuation, without decoding."""
        reward, logit = self.outcome_logits(state["hidden"], state["code"])
        return reward, logit.sigmoid()

    def features(self, state: Tree) -> Float[Tensor, "batch features"]:
        """Code, memory and cell side by side."""
        return torch.cat((state["code"], state["hidden"], state["cell"]), -1)

    # ---- parts ---------------------------------------------------------------------------------

    def remember(
        self, state: Tree, action: Float[Tensor, "batch _"], masks: dict[str, Tensor] | None
    ) -> tuple[Float[Tensor, "batch width"], Float[Tensor, "batch width"]]:
        """Memory and cell after an encoded action; masks, if any, cover code and memory only."""
        code, hidden = state["code"], state["hidden"]
        if masks is not None:
            code, hidden = code * masks["code_mask"], hidden * masks["hidden_mask"]
        return self.memory(torch.cat((code, action), -1), (hidden, state["cell"]))

    def outcome_logits(
        self, hidden: Float[Tensor, "*lead width"], code: Float[Tensor, "*lead code"]
    ) -> tuple[Float[Tensor, "*lead"], Float[Tensor, "*lead"]]:
        """Reward and log-odds of continuation on arriving at a memory and a code."""
        reward, logit = self.outcomes(torch.cat((hidden, code), -1)).unbind(-1)
        return reward, logit

    def masks(self, batch_size: int, rate: float) -> dict[str, Tensor]:
        """Masks of code and memory: 0 with probability `rate`, else 1 / (1 − rate)."""
        device = self.memory.weight_hh.device
        sizes = {"code_mask": self.code.size, "hidden_mask": self.width}
        if rate == 0:
            return {name: torch.ones(batch_size, n, device=device) for name, n in sizes.items()}
        return {
            name: (torch.rand(batch_size, n, device=device) >= rate).float() / (1 - rate)
            for name, n in sizes.items()
        }

    def _dream_masks(self, batch_size: int) -> dict[str, Tensor]:
        return self.masks(batch_size, 0.0 if self.mask_scope == "none" else self.dream_dropout)


class FeatureDream(WorldModel):
    """The same dream seen from inside: observations are the model's features [z, h, c].

    An agent trained here acts on what the dream itself feels like, masks included. In the real
    world it needs a model that tracks these features; see `agents.linear.TrackingAgent`.

    Args:
        model: What dreams; shared, not copied.
    """

    def __init__(self, model: DropoutWorldModel):
        self.model = model
        self.observation_space = spaces.Box(-np.inf, np.inf, (model.num_features,), np.float32)
        self.action_space = model.action_space

    def initial(self, batch_size: int) -> Tree:
        """As the model says."""
        return self.model.initial(batch_size)

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """The state whose features were observed; rows with is_first get new masks."""
        sizes = (self.model.code.size, self.model.width, self.model.width)
        code, hidden, cell = observation.split(sizes, -1)
        masks = self.model.initial(len(is_first))
        kept = {
            name: torch.where(is_first.unsqueeze(-1), masks[name], state[name])
            for name in ("code_mask", "hidden_mask")
        }
        return {"code": code, "hidden": hidden, "cell": cell, **kept}

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """As the model says."""
        return self.model.imagine(state, action)

    def predict(self, state: Tree) -> Prediction:
        """Features, expected reward, continuation."""
        reward, continuation = self.model.outcome(state)
        return Prediction(self.model.features(state), reward, continuation)

    @torch.no_grad()
    def first_features(self, observation: Tree) -> Float[Tensor, "batch features"]:
        """Features after the first observation of an episode: its code, and an empty memory."""
        code = self.model.code.encode(observation)
        return torch.cat((code, code.new_zeros(len(code), 2 * self.model.width)), -1)


class VectorCode(nn.Module):
    """A vector stands for itself, times a factor."""

    def __init__(self, space: spaces.Box, scale: float, noise: float):
        super().__init__()
        self.shape, self.size = space.shape, math.prod(space.shape)
        self.scale, self.noise = scale, noise

    def encode(self, observation: Tensor) -> Float[Tensor, "*lead size"]:
        """Flatten and scale."""
        return self.scale * observation.float().flatten(observation.ndim - len(self.shape))

    def encoded(self, observation: Tensor) -> Float[Tensor, "*lead size"]:
        """The same with noise."""
        code = self.encode(observation)
        return code + self.noise * torch.randn_like(code)

    def decode(self, code: Float[Tensor, "batch size"]) -> Tensor:
        """The inverse."""
        return code.unflatten(-1, self.shape) / self.scale


class PictureCode(nn.Module):
    """A variational autoencoder of pictures: the code is the mean of q(z | picture).

    Args:
        space: Of the pictures, uint8 (height, width, channels).
        size: Numbers in a code.
        depth: Channels of the first convolution.
    """

    def __init__(self, space: spaces.Box, size: int, depth: int):
        super().__init__()
        self.shape, self.size = space.shape, size
        self.encoder = ImageEncoder(space.shape, depth)  # type: ignore[arg-type]
        self.mean = nn.Linear(self.encoder.size, size)
        self.log_variance = nn.Linear(self.encoder.size, size)
        self.decoder = ImageDecoder(space.shape, depth, size)  # type: ignore[arg-type]

    def encode(self, observation: Tensor) -> Float[Tensor, "*lead size"]:
        """Means."""
        return self._distribution(observation)[0]

    def encoded(self, observation: Tensor) -> Float[Tensor, "*lead size"]:
        """Samples, with standard deviation exp(log variance / 2)."""
        mean, log_variance = self._distribution(observation)
        return mean + torch.randn_like(mean) * (log_variance / 2).exp()

    def decode(self, code: Float[Tensor, "batch size"]) -> Tensor:
        """Pictures."""
        return self.decoder.mode(code)

    def loss(self, picture: Tensor, free_nats: float) -> tuple[Tensor, Tensor]:
        """Squared error summed over pixels, and divergence from N(0, 1); mean over pictures.

        Args:
            picture: uint8 (pictures, height, width, channels).
            free_nats: Divergence of a whole code that costs nothing.
        """
        mean, log_variance = self._distribution(picture)
        code = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)
        error = 2 * self.decoder.loss(code, picture)
        return error.mean(), divergence.clamp(min=free_nats).mean()

    def _distribution(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        lead = observation.shape[:-3]
        seen = self.encoder(observation.reshape(-1, *self.shape))
        return self.mean(seen).unflatten(0, lead), self.log_variance(seen).unflatten(0, lead)


def _code(
    space: gymnasium.Space, scale: float, noise: float, size: int, depth: int
) -> VectorCode | PictureCode:
    if is_image(space):
        assert isinstance(space, spaces.Box)
        return PictureCode(space, size, depth)
    if isinstance(space, spaces.Box) and np.dtype(space.dtype).kind == "f":
        return VectorCode(space, scale, noise)
    raise SpecError(f"dropout world model: expected vectors or pictures, got {space}; encode them")
