"""Fitting a dropout world model: first the code of pictures, then the memory over sequences."""

import torch
from torch import Tensor
from torch.nn import functional

from mindseye import ops
from mindseye.core.batch import Batch, Metrics
from mindseye.core.precision import fast_arithmetic
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.world.dropout import DropoutWorldModel, PictureCode


class CodeFitting(Learner):
    """Fits the variational autoencoder of pictures (Kingma and Welling 2014, arXiv 1312.6114).

    Args:
        code: What is fitted, in place.
        learning_rate: Of Adam.
        free_nats: Divergence per number of the code that costs nothing.
    """

    def __init__(self, code: PictureCode, *, learning_rate: float = 1e-4, free_nats: float = 0.5):
        self.code, self.free_nats = code, free_nats * code.size
        self.optimiser = Optimiser(code.parameters(), learning_rate=learning_rate)

    def update(self, batch: Batch) -> Metrics:
        """One step on the recorded rows of a batch of segments.

        Raises:
            LearnerError: If the loss is not finite.
        """
        pictures = batch["observation"][batch["mask"].bool()]
        with fast_arithmetic(pictures.device):
            error, divergence = self.code.loss(pictures, self.free_nats)
        norm = self.optimiser.step(error + divergence, "code fitting")
        return {
            "loss/picture": error.item(),
            "loss/divergence": divergence.item(),
            "gradient/norm": norm,
        }

    def state_dict(self) -> dict:
        """Code and optimiser."""
        return {"code": self.code.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both."""
        self.code.load_state_dict(state["code"])
        self.optimiser.load_state_dict(state["optimiser"])


class RecurrentFitting(Learner):
    """Fits memory and heads by likelihood, with masks held over each sequence.

        loss = −log p(z_{t+1} | h_{t+1}, z_t, a_t) / |z|
               + (r_{t+1} − r̂)² − log p(c_{t+1} | h_{t+1}, z_{t+1})

    averaged over recorded arrivals. Sampled codes are read, their means are predicted. The code is
    not touched.

    Args:
        model: What is fitted, in place.
        learning_rate: Of Adam at first.
        decay: Factor on the learning rate per update.
        clip: Largest global gradient norm.

    Source: Wellmer and Kwok (2021), arXiv 2109.08342.
    """

    def __init__(
        self,
        model: DropoutWorldModel,
        *,
        learning_rate: float = 1e-3,
        decay: float = 1.0,
        clip: float = 100.0,
    ):
        self.model, self.decay = model, decay
        parameters = [p for name, p in model.named_parameters() if not name.startswith("code.")]
        self.optimiser = Optimiser(parameters, learning_rate=learning_rate, clip=clip)

    def update(self, batch: Batch) -> Metrics:
        """One step on segments that begin anywhere, fields as in `core.batch`.

        Raises:
            LearnerError: If the loss is not finite.
        """
        losses = self._losses(batch)
        norm = self.optimiser.step(torch.stack(list(losses.values())).sum(), "recurrent fitting")
        self.optimiser.scale_rate(self.decay)
        return {f"loss/{name}": x.item() for name, x in losses.items()} | {"gradient/norm": norm}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        model = self.model
        with torch.no_grad():
            target = model.code.encode(batch["observation"])
            code = model.code.encoded(batch["observation"])
        action = model.action_encoder(batch["action"])[:, 1:]
        hidden = self._memory(code, action, batch["is_first"])
        arrived = batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()
        reward, logit = model.outcome_logits(hidden, code[:, 1:])
        features = torch.cat((hidden, code[:, :-1], action), -1)
        errors = {
            "code": model.next_code.loss(features, target[:, 1:]) / model.code.size,
            "reward": (reward - batch["reward"][:, 1:]).square(),
            "continuation": functional.binary_cross_entropy_with_logits(
                logit, batch["continuation"][:, 1:], reduction="none"
            ),
        }
        return {name: ops.masked_mean(error, arrived) for name, error in errors.items()}

    def _memory(self, code: Tensor, action: Tensor, is_first: Tensor) -> Tensor:
        """Memories after every row but the first, each row of the batch under its own masks."""
        model, (rows, steps) = self.model, code.shape[:2]
        masks = model.masks(rows, model.dropout)
        goes_on = (~is_first).float().unsqueeze(-1)
        hidden, cell = code.new_zeros(rows, model.width), code.new_zeros(rows, model.width)
        found = []
        for t in range(steps - 1):
            # a row that begins an episode begins from an empty memory
            hidden, cell = hidden * goes_on[:, t], cell * goes_on[:, t]
            state = {"code": code[:, t], "hidden": hidden, "cell": cell}
            hidden, cell = model.remember(state, action[:, t], masks)
            found.append(hidden)
        return torch.stack(found, 1)

    def state_dict(self) -> dict:
        """Model and optimiser."""
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Restore both."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
