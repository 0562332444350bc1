"""Policy gradients from several attempts at the same task, for policies that choose among texts."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mindseye.core.batch import Batch, Metrics
from mindseye.core.episode import Episode
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.policy.text import TextPolicy
from mindseye.ops.groups import group_normalised, has_contrast

Advantage = Callable[[Tensor, Tensor], Tensor]
"""Returns and groups of attempts to their advantages, see `ops.groups`."""


def decisions(episodes: Sequence[Episode], groups: Sequence[int]) -> Batch:
    """Attempts at tasks as a batch: one row per step.

    Args:
        episodes: Of a `ReadingAgent` that explored, which recorded `log_prob`.
        groups: A number per episode; equal ones attempted the same task.

    Returns:
        `observation` and `action` (lists of texts), `log_prob` and `attempt` (a row's episode),
        one row per step; `return_` and `group`, a row per episode.
    """
    lengths = torch.tensor([len(episode) for episode in episodes])
    return {
        "observation": [text for e in episodes for text in e.observations[:-1]],
        "action": [said for e in episodes for said in e.actions],
        "log_prob": torch.from_numpy(np.concatenate([e.extras["log_prob"] for e in episodes])),
        "attempt": torch.arange(len(episodes)).repeat_interleave(lengths),
        "return_": torch.tensor([float(e.rewards.sum()) for e in episodes]),
        "group": torch.tensor(list(groups)),
    }


class GroupPolicy(Learner):
    """Group relative policy optimisation: no value function, attempts are judged by each other.

    Args:
        policy: What is improved.
        seed: Of the order of minibatches.
        advantage: `group_normalised` (the paper's) or `leave_one_out`; attempts of groups that do
            not differ are left out.
        clip: Largest trusted change of a choice's probability ratio.
        epochs, minibatch: Passes over a batch, and steps per gradient.
        learning_rate: Of the policy.
        entropy_weight: Pressure to keep exploring, per nat.
        reference: A policy to stay near; None: none.
        kl_weight: Price of leaving it, per nat.

    Source: Shao et al. (2024), arXiv 2402.03300, eq. 3 and 4. Differs: every decision counts the
        same, however long its episode.
    """

    def __init__(
        self,
        policy: TextPolicy,
        *,
        seed: int,
        advantage: Advantage = group_normalised,
        clip: float = 0.2,
        epochs: int = 2,
        minibatch: int = 256,
        learning_rate: float = 1e-3,
        entropy_weight: float = 0.0,
        reference: TextPolicy | None = None,
        kl_weight: float = 0.0,
    ):
        self.policy, self.advantage, self.clip = policy, advantage, clip
        self.epochs, self.minibatch, self.entropy_weight = epochs, minibatch, entropy_weight
        self.reference, self.kl_weight = reference, kl_weight
        self.rng = np.random.default_rng(seed)
        self.optimiser = Optimiser(policy.parameters(), learning_rate=learning_rate, clip=1.0)

    def update(self, batch: Batch) -> Metrics:
        """Several passes over a batch made by `decisions`.

        Raises:
            LearnerError: If a loss is not finite.
        """
        return_, group = batch["return_"], batch["group"]
        differs = has_contrast(return_, group)
        advantage = self.advantage(return_, group)[batch["attempt"]]
        rows = differs[batch["attempt"]].nonzero()[:, 0].numpy()
        told = {"groups/contrast": float(differs.float().mean()), "return": float(return_.mean())}
        totals: dict[str, list[float]] = {}
        for _ in range(self.epochs if len(rows) else 0):
            order = self.rng.permutation(rows)
            for start in range(0, len(order), self.minibatch):
                part = order[start : start + self.minibatch]
                for name, value in self._step(batch, advantage, part).items():
                    totals.setdefault(name, []).append(value)
        return told | {name: float(np.mean(values)) for name, values in totals.items()}

    def _step(self, batch: Batch, advantage: Tensor, part: np.ndarray) -> Metrics:
        texts = [batch["observation"][i] for i in part]
        said = [batch["action"][i] for i in part]
        choices = self.policy(texts)
        log_prob = choices.log_prob(said)
        ratio = (log_prob - batch["log_prob"][part]).exp()
        gain = advantage[part]
        clipped = ratio.clamp(1 - self.clip, 1 + self.clip)
        policy = -torch.minimum(ratio * gain, clipped * gain).mean()
        entropy = choices.entropy().mean()
        loss = policy - self.entropy_weight * entropy
        told = {"loss/policy": float(policy.detach()), "policy/entropy": float(entropy.detach())}
        if self.reference is not None:
            with torch.no_grad():
                held = self.reference(texts).log_prob(said)
            behind = held - log_prob
            away = (behind.exp() - behind - 1).mean()
            loss = loss + self.kl_weight * away
            told["policy/kl"] = float(away.detach())
        self.optimiser.step(loss, "group policy")
        return told

    def state_dict(self) -> dict:
        """Policy, optimiser and the order of minibatches."""
        return {
            "policy": self.policy.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.bit_generator.state,
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore them."""
        self.policy.load_state_dict(state["policy"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = state["rng"]
