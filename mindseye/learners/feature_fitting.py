"""Fitting a world model to frozen features."""

import torch
from torch import Tensor

from mindseye import ops
from mindseye.core.batch import Batch, Metrics
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.core.tree import map_tree
from mindseye.learners.optimiser import Optimiser
from mindseye.models.world.features import FeatureWorldModel


class FeatureFitting(Learner):
    """Next tokens from the frames so far, by squared error; decoder and heads from tokens as given.

    The decoder and the heads never move the prediction: their inputs are recorded tokens.

    Args:
        model: Fitted in place, calibrated before.
        learning_rate: Of AdamW, at first.
        decay: Factor of the learning rate per update.
        weight_decay: Decoupled.

    Source: Zhou et al. (2024), DINO-WM, arXiv 2411.04983, equation 2.
    """

    def __init__(
        self,
        model: FeatureWorldModel,
        *,
        learning_rate: float = 1e-3,
        decay: float = 1.0,
        weight_decay: float = 0.01,
    ):
        self.model, self.decay = model, decay
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = Optimiser(
            trained, learning_rate=learning_rate, weight_decay=weight_decay, clip=10.0
        )

    def update(self, batch: Batch) -> Metrics:
        """One step on segments, fields as in `core.batch`.

        Where `tokens`, the model's encoding of `observation`, is among the fields, it is trusted.

        Raises:
            LearnerError: If the loss is not finite.
        """
        with fast_arithmetic(batch["mask"].device):
            losses = self._losses(batch)
            total = torch.stack(list(losses.values())).sum()
        norm = self.optimiser.step(total, "feature fitting")
        self.optimiser.scale_rate(self.decay)
        return {f"loss/{name}": x.item() for name, x in losses.items()} | {"gradient/norm": norm}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        model = self.model
        tokens = batch["tokens"] if "tokens" in batch else model.encode(batch["observation"])
        taken = map_tree(lambda x: x[:, 1:], batch["action"])
        said = model.following(tokens[:, :-1], taken, batch["is_first"][:, :-1])
        valid = batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()
        apart = (said - tokens[:, 1:]).square().mean((-2, -1))
        last = tokens[:, -1]
        shown = model.seen_pixels(map_tree(lambda x: x[:, -1], batch["observation"]))
        error = (model.pixels(last) - shown).square().mean((1, 2, 3, 4))
        summary = model.summary(last).flatten(-2)
        reward = model.reward_head(summary).float().squeeze(-1) - batch["reward"][:, -1]
        going = model.continuation_head.loss(summary, batch["continuation"][:, -1])
        weight = batch["mask"][:, -1]
        return {
            "prediction": ops.masked_mean(apart, valid),
            "pixels": ops.masked_mean(error, weight),
            "reward": ops.masked_mean(reward.square(), weight),
            "continuation": ops.masked_mean(going, weight),
        }

    def state_dict(self) -> dict:
        """Model and optimiser."""
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
