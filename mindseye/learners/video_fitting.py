"""Fitting a world that is video: first its tokenizer, then its dynamics, then its agent token."""

import torch
from torch import Tensor

from mindseye import ops
from mindseye.core.batch import Batch, Metrics
from mindseye.core.errors import ConfigError
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.core.tree import map_tree
from mindseye.learners.optimiser import Optimiser
from mindseye.models.video import VideoTokenizer, motion_weight
from mindseye.models.world.video import VideoWorldModel

WARMUP = 50
"""Updates over which learning rates rise: transformers do not recover from a rash start."""


class TokenizerFitting(Learner):
    """Masked autoencoding of recorded frames.

    Args:
        tokenizer: What is fitted, in place.
        learning_rate: Of Adam.
        decay: What the learning rate is multiplied with after every update.
    """

    def __init__(
        self, tokenizer: VideoTokenizer, *, learning_rate: float = 1e-3, decay: float = 1.0
    ):
        self.tokenizer, self.learning_rate, self.decay = tokenizer, learning_rate, decay
        self.updates = 0
        hidden = [*tokenizer.encoder.parameters(), *tokenizer.decoder.parameters()]
        self.optimiser = Optimiser(
            tokenizer.parameters(),
            learning_rate=learning_rate,
            matrices=[parameter for parameter in hidden if parameter.ndim == 2],
        )

    def update(self, batch: Batch) -> Metrics:
        """One step on a batch of frames, (batch, time, height, width, channels).

        Raises:
            LearnerError: If the loss is not finite.
        """
        with fast_arithmetic(batch["mask"].device):
            error = self.tokenizer.loss(batch["observation"], batch["is_first"])
            loss = ops.masked_mean(error, batch["mask"])
        self.optimiser.set_rate(_rate(self.learning_rate, self.decay, self.updates))
        norm = self.optimiser.step(loss, "tokenizer fitting")
        self.updates += 1
        return {"loss/frames": loss.item(), "gradient/norm": norm}

    def state_dict(self) -> dict:
        """Tokenizer, optimiser and the number of updates."""
        return {
            "model": self.tokenizer.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        self.tokenizer.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.updates = state["updates"]


class VideoFitting(Learner):
    """Shortcut forcing of encoded clips, and what the agent's token is to know.

    A batch's observations are latents, (batch, time, size), as `VideoTokenizer.encode` gives them;
    its optional field `labelled` is 0 where the action was not recorded.

    Args:
        model: What is fitted, in place; its tokenizer, and what needs no gradient, is left alone.
        learning_rate: Of Adam.
        decay: What the learning rate is multiplied with after every update.
        long_share: Share of rows that learn steps longer than the finest.
        long_after: Updates after which they do; a long step imitates two steps of half its size,
            which must have been learned by then.
        is_forced: Frames are denoised from a past that is as noisy as they are (diffusion forcing);
            otherwise from one as clear as while dreaming, which learns from more frames.
        is_ramped: Whether clean frames weigh more than noisy ones (the paper's ramp).
        motion: Strength of the motion-reinforced loss, see `motion_weight`.
        knows_agent: Also fit reward, continuation and the next actions. Actions are imitated where
            the batch's field `weight` is not 0; all are without that field.

    Raises:
        ConfigError: If the model was built without shortcuts but long steps are asked for.
    """

    def __init__(
        self,
        model: VideoWorldModel,
        *,
        learning_rate: float = 1e-3,
        decay: float = 1.0,
        long_share: float = 0.25,
        long_after: int = 0,
        is_forced: bool = False,
        motion: float = 0.0,
        is_ramped: bool = True,
        knows_agent: bool = False,
    ):
        if long_share > 0 and not model.is_shortcut:
            raise ConfigError("video fitting: a model without shortcuts needs long_share=0")
        self.model, self.is_forced, self.knows_agent = model, is_forced, knows_agent
        self.learning_rate = learning_rate
        self.decay, self.motion, self.is_ramped = decay, motion, is_ramped
        self.sizes: dict[str, Tensor] = {}
        self.long_share, self.long_after, self.updates = long_share, long_after, 0
        own = [
            parameter
            for name, parameter in model.named_parameters()
            if parameter.requires_grad and not name.startswith("tokenizer.")
        ]
        hidden = [p for p in model.dynamics.parameters() if p.requires_grad and p.ndim == 2]
        self.optimiser = Optimiser(own, learning_rate=learning_rate, clip=10.0, matrices=hidden)

    def update(self, batch: Batch) -> Metrics:
        """One step on a batch of encoded segments.

        Raises:
            LearnerError: If the loss is not finite.
        """
        known = ~batch["is_first"]
        if "labelled" in batch:
            known = known & (batch["labelled"] > 0)
        with fast_arithmetic(batch["mask"].device):
            told = self.model.condition_on(batch["action"], known)
            dynamics, agent = self._dynamics(batch, told)
            losses = {"dynamics": dynamics}
            if self.knows_agent:
                features = torch.cat((agent, batch["observation"]), -1)
                losses |= self._agent_losses(batch, features, known)
            total = torch.stack([self._balanced(name, loss) for name, loss in losses.items()]).sum()
        self.optimiser.set_rate(_rate(self.learning_rate, self.decay, self.updates))
        norm = self.optimiser.step(total, "video fitting")
        self.updates += 1
        return {f"loss/{k}": v.item() for k, v in losses.items()} | {"gradient/norm": norm}

    def _balanced(self, name: str, loss: Tensor) -> Tensor:
        """Divided by its running size, so that no loss drowns another."""
        size = loss.detach().abs()
        self.sizes[name] = torch.lerp(size, self.sizes.get(name, size), 0.99)
        return loss / self.sizes[name].clamp(min=1e-6)

    def _dynamics(self, batch: Batch, told: Tensor) -> tuple[Tensor, Tensor]:
        """Loss, and the agent token's output."""
        mask, finest = batch["mask"], self.model.finest
        clean = self.model.scale * batch["observation"]
        is_due = self.updates >= self.long_after
        count = round(self.long_share * len(mask)) if is_due else 0
        long, fine = slice(count), slice(count, None)
        drawn = [
            ops.draw_levels(tuple(mask[part].shape), finest, is_long=is_long)
            for part, is_long in ((long, True), (fine, False))
        ]
        level, size = (torch.cat(x).to(mask.device) for x in zip(*drawn, strict=True))
        noisy = ops.corrupt(clean, level, finest)
        predicted, features = self._denoised(batch, told, slice(None), noisy, level, size)
        weight = motion_weight(batch["observation"], self.motion)
        if self.is_ramped:
            weight = weight * ops.ramp(level, finest).unsqueeze(-1)
        loss = ops.forcing_loss(predicted[fine], clean[fine], weight[fine])
        if count:
            target = ops.shortcut_target(
                lambda x, at, by: self._denoised(batch, told, long, x, at, by)[0],
                noisy[long],
                level[long],
                size[long],
                finest,
            )
            longer = ops.shortcut_loss(
                predicted[long], noisy[long], target, weight[long], level[long], finest
            )
            loss = torch.cat((longer, loss))
        # in the unit of latents, whatever the scale
        return ops.masked_mean(loss, _continued(batch)) / self.model.scale**2, features

    def _denoised(
        self, batch: Batch, told: Tensor, rows: slice, noisy: Tensor, level: Tensor, size: Tensor
    ) -> tuple[Tensor, Tensor]:
        told, is_first = told[rows], batch["is_first"][rows]
        if self.is_forced:
            return self.model.denoise(noisy, level, size, told, is_first)
        clean = self.model.scale * batch["observation"][rows]
        return self.model.draft(clean, noisy, level, size, told, is_first)

    def _agent_losses(self, batch: Batch, features: Tensor, known: Tensor) -> dict[str, Tensor]:
        model, mask = self.model, batch["mask"]
        arrived = mask * (~batch["is_first"]).float()
        losses = {
            "reward": ops.masked_mean(model.reward.loss(features, batch["reward"]), arrived),
            "continuation": ops.masked_mean(
                model.continuation.loss(features, batch["continuation"]), arrived
            ),
        }
        worth = batch.get("weight", mask) * mask * known.float()
        copied = [
            self._copied(ahead, features, batch, worth)
            for ahead in range(1, min(len(model.policies), mask.shape[1] - 1) + 1)
        ]
        return losses | {"policy": torch.stack(copied).mean()}

    def _copied(self, ahead: int, features: Tensor, batch: Batch, worth: Tensor) -> Tensor:
        """Negative log-likelihood of the action `ahead` steps on, within the same episode."""
        episode = ops.episode_ids(batch["is_first"])
        same = (episode[:, ahead:] == episode[:, :-ahead]).float()
        later = map_tree(lambda x: x[:, ahead:], batch["action"])
        said = self.model.policies[ahead - 1](features[:, :-ahead])
        return ops.masked_mean(-said.log_prob(later), worth[:, ahead:] * same)

    def state_dict(self) -> dict:
        """Model, optimiser, the number of updates and the sizes of losses."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "updates": self.updates,
            "sizes": self.sizes,
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.updates, self.sizes = state["updates"], state["sizes"]


def _rate(learning_rate: float, decay: float, updates: int) -> float:
    """Rises over WARMUP updates, falls from the first on."""
    rise = min(1.0, (updates + 1) / WARMUP)
    return learning_rate * rise * decay**updates


def _continued(batch: Batch) -> Tensor:
    """1 for frames with a past: what begins cannot be foretold, and trying drowns all else."""
    continued = batch["mask"] * (~batch["is_first"]).float()
    continued[:, 0] = 0.0
    return continued
