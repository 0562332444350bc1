"""A world that is video: a tokenizer, and a transformer that denoises one frame after the other.

    latents   z_t = tokenizer(o_1 … o_t)
    dynamics  ẑ_t = f(past, noisy z_t, level τ, step size, a_t)      denoised in `steps` steps
    agent     h_t = f(past, z_t, a_t) at a token that reads all others and that none reads
    heads     reward, continuation and the next actions from [h_t, z_t]

A frame is `spatial` tokens of latents and the agent's token, all of which are told the action, the
signal level and the step size. A token is also told the latents of the frame before, and the
network says what to add to a guess between the two, because copying what stands still is most of
the work. Frames whose action was not recorded are told nothing of it, so that video without actions
teaches the same network. What has been denoised joins the past slightly noised, as
in training.

Source: Hafner et al. (2025), Dreamer 4, arXiv 2509.24527, section 3.
"""

from collections.abc import Mapping, Sequence

import gymnasium
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mindseye import ops
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Latent, Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree
from mindseye.models.backbones.space_time import Modulation, SpaceTimeTransformer
from mindseye.models.layers import BinaryHead, ScalarHead
from mindseye.models.perception.leaves import is_image
from mindseye.models.policy import ActionEncoder, PolicyHead
from mindseye.models.video import ActionAdapter, VideoTokenizer

MEMORY_NOISE = 0.05
"""Of frames that join the past, in the unit of latents."""


class VideoWorldModel(nn.Module, WorldModel, Latent, Outcomes):
    """A world model over pictures.

    Args:
        observation_space: Pictures, a uint8 Box of (height, width, channels).
        action_space: Of one world.
        tokenizer: Sizes of the `VideoTokenizer`, by the names of its own arguments.
        dynamics: Sizes of the `SpaceTimeTransformer`, by the names of its own arguments.
        width: Of the dynamics.
        spatial: Tokens that the latents of a frame are packed into.
        finest: Denoising steps at the finest, a power of two.
        steps: Denoising steps per imagined frame; may be changed at any time.
        scale: Of latents where noise is added. Frames of many numbers shine through much noise, and
            then nothing is left to learn of the action and the past; the smaller, the less.
        is_shortcut: Whether the network was taught steps longer than the finest.
        ahead: Actions that the agent token foretells.
        is_adapted: Whether actions speak through an `ActionAdapter` instead of the tokens, so that
            a model of video without actions can be frozen and still be steered.
        units: Of the heads.
        reward_limits: Least and greatest reward the model can predict.

    Raises:
        SpecError: If observations are no pictures, or latents cannot be packed evenly.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        tokenizer: Mapping[str, int | float] | None = None,
        dynamics: Mapping[str, int | float] | None = None,
        width: int = 128,
        spatial: int = 2,
        finest: int = 16,
        steps: int = 4,
        scale: float = 0.4,
        is_shortcut: bool = True,
        ahead: int = 4,
        is_adapted: bool = False,
        units: int = 128,
        reward_limits: Sequence[float] = (-1.0, 1.0),
    ):
        super().__init__()
        if not is_image(observation_space):
            raise SpecError(
                f"video world: expected pictures, got {observation_space}; "
                'ask the world for observation="pixels" or use a latent world model'
            )
        self.observation_space, self.action_space = observation_space, action_space
        self.arguments = {
            "tokenizer": dict(tokenizer or {}),
            "dynamics": dict(dynamics or {}),
            "width": width,
            "spatial": spatial,
            "finest": finest,
            "steps": steps,
            "scale": scale,
            "is_shortcut": is_shortcut,
            "ahead": ahead,
            "is_adapted": is_adapted,
            "units": units,
            "reward_limits": [float(x) for x in reward_limits],
        }
        self.finest, self.steps, self.is_shortcut = finest, steps, is_shortcut
        self.scale, self.clear = scale, finest - 1
        """Level that the network is told of frames that have joined the past."""
        self.spatial = spatial
        self.tokenizer = VideoTokenizer(observation_space.shape or (), **(tokenizer or {}))
        if self.tokenizer.size % spatial:
            raise SpecError(
                f"video world: {self.tokenizer.size} latent numbers do not pack into {spatial}"
                " tokens; choose spatial so that it divides latents * latent_width"
            )
        self.num_features = width + self.tokenizer.size
        self.action_encoder = ActionEncoder(action_space)
        self.dynamics = SpaceTimeTransformer(width, **(dynamics or {}))
        self.enter = nn.Linear(2 * self.tokenizer.size // spatial, width)
        self.leave = nn.Linear(width, self.tokenizer.size // spatial)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.acted = nn.Linear(self.action_encoder.size, width)
        # until actions are learned, knowing one says nothing
        nn.init.zeros_(self.acted.weight)
        nn.init.zeros_(self.acted.bias)
        self.adapter = None
        if is_adapted:
            nn.init.normal_(self.acted.weight)
            layers = len(self.dynamics.blocks)
            self.adapter = ActionAdapter(width, width=width, layers=layers)
        self.condition = nn.Parameter(0.02 * torch.randn(width))
        self.level = nn.Embedding(finest, width)
        self.size = nn.Embedding(finest.bit_length(), width)
        for table in (self.level, self.size):
            # as loud as the rest, or latents could not be heard above them
            nn.init.normal_(table.weight, std=0.02)
        self.slots = nn.Parameter(0.02 * torch.randn(spatial, width))
        self.agent = nn.Parameter(0.02 * torch.randn(width))
        visible = torch.ones(spatial + 1, spatial + 1, dtype=torch.bool, device="cpu")
        visible[:-1, -1] = False
        self.register_buffer("visible", visible, persistent=False)
        self.reward = ScalarHead(self.num_features, units, 1, limits=reward_limits)
        self.continuation = BinaryHead(self.num_features, units, 1)
        self.policies = nn.ModuleList(
            PolicyHead(action_space, features=self.num_features, units=units, layers=1)
            for _ in range(ahead)
        )

    # ---- the role of a world model -------------------------------------------------------------

    def initial(self, batch_size: int) -> Tree:
        """State before anything was seen."""
        zeros = self.slots.new_zeros
        return {
            "seen": self.tokenizer.initial(batch_size),
            "past": self.dynamics.initial(batch_size, self.spatial + 1),
            "latents": zeros(batch_size, self.tokenizer.size),
            "before": zeros(batch_size, self.tokenizer.size),
            "features": zeros(batch_size, self.num_features),
        }

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """The frame joins the past; rows with is_first forget theirs."""
        length = state["seen"]["length"] * ~is_first
        latents, seen = self.tokenizer.encode_step(observation, {**state["seen"], "length": length})
        return self.remember({**state, "seen": seen}, action, latents, is_first)

    def remember(
        self,
        state: Tree,
        action: Tree,
        latents: Float[Tensor, "batch size"],
        is_first: Bool[Tensor, " batch"],
    ) -> Tree:
        """As `observe`, of a frame that has been encoded before."""
        past = {**state["past"], "length": state["past"]["length"] * ~is_first}
        before = state["before"] * ~is_first.unsqueeze(-1)
        state = {**state, "past": past, "before": before}
        return self._joined(state, latents, self.condition_on(action, ~is_first))

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """A frame denoised from noise, which then joins the past."""
        return self.unfold(state, self.condition_on(action, None))

    def unfold(self, state: Tree, told: Float[Tensor, "batch width"]) -> Tree:
        """As `imagine`, told what `condition_on` says: perhaps nothing of the action."""

        def denoise(noisy: Tensor, level: Tensor, size: Tensor) -> Tensor:
            return self._step(noisy, level, size, told, state)[0]

        noise = torch.randn_like(state["latents"])
        latents = ops.shortcut_sample(
            denoise, noise, self.steps, self.finest, is_shortcut=self.is_shortcut
        )
        return self._joined(state, (latents / self.scale).clamp(-1, 1), told)

    def predict(self, state: Tree) -> Prediction:
        """The decoded frame, mean reward and continuation."""
        frame = self.tokenizer.decode(state["latents"])
        reward, continuation = self.outcome(state)
        return Prediction((255 * frame).clamp(0, 255), reward, continuation)

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Mean reward and continuation, without decoding."""
        return self.reward(state["features"]), self.continuation(state["features"])

    def features(self, state: Tree) -> Float[Tensor, "batch features"]:
        """Of the agent's token, and the latents beside it."""
        return state["features"]

    # ---- learning ------------------------------------------------------------------------------

    def condition_on(
        self, action: Tree, is_known: Bool[Tensor, "*lead"] | None
    ) -> Float[Tensor, "*lead width"]:
        """What tells the network how it came here; zero where that is not known."""
        acted = self.acted(self.action_encoder(action))
        if is_known is not None:
            acted = acted * is_known.unsqueeze(-1)
        return acted

    def denoise(
        self,
        noisy: Float[Tensor, "batch time latents"],
        level: Int[Tensor, "batch time"],
        size: Int[Tensor, "batch time"],
        told: Float[Tensor, "batch time width"],
        is_first: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch time latents"], Float[Tensor, "batch time width"]]:
        """Clean latents of whole clips, times `scale` as the noisy ones, and the agent's token."""
        before = _shifted(noisy, is_first)
        tokens = self._tokens(noisy, before, level, size, told)
        modulation = self._modulation(told)
        out = self.dynamics(tokens, is_first, visible=self.visible, modulation=modulation)
        return self._clean(out, noisy, before, level), out[..., -1, :].float()

    def draft(
        self,
        clean: Float[Tensor, "batch time latents"],
        noisy: Float[Tensor, "batch time latents"],
        level: Int[Tensor, "batch time"],
        size: Int[Tensor, "batch time"],
        told: Float[Tensor, "batch time width"],
        is_first: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch time latents"], Float[Tensor, "batch time width"]]:
        """As `denoise`, but every frame sees a past as clear as while dreaming.

        The agent token's output is that of the remembered frames, not of the noisy ones.
        """
        clear = torch.full_like(level, self.clear)
        kept = self._remembered(clean)
        before = _shifted(kept, is_first)
        tokens = self._tokens(kept, before, clear, torch.zeros_like(size), told)
        drafts = self._tokens(noisy, before, level, size, told)
        out, drawn = self.dynamics.with_drafts(
            tokens, drafts, is_first, visible=self.visible, modulation=self._modulation(told)
        )
        return self._clean(drawn, noisy, before, level), out[..., -1, :].float()

    # ---- parts ---------------------------------------------------------------------------------

    def _tokens(
        self, noisy: Tensor, before: Tensor, level: Tensor, size: Tensor, told: Tensor
    ) -> Tensor:
        parts = noisy, before / self.scale
        packed = torch.cat([x.unflatten(-1, (self.spatial, -1)) for x in parts], -1)
        heard = self.condition + self.level(level) + self.size(size)
        if self.adapter is None:
            heard = heard + told
        heard = heard.unsqueeze(-2)
        tokens = self.enter(packed).float() + self.slots
        return torch.cat((tokens, self.agent.expand_as(heard)), -2) + heard

    def _modulation(self, told: Tensor) -> Modulation | None:
        return None if self.adapter is None else self.adapter(told)

    def _step(
        self, noisy: Tensor, level: Tensor, size: Tensor, told: Tensor, state: Tree
    ) -> tuple[Tensor, Tensor, Tree]:
        tokens = self._tokens(noisy, state["before"], level, size, told)
        out, past = self.dynamics.step(
            tokens, state["past"], visible=self.visible, modulation=self._modulation(told)
        )
        clean = self._clean(out, noisy, state["before"], level)
        return clean, out[:, -1].float(), past

    def _clean(self, out: Tensor, noisy: Tensor, before: Tensor, level: Tensor) -> Tensor:
        """What the network adds to a first guess.

        The guess is the frame before, and of the noisy one as much as tells of changes of half the
        scale.
        """
        tau, spread = (level / self.finest).unsqueeze(-1), (self.scale / 2) ** 2
        through = tau * spread / (tau.square() * spread + (1 - tau).square())
        change = self.leave(out[..., : self.spatial, :]).float().flatten(-2)
        return before + through * (noisy - tau * before) + self.scale * change

    def _remembered(self, latents: Tensor) -> Tensor:
        """As frames join the past: a little noisy, so that errors of dreams are nothing new."""
        return latents + MEMORY_NOISE * self.scale * torch.randn_like(latents)

    def _joined(self, state: Tree, latents: Tensor, told: Tensor) -> Tree:
        level = torch.full(latents.shape[:1], self.clear, device=latents.device)
        noisy = self._remembered(self.scale * latents)
        _, agent, past = self._step(noisy, level, torch.zeros_like(level), told, state)
        return {
            "seen": state["seen"],
            "past": past,
            "latents": latents,
            "before": noisy,
            "features": torch.cat((agent, latents), -1),
        }


def _shifted(latents: Tensor, is_first: Tensor) -> Tensor:
    """Of every frame the one before it; zeros before the first."""
    before = torch.cat((torch.zeros_like(latents[:, :1]), latents[:, :-1]), 1)
    return before * ~is_first.unsqueeze(-1)
