"""An agent trained in a dream: from states that experience led to, onwards in imagination."""

from collections.abc import Sequence

import torch

from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.experience import Replay, SuccessShare
from mindseye.learners.imagination import ImaginationActorCritic
from mindseye.stages.fit import longest


def train_in_dream(
    run: Run,
    learner: ImaginationActorCritic,
    replay: Replay,
    *,
    updates: int,
    starts: int,
    batch_size: int,
    length: int,
    success_share: float = 0.25,
    remember: Sequence[float] = (0.1, 0.4),
    stage: str = "dream",
) -> dict[str, dict[str, torch.Tensor]]:
    """Improve a policy inside a frozen world model. The real world is not touched.

    Args:
        updates: Improvements.
        starts: Imagined segments per improvement.
        batch_size, length: Segments of experience whose posterior states are the starts.
        success_share: Of segments drawn from episodes with a positive return.
        remember: Shares of the training at which the policy is kept, for ranking later.

    Returns:
        Weights of the remembered policies, by share.
    """
    replay.strategy = SuccessShare(success_share)
    rng, earlier = run.rng(stage), Remembered()
    length = min(length, longest(replay))
    due = {int(share * updates): share for share in remember}
    keep = {"learner": learner, "rng": rng, "earlier": earlier}
    learner.model.requires_grad_(False)
    for step in run.steps(stage, updates, keep=keep):
        if step in due:
            earlier.keep(f"{due[step]:g}", learner.policy.state_dict())
        batch = to_tensor(replay.sample(batch_size, length, rng, crossing=False), run.device)
        with torch.no_grad():
            seen = learner.model.posteriors(batch)
        alive = batch["mask"].bool() & (batch["continuation"] > 0)
        row, time = alive.nonzero(as_tuple=True)
        chosen = torch.from_numpy(rng.integers(len(row), size=starts)).to(row.device)
        run.log(learner.update(seen.state_at(row[chosen], time[chosen])))
    learner.model.requires_grad_(True)
    return earlier.policies


class Remembered:
    """Copies of a policy's weights that a run can restore."""

    def __init__(self):
        self.policies: dict[str, dict[str, torch.Tensor]] = {}

    def keep(self, name: str, weights: dict[str, torch.Tensor]) -> None:
        """Copy the weights under a name."""
        self.policies[name] = {k: v.detach().clone() for k, v in weights.items()}

    def state_dict(self) -> dict:
        """All copies."""
        return {"policies": self.policies}

    def load_state_dict(self, state: dict) -> None:
        """Restore them."""
        self.policies = state["policies"]
