"""A world model that draws the next observation by diffusion, given the last ones and the actions.

Pictures follow DIAMOND (Alonso et al. 2024, 2405.12399): the next frame is denoised. Of vectors the
change is denoised. Its state is the last observations and actions: what these do not show is lost.
"""

from collections.abc import Sequence
from typing import Literal

import gymnasium
import torch
from gymnasium import spaces
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mindseye import ops
from mindseye.core.batch import Batch
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree
from mindseye.models.diffusion.forms import DEVIATION, PictureForm, VectorForm
from mindseye.models.layers import BinaryHead, ScalarHead
from mindseye.models.perception.leaves import is_image
from mindseye.models.policy import ActionEncoder, TwoHotActionEncoder
from mindseye.ops import diffusion

NOISE_MEAN, NOISE_DEVIATION, NOISE_LOW, NOISE_HIGH = -0.4, 1.2, 2e-3, 20.0
"""Of ln σ while training, and its limits, from DIAMOND."""


class DiffusionWorldModel(nn.Module, WorldModel, Outcomes):
    """A world model of Box vectors or uint8 pictures.

        model = DiffusionWorldModel(space, actions, context=4)
        model.set_scales(before, after)
        sum(model.losses(batch).values()).backward()
        dream = DreamWorld(model, 64, starts=starts_from(replay, context=4), horizon=15)

    Noise comes from torch's global generator.

    Args:
        observation_space, action_space: Of one world.
        context: Observations, and the actions after them, that the next one is drawn from.
        steps: Of sampling: 1 says the mean, more draw sharper.
        units, layers: Of the denoiser of vectors.
        widths, blocks: Of the denoiser of pictures.
        action_bins: Bins of two-hot actions; 0 for the plain encoding.
        reward: "number" within `reward_limits`, or "event": paid 1 or not at all, as a classifier
            decides from the observation reached alone, and then the episode ends.
        reward_limits: Least and greatest reward.
        doubt: Draw every step twice; how far the two lie apart is the uncertainty.
        noise_range: Noise at which sampling begins, and its last before 0.
        differences: Pairs of numbers of a vector whose difference networks read, too.
        is_mean: Draw nothing: say the mean that squared error finds. The rival by which one sees
            what diffusion adds.

    Raises:
        SpecError: If a space cannot be modelled.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        context: int = 1,
        steps: int = 3,
        units: int = 256,
        layers: int = 3,
        widths: Sequence[int] = (32, 64, 64),
        blocks: int = 1,
        action_bins: int = 0,
        reward: Literal["number", "event"] = "number",
        reward_limits: tuple[float, float] = (-1.0, 1.0),
        doubt: bool = False,
        noise_range: tuple[float, float] = (5.0, 0.02),
        differences: Sequence[tuple[int, int]] = (),
        is_mean: bool = False,
    ):
        super().__init__()
        self.observation_space, self.action_space = observation_space, action_space
        self.arguments = {
            "context": context,
            "steps": steps,
            "units": units,
            "layers": layers,
            "widths": list(widths),
            "blocks": blocks,
            "action_bins": action_bins,
            "reward": reward,
            "reward_limits": list(reward_limits),
            "doubt": doubt,
            "noise_range": list(noise_range),
            "differences": [list(pair) for pair in differences],
            "is_mean": is_mean,
        }
        self.context, self.steps, self.doubt = context, steps, doubt
        self.noise_range, self.is_mean = noise_range, is_mean
        self.action_encoder = (
            TwoHotActionEncoder(action_space, action_bins)
            if action_bins
            else ActionEncoder(action_space)
        )
        actions = self.action_encoder.size
        self.form: VectorForm | PictureForm
        if is_image(observation_space):
            self.form = PictureForm(observation_space, context, actions, widths, blocks)  # type: ignore[arg-type]
        elif isinstance(observation_space, spaces.Box):
            self.form = VectorForm(observation_space, context, actions, units, layers, differences)
        else:
            raise SpecError(
                f"diffusion: expected observations in a Box, got {observation_space}; use the"
                " latent model"
            )
        size = self.form.read_size
        self.is_event = reward == "event"
        self.reward = (
            BinaryHead(size, size, 1)
            if self.is_event
            else ScalarHead(size, size, 1, limits=reward_limits)
        )
        self.continuation = BinaryHead(size, size, 1)

    def set_scales(self, before: Tensor, after: Tensor) -> None:
        """Measure the scales of numbers on pairs of neighbouring observations, once before fitting.

        Args:
            before, after: In the space's own form, one leading axis.
        """
        self.form.set_scales(before, after)

    def initial(self, batch_size: int) -> Tree:
        """Zeros."""
        weight = next(self.parameters())
        rows = weight.new_zeros(batch_size)
        shape = self.form.size if isinstance(self.form.size, tuple) else (self.form.size,)
        return {
            "past": weight.new_zeros(batch_size, self.context, *shape),
            "action": weight.new_zeros(batch_size, self.context, self.action_encoder.size),
            "reward": rows,
            "continuation": torch.ones_like(rows),
            "uncertainty": rows,
        }

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """Remember what happened; reward and continuation are predicted for it."""
        seen, done = self.form.encode(observation), self.action_encoder(action)
        reward, continuation = self._outcome(state["past"][:, -1], done, seen)
        past, actions = _pushed(state["past"], seen), _pushed(state["action"], done)
        first = is_first.reshape(-1, *(1,) * (past.ndim - 1))
        return {
            "past": torch.where(first, seen.unsqueeze(1), past),
            "action": actions.masked_fill(is_first.reshape(-1, 1, 1), 0.0),
            "reward": reward.masked_fill(is_first, 0.0),
            "continuation": continuation.masked_fill(is_first, 1.0),
            "uncertainty": torch.zeros_like(reward),
        }

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Draw the next observation."""
        done = self.action_encoder(action)
        past, actions = state["past"], _pushed(state["action"], done)
        doubt = torch.zeros_like(state["reward"])
        if self.doubt:
            twice = self._drawn(torch.cat((past, past)), torch.cat((actions, actions)))
            reached, other = twice.chunk(2)
            doubt = (reached - other).flatten(1).abs().mean(1)
        else:
            reached = self._drawn(past, actions)
        reward, continuation = self._outcome(past[:, -1], done, reached)
        return {
            "past": _pushed(past, reached),
            "action": actions,
            "reward": reward,
            "continuation": continuation,
            "uncertainty": doubt,
        }

    def predict(self, state: Tree) -> Prediction:
        """Read the state."""
        return Prediction(
            self.form.decode(state["past"][:, -1]),
            state["reward"],
            state["continuation"],
            state["uncertainty"] if self.doubt else None,
        )

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Reward and continuation as in the state."""
        return state["reward"], state["continuation"]

    def losses(self, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """Denoising error (1 before anything is learned), reward and end in nats, as means.

        Histories that reach back before their episode repeat its first row; those that reach back
        before their segment are left out.

        Args:
            batch: Segments of two rows or more, fields as in `core.batch`.
        """
        index, known = ops.histories(batch["is_first"], self.context)
        known = known & batch["mask"].bool()
        row, time = known.nonzero(as_tuple=True)
        where = index[row, time]
        seen = self.form.encode(batch["observation"])
        past, after = seen[row.unsqueeze(1), where], seen[row, time]
        encoded = self.action_encoder(batch["action"])
        # row i of a history was left by the action of the row after it, were it not repeated
        left = torch.cat((where[:, 1:], time.unsqueeze(1)), 1)
        actions = encoded[row.unsqueeze(1), left] * (left > where).unsqueeze(-1)
        clean = self.form.clean(past, after)
        features = self._arrival(past[:, -1], actions[:, -1], after)
        reward = self.reward.loss(features, batch["reward"][row, time])
        end = self.continuation.loss(features, batch["continuation"][row, time])
        return {
            "observation": self._error(past, actions, clean).mean(),
            "reward": reward.mean(),
            "continuation": end.mean(),
        }

    def _error(self, past: Tensor, actions: Tensor, clean: Tensor) -> Float[Tensor, " rows"]:
        if self.is_mean:
            error = self._mean(past, actions) - clean / DEVIATION
            return error.square().flatten(1).mean(1)
        sigma = diffusion.draw_sigmas(
            len(clean),
            mean=NOISE_MEAN,
            deviation=NOISE_DEVIATION,
            low=NOISE_LOW,
            high=NOISE_HIGH,
            device=clean.device,
        )
        return diffusion.denoising_loss(
            lambda x, noise: self.form(x, noise, past, actions), clean, sigma, DEVIATION
        )

    def _mean(self, past: Tensor, actions: Tensor) -> Tensor:
        """What the network says of no input at all, in deviations of what is denoised."""
        nothing = torch.zeros_like(past[:, -1])
        return self.form(nothing, nothing.flatten(1)[:, 0], past, actions)

    def _arrival(self, before: Tensor, action: Tensor, after: Tensor) -> Tensor:
        if self.is_event:
            # what is reached decides alone, so that no action can talk the classifier into it
            return self.form.arrival(after, torch.zeros_like(action), after)
        return self.form.arrival(before, action, after)

    def _outcome(self, before: Tensor, action: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        features = self._arrival(before, action, after)
        reward = self.reward(features)
        continuation = self.continuation(features)
        if self.is_event:
            reward = (reward > 0.5).float()
            continuation = continuation * (1 - reward)
        return reward, continuation

    def _drawn(self, past: Tensor, actions: Tensor) -> Tensor:
        if self.is_mean:
            return self.form.following(past, DEVIATION * self._mean(past, actions))
        high, low = self.noise_range
        start = high * torch.randn_like(past[:, -1])
        clean = diffusion.sample(
            diffusion.preconditioned(
                lambda x, noise: self.form(x, noise, past, actions), DEVIATION
            ),
            start,
            diffusion.sigma_schedule(self.steps, low=low, high=high),
        )
        return self.form.following(past, clean)


def _pushed(rows: Tensor, last: Tensor) -> Tensor:
    """Drop the oldest row, append the newest."""
    return torch.cat((rows[:, 1:], last.unsqueeze(1)), 1)
