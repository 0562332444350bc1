"""Fitting a decoder-free model: consistency, reward, continuation and value, unrolled over time."""

import copy

import torch
from torch import Tensor
from torch.nn import functional

from mindseye import ops
from mindseye.core.batch import Batch, Metrics
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.core.tree import map_tree
from mindseye.learners.optimiser import Optimiser
from mindseye.models.world.decoder_free import DecoderFreeWorldModel


class DecoderFreeFitting(Learner):
    """Joint-embedding fitting after TD-MPC2 (Hansen et al. 2024, 2310.16828, eq. 3).

    From the latent of the first row the model is unrolled along the recorded actions; every latent
    must match the slowly moving encoder's latent of what was really seen. The value is that of the
    data's behaviour, by TD(0) on the moving copy.

    Args:
        model: Fitted in place.
        discount: Per step, of the value.
        decay: Weight of a step relative to the one before it in the unroll.
        slow_rate: Share of the model that enters its moving average at every update.
        consistency_weight: Of the latent loss.
    """

    def __init__(
        self,
        model: DecoderFreeWorldModel,
        *,
        discount: float = 0.97,
        learning_rate: float = 1e-3,
        decay: float = 0.9,
        slow_rate: float = 0.02,
        consistency_weight: float = 20.0,
    ):
        self.model, self.discount, self.decay = model, discount, decay
        self.slow_rate, self.consistency_weight = slow_rate, consistency_weight
        self.slow = copy.deepcopy(model).requires_grad_(False)
        self.optimiser = Optimiser(model.parameters(), learning_rate=learning_rate, clip=20.0)

    def update(self, batch: Batch) -> Metrics:
        """One step on segments that do not cross episodes, fields as in `core.batch`.

        Raises:
            LearnerError: If the loss is not finite.
        """
        with fast_arithmetic(batch["mask"].device):
            losses = self._losses(batch)
            total = torch.stack(list(losses.values())).sum()
        norm = self.optimiser.step(total, "decoder-free fitting")
        with torch.no_grad():
            pairs = zip(self.slow.parameters(), self.model.parameters(), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, self.slow_rate)
        return {f"loss/{k}": v.item() for k, v in losses.items()} | {"gradient/norm": norm}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        model, steps = self.model, batch["mask"].shape[1] - 1
        with torch.no_grad():
            target = self.slow.encode(batch["observation"]).float()
            bootstrap = batch["continuation"][:, 1:] * self.slow.value(target[:, 1:])
            worth = batch["reward"][:, 1:] + self.discount * bootstrap
        latent = model.encode(map_tree(lambda x: x[:, 0], batch["observation"]))
        latents, evidence = [latent], []
        for t in range(1, steps + 1):
            latent, seen = model.advance(latent, map_tree(lambda x, t=t: x[:, t], batch["action"]))
            latents.append(latent)
            evidence.append(seen)
        latents, evidence = torch.stack(latents, 1), torch.stack(evidence, 1)
        age = self.decay ** torch.arange(steps, device=latent.device)
        weight = batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float() * age
        apart = functional.mse_loss(latents[:, 1:].float(), target[:, 1:], reduction="none").sum(-1)

        def mean(loss: Tensor) -> Tensor:
            return ops.masked_mean(loss, weight)

        return {
            "consistency": self.consistency_weight * mean(apart),
            "reward": mean(model.reward.loss(evidence, batch["reward"][:, 1:])),
            "continuation": mean(
                model.continuation.loss(latents[:, 1:], batch["continuation"][:, 1:])
            ),
            "value": mean(model.value.loss(latents[:, :-1], worth)),
        }

    def state_dict(self) -> dict:
        """Model, its moving average, and optimiser."""
        return {
            "model": self.model.state_dict(),
            "slow": self.slow.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        self.model.load_state_dict(state["model"])
        self.slow.load_state_dict(state["slow"])
        self.optimiser.load_state_dict(state["optimiser"])
