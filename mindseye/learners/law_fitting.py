"""Weights of laws, by likelihood."""

import numpy as np
import torch

from mindseye.core.batch import Batch, Metrics
from mindseye.core.errors import LearnerError
from mindseye.core.protocols import Learner
from mindseye.models.world.program import ProgramWorldModel

_MOST = 10.0


class LawFitting(Learner):
    """Finds the weights under which what happened was likeliest, with a price on weight.

        L(θ) = −Σ log p(fact) + price · ‖θ‖₁,   over facts on which a law speaks;   0 ≤ θ ≤ 10

    L-BFGS with few iterations, as published; the weights are not converged, and none of them alone
    says whether its law is right.

    Args:
        model: Its weights are fitted.
        price: Of weight.
        rounds: Calls of L-BFGS; weights are clamped after each.
        iterations: Of every call.
        learning_rate: Of L-BFGS.

    Source: "One Life to Learn" (2025), arXiv 2510.12088, code.
    """

    def __init__(
        self,
        model: ProgramWorldModel,
        *,
        price: float = 1e-3,
        rounds: int = 3,
        iterations: int = 5,
        learning_rate: float = 0.1,
    ):
        self.model, self.price, self.rounds = model, price, rounds
        self.iterations, self.learning_rate = iterations, learning_rate

    def update(self, batch: Batch) -> Metrics:
        """Fit to all steps of a batch; facts as observations, arrival rows.

        Raises:
            LearnerError: If the likelihood is not finite; the weights are then as before.
        """
        return self.fit(*steps_of(batch))

    def fit(self, before: np.ndarray, actions: np.ndarray, after: np.ndarray) -> Metrics:
        """Fit to steps: states (steps, facts), actions (steps,), states reached."""
        model, weights = self.model, self.model.weights
        product = model.product(before, actions)
        kept = weights.detach().clone()

        def loss() -> torch.Tensor:
            weights.grad = None
            value = -product.log_prob(weights, after).sum() + self.price * weights.abs().sum()
            value.backward()
            return value

        first = last = float("nan")
        for turn in range(self.rounds):
            # begun anew: clamping breaks what it remembers of the curvature
            optimiser = torch.optim.LBFGS(
                [weights],
                lr=self.learning_rate,
                max_iter=self.iterations,
                line_search_fn="strong_wolfe",
            )
            value = float(optimiser.step(loss).detach())
            first = value if turn == 0 else first
            with torch.no_grad():
                weights.clamp_(0, _MOST)
                last = float(-product.log_prob(weights, after).sum())
            if not np.isfinite(last) or not bool(weights.isfinite().all()):
                with torch.no_grad():
                    weights.copy_(kept)
                raise LearnerError("laws: the likelihood is not finite; look at the laws' scores")
        steps = max(len(before), 1)
        return {
            "laws/first_loss": first / steps,
            "laws/nll": last / steps,
            "laws/speaking": len(product.row) / steps,
        }

    def state_dict(self) -> dict:
        """The weights."""
        return {"weights": self.model.weights.detach().clone()}

    def load_state_dict(self, state: dict) -> None:
        """Go on from them."""
        with torch.no_grad():
            self.model.weights.copy_(state["weights"])


def steps_of(batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All recorded steps of a batch: states before (steps, facts), actions, states after."""
    facts, actions = np.asarray(batch["observation"]), np.asarray(batch["action"])
    recorded = np.asarray(batch["mask"])
    is_step = ~np.asarray(batch["is_first"])[:, 1:] & (recorded[:, 1:] > 0) & (recorded[:, :-1] > 0)
    before, after, taken = facts[:, :-1][is_step], facts[:, 1:][is_step], actions[:, 1:][is_step]
    return before.astype(np.int64), taken.astype(np.int64), after.astype(np.int64)
