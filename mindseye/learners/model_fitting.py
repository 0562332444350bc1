"""Fitting a latent world model to segments of experience."""

import torch
from torch import Tensor

from mindseye import ops
from mindseye.core.batch import Batch, Metrics
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.world.latent import LatentWorldModel, Posteriors


class ModelFitting(Learner):
    """Minimise reconstruction, reward, continuation and KL losses (Hafner et al. 2023, eq. 2-5).

    Args:
        model: What is fitted, in place.
        learning_rate: Of Adam.
        dynamics_weight: Of pulling the prior to the posterior.
        representation_weight: Of pulling the posterior to the prior.
        free_nats: Below this each KL term is free.
        reward_weight: Of the reward loss.
    """

    def __init__(
        self,
        model: LatentWorldModel,
        *,
        learning_rate: float = 1e-3,
        dynamics_weight: float = 1.0,
        representation_weight: float = 0.1,
        free_nats: float = 1.0,
        reward_weight: float = 1.0,
    ):
        self.model = model
        self.optimiser = Optimiser(model.parameters(), learning_rate=learning_rate)
        self.dynamics_weight, self.representation_weight = dynamics_weight, representation_weight
        self.free_nats, self.reward_weight = free_nats, reward_weight
        self.posteriors: Posteriors | None = None
        """Of the last batch, before the update: start states for imagination."""

    def update(self, batch: Batch) -> Metrics:
        """One step on a batch of segments, fields as in `core.batch`.

        Raises:
            LearnerError: If the loss is not finite.
        """
        with fast_arithmetic(batch["mask"].device):
            losses = self._losses(batch)
            total = torch.stack(list(losses.values())).sum()
        norm = self.optimiser.step(total, "model fitting")
        return {f"loss/{k}": v.item() for k, v in losses.items()} | {"gradient/norm": norm}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        model, mask = self.model, batch["mask"]
        self.posteriors = seen = model.posteriors(batch)
        arrived = mask * (~batch["is_first"]).float()
        features = seen.features
        losses = {
            "observation": ops.masked_mean(
                model.decoder.loss(features, batch["observation"]), mask
            ),
            "reward": self.reward_weight
            * ops.masked_mean(model.reward.loss(features, batch["reward"]), arrived),
            "continuation": ops.masked_mean(
                model.continuation.loss(features, batch["continuation"]), arrived
            ),
            "kl": ops.masked_mean(
                ops.balanced_kl(
                    seen.posterior,
                    seen.prior,
                    dynamics_weight=self.dynamics_weight,
                    representation_weight=self.representation_weight,
                    free_nats=self.free_nats,
                ),
                mask,
            ),
        }
        if model.doubters:
            doubt = model.doubt_loss(seen.deterministic, seen.posterior)
            losses["doubt"] = ops.masked_mean(doubt, mask)
        return losses

    def state_dict(self) -> dict:
        """Model and optimiser."""
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
