"""A world model in the space of frozen features: it predicts what an encoder would see.

    tokens      z_t = encoder(o_t), standardised; what is felt beside pictures joins every token
    prediction  z_{t+1} = z_t + P(z_{≤ t}, a_{≤ t})

Every token reads all patches of its own frame and, through its own past, those of earlier frames;
no frame reads a later one. Nothing that is learned for show or for rewards moves the prediction.
"""

import math

import gymnasium
import torch
from gymnasium import spaces
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye.core.errors import SpecError
from mindseye.core.protocols import Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree
from mindseye.models.backbones.space_time import SpaceTimeTransformer
from mindseye.models.layers import BinaryHead, Dense, mlp
from mindseye.models.perception import leaf_at, named_spaces, nested
from mindseye.models.perception.encoders import FrameEncoder, patchify, unpatchify
from mindseye.models.perception.leaves import is_image
from mindseye.models.policy import ActionEncoder


class FeatureWorldModel(nn.Module, WorldModel, Outcomes):
    """Action-conditioned prediction of patch tokens.

        model = FeatureWorldModel(pictures, actions, encoder)
        model.calibrate(frames)
        learner = FeatureFitting(model)

    Args:
        observation_space: Pictures, or a Dict of pictures, all of the encoder's kind, and vectors.
        action_space: Of one world.
        encoder: Frozen here. Tokens of several pictures are set side by side.
        width, layers, heads: Of the transformer.
        window: Frames read, the present one included.
        units: Of the heads and the decoder.

    Raises:
        SpecError: If there is no picture among the observations, or something else than vectors.

    Source: Zhou et al. (2024), DINO-WM, arXiv 2411.04983. Differs: attention is over space and over
        time in turns; predictions are changes of standardised features.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        encoder: FrameEncoder,
        *,
        width: int = 64,
        layers: int = 2,
        heads: int = 4,
        window: int = 1,
        units: int = 128,
    ):
        super().__init__()
        self.observation_space, self.action_space = observation_space, action_space
        self.arguments = {
            "width": width,
            "layers": layers,
            "heads": heads,
            "window": window,
            "units": units,
        }
        leaves = named_spaces(observation_space)
        self.pictures = [name for name, leaf in leaves.items() if is_image(leaf)]
        self.vectors = {n: x for n, x in leaves.items() if n not in self.pictures}
        self._check()
        self.encoder = encoder.eval().requires_grad_(False)
        self.patches = math.prod(encoder.grid)
        self.num_tokens = self.patches * len(self.pictures)
        felt = sum(math.prod(space.shape) for space in self.vectors.values())
        self.num_features = encoder.num_features + felt
        self.action_encoder = ActionEncoder(action_space)
        self.enter = nn.Linear(self.num_features, width)
        # apart, so that few numbers of actions weigh as much as many features
        self.steer = nn.Linear(self.action_encoder.size, width)
        self.place = nn.Parameter(0.5 * torch.randn(self.num_tokens, width))
        self.net = SpaceTimeTransformer(
            width,
            layers=layers,
            heads=heads,
            time_every=2 if window > 1 else 0,
            window=window,
            soft_cap=None,
        )
        self.leave = nn.Linear(width, self.num_features)
        nn.init.zeros_(self.leave.weight)
        self.register_buffer("mean", torch.zeros(self.num_tokens, self.num_features))
        self.register_buffer("scale", torch.ones(self.num_features))
        shape = leaves[self.pictures[0]].shape
        assert shape is not None
        self.shape = shape[:2]
        side = max(-(-size // cut) for size, cut in zip(shape, encoder.grid, strict=False))
        self.side = side
        self.decoder = mlp(self.num_features, units, 1, 3 * side * side)
        self.register_buffer("background", torch.zeros(self.num_tokens, 3 * side * side))
        self.summary = nn.Linear(self.num_features, 8)
        self.reward_head = nn.Sequential(Dense(8 * self.num_tokens, units), nn.Linear(units, 1))
        self.continuation_head = BinaryHead(8 * self.num_tokens, units, 1)

    def _check(self) -> None:
        shapes = {named_spaces(self.observation_space)[name].shape for name in self.pictures}
        if len(shapes) != 1:
            raise SpecError(
                f"feature world model: expected pictures of one size, got {self.observation_space}"
            )
        for name, space in self.vectors.items():
            if not isinstance(space, spaces.Box):
                raise SpecError(
                    f"feature world model: {name} is {space}; show pictures and vectors"
                )

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return self.place.device

    # ---- features ------------------------------------------------------------------------------

    @torch.no_grad()
    def calibrate(self, observations: Tree) -> None:
        """Standardise features by observations (rows, ...): what never changes does not matter.

        Each feature of each patch loses its mean; each feature is divided by its spread.
        """
        self.mean.zero_()
        self.scale.fill_(1.0)
        raw = self.encode(observations)
        self.mean.copy_(raw.mean(0))
        self.scale.copy_((raw - self.mean).square().mean((0, 1)).sqrt().clamp(min=1e-4))
        # what is standardised away must come back when something is shown
        average = self.seen_pixels(observations).mean(0).permute(0, 3, 1, 2) - 0.5
        down, across = self.encoder.grid
        rest = across * self.side - self.shape[1], down * self.side - self.shape[0]
        whole = functional.pad(average, (0, rest[0], 0, rest[1]))
        self.background.copy_(patchify(whole, self.side).flatten(0, 1))

    @torch.no_grad()
    def encode(self, observation: Tree) -> Float[Tensor, "*lead tokens features"]:
        """Standardised tokens of observations with any leading axes."""
        pictures = [leaf_at(observation, name) for name in self.pictures]
        lead = pictures[0].shape[:-3]
        seen = [self.encoder(x.reshape(-1, *x.shape[-3:])).float() for x in pictures]
        tokens = torch.cat(seen, 1)
        if self.vectors:
            felt = [leaf_at(observation, name).reshape(len(tokens), -1) for name in self.vectors]
            felt = torch.cat(felt, -1).float().unsqueeze(1).expand(-1, self.num_tokens, -1)
            tokens = torch.cat((tokens, felt), -1)
        return ((tokens - self.mean) / self.scale).unflatten(0, lead)

    # ---- the role of a world model -------------------------------------------------------------

    def initial(self, batch_size: int) -> Tree:
        """Average tokens and an empty past."""
        tokens = self.mean.new_zeros(batch_size, self.num_tokens, self.num_features)
        return {"tokens": tokens, "past": self.net.initial(batch_size, self.num_tokens)}

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """The tokens of what is seen; the frame before them, and its action, become the past."""
        past = state["past"]
        if self.net.window > 1:
            _, past = self.net.step(self._entered(state["tokens"], action), past)
        past = {**past, "length": torch.where(is_first, 0, past["length"])}
        return {"tokens": self.encode(observation), "past": past}

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """The next tokens."""
        x, past = self.net.step(self._entered(state["tokens"], action), state["past"])
        return {"tokens": state["tokens"] + self.leave(x).float(), "past": past}

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Reward and continuation."""
        summary = self.summary(state["tokens"]).flatten(-2)
        return self.reward_head(summary).float().squeeze(-1), self.continuation_head(summary)

    def predict(self, state: Tree) -> Prediction:
        """What the decoder shows, and the outcome."""
        return Prediction(self.decode(state["tokens"]), *self.outcome(state))

    def tokens(self, state: Tree) -> Float[Tensor, "batch tokens features"]:
        """What goals are compared with."""
        return state["tokens"]

    def following(
        self,
        tokens: Float[Tensor, "batch time tokens features"],
        action: Tree,
        is_first: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time tokens features"]:
        """The tokens that follow every frame, if `action` is taken *from* it."""
        x = self.net(self._entered(tokens, action), is_first)
        return tokens + self.leave(x).float()

    # ---- showing -------------------------------------------------------------------------------

    def decode(self, tokens: Float[Tensor, "rows tokens features"]) -> Tree:
        """Observations that might have such tokens."""
        shown = self.pixels(tokens)
        shown = (shown * 255).round().clamp(0, 255).to(torch.uint8)
        found = dict(zip(self.pictures, shown.unbind(1), strict=True))
        felt = (tokens * self.scale + self.mean).mean(1)[:, self.encoder.num_features :]
        first = 0
        for name, space in self.vectors.items():
            last = first + math.prod(space.shape)
            low, high = (torch.as_tensor(x, device=felt.device) for x in (space.low, space.high))
            vector = felt[:, first:last].unflatten(-1, space.shape).to(low.dtype)
            found[name], first = torch.minimum(torch.maximum(vector, low), high), last
        return nested(self.observation_space, found)

    def pixels(
        self, tokens: Float[Tensor, "rows tokens features"]
    ) -> Float[Tensor, "rows pictures height width 3"]:
        """Pictures from 0 to 1, decoded patch by patch."""
        patches = self.decoder(tokens).float() + self.background
        patches = patches.unflatten(1, (len(self.pictures), self.patches))
        shown = unpatchify(patches.flatten(0, 1), self.encoder.grid)
        shown = shown[:, :, : self.shape[0], : self.shape[1]].permute(0, 2, 3, 1) + 0.5
        return shown.unflatten(0, (-1, len(self.pictures)))

    def seen_pixels(self, observation: Tree) -> Float[Tensor, "rows pictures height width 3"]:
        """The pictures of observations (rows, ...), from 0 to 1."""
        pictures = [leaf_at(observation, name) for name in self.pictures]
        return torch.stack(pictures, 1).float() / 255

    def _entered(self, tokens: Tensor, action: Tree) -> Tensor:
        steering = self.steer(self.action_encoder(action).to(tokens.dtype))
        return self.enter(tokens) + steering.unsqueeze(-2) + self.place
