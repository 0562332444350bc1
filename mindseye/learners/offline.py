"""Learning to act from a fixed set of transitions: TD3+BC and IQL."""

import copy

import torch
from torch import Tensor, nn

from mindseye.agents.policy import PolicyNetwork
from mindseye.core.batch import Batch, Metrics
from mindseye.core.protocols import Learner
from mindseye.learners.optimiser import Optimiser
from mindseye.models.critics import ActionCritics
from mindseye.models.policy.deterministic import DeterministicPolicy


def transitions(batch: Batch) -> dict[str, Tensor]:
    """All neighbouring pairs of rows within episodes, side by side: before, action, ..., after."""
    taken = (batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()).bool()
    return {
        "before": batch["observation"][:, :-1][taken],
        "action": batch["action"][:, 1:][taken],
        "reward": batch["reward"][:, 1:][taken],
        "continuation": batch["continuation"][:, 1:][taken],
        "after": batch["observation"][:, 1:][taken],
    }


def side_by_side(batch: Batch) -> Batch:
    """Every pair of neighbouring rows within an episode as a segment of its own.

    Fields of the agents' records are dropped. Rows of a batch can then be drawn independently.
    """
    taken = (batch["mask"][:, 1:] * (~batch["is_first"][:, 1:]).float()).bool()
    names = ("observation", "action", "reward", "continuation", "is_first", "mask")
    return {
        name: torch.stack((batch[name][:, :-1][taken], batch[name][:, 1:][taken]), 1)
        for name in names
    }


class TD3BC(Learner):
    """Improve a deterministic policy by its critics while staying near the data's actions.

        policy:  minimise −α Q₁(o, π(o)) / mean|Q| + ‖π(o) − a‖²   (actions in units of [−1, 1])
        critics: minimise (Q_i(o, a) − [r + discount · c · min_j Q̄_j(o', π̄(o') + ε)])²

    Args:
        policy, critics: Trained in place.
        alpha: Weight of the value; 0 clones.
        discount: Per step.
        polyak: Share of the networks that flows into their targets per update.
        noise, noise_clip: Deviation and limit of ε, in units of half the action's range.
        policy_period: Updates of the critics per update of the policy.

    Source: Fujimoto and Gu (2021), 2106.06860, eq. 5.
    """

    def __init__(
        self,
        policy: DeterministicPolicy,
        critics: ActionCritics,
        *,
        alpha: float = 2.5,
        discount: float = 0.99,
        polyak: float = 0.005,
        noise: float = 0.2,
        noise_clip: float = 0.5,
        policy_period: int = 2,
        learning_rate: float = 3e-4,
    ):
        self.policy, self.critics = policy, critics
        self.targets = copy.deepcopy(nn.ModuleList((policy, critics))).requires_grad_(False)
        self.alpha, self.discount, self.polyak = alpha, discount, polyak
        self.noise, self.noise_clip, self.policy_period = noise, noise_clip, policy_period
        self.policy_optimiser = Optimiser(policy.parameters(), learning_rate=learning_rate)
        self.critic_optimiser = Optimiser(critics.parameters(), learning_rate=learning_rate)
        self.updates = 0

    def update(self, batch: Batch) -> Metrics:
        """One step on all pairs of rows of a batch, fields as in `core.batch`.

        Raises:
            LearnerError: If a loss is not finite.
        """
        pairs = transitions(batch)
        with torch.no_grad():
            target = self._target(pairs)
        value = self.critics(pairs["before"], pairs["action"])
        loss = (value - target).square().mean(1).sum()
        self.critic_optimiser.step(loss, "td3+bc")
        self.updates += 1
        metrics = {"loss/value": loss.item(), "value/mean": target.mean().item()}
        if self.updates % self.policy_period == 0:
            metrics["loss/policy"] = self._improve(pairs)
            _flow(nn.ModuleList((self.policy, self.critics)), self.targets, self.polyak)
        return metrics

    def _target(self, pairs: dict[str, Tensor]) -> Tensor:
        policy, critics = self.targets
        half = (self.policy.high - self.policy.low) / 2
        action = policy(pairs["after"]).mode()
        noise = (self.noise * torch.randn_like(action)).clamp(-self.noise_clip, self.noise_clip)
        action = (action + noise * half).clamp(self.policy.low, self.policy.high)
        value = critics(pairs["after"], action).amin(0)
        return pairs["reward"] + self.discount * pairs["continuation"] * value

    def _improve(self, pairs: dict[str, Tensor]) -> float:
        action = self.policy(pairs["before"]).mode()
        self.critics.requires_grad_(False)
        value = self.critics(pairs["before"], action)[0]
        self.critics.requires_grad_(True)
        half = (self.policy.high - self.policy.low) / 2
        away = ((action - pairs["action"]) / half).square().mean()
        loss = away - self.alpha * value.mean() / value.detach().abs().mean()
        self.policy_optimiser.step(loss, "td3+bc")
        return loss.item()

    def _parts(self) -> dict[str, nn.Module | Optimiser]:
        return {
            "policy": self.policy,
            "critics": self.critics,
            "targets": self.targets,
            "policy_optimiser": self.policy_optimiser,
            "critic_optimiser": self.critic_optimiser,
        }

    def state_dict(self) -> dict:
        """Networks, targets, optimisers and the count of updates."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        return {**state, "updates": self.updates}

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.updates = state["updates"]


class IQL(Learner):
    """Learn the value of the data's better actions, never asking for others; then clone those.

        value:   minimise |τ − 1(u < 0)| u²,   u = min_j Q̄_j(o, a) − V(o)
        critics: minimise (Q_i(o, a) − [r + discount · c · V(o')])²
        policy:  maximise min(exp(β u), 100) · log π(a | o)

    Args:
        policy, critics, value: Trained in place; `value` maps observations to (rows, 1).
        expectile: τ; one half is the mean, 1 the best action.
        temperature: β, per unit of value.
        discount: Per step.
        polyak: Share of the critics that flows into their targets per update.

    Source: Kostrikov et al. (2021), 2110.06169, eq. 5 to 7.
    """

    def __init__(
        self,
        policy: PolicyNetwork,
        critics: ActionCritics,
        value: nn.Module,
        *,
        expectile: float = 0.7,
        temperature: float = 3.0,
        discount: float = 0.99,
        polyak: float = 0.005,
        learning_rate: float = 3e-4,
    ):
        self.policy, self.critics, self.value = policy, critics, value
        self.target = copy.deepcopy(critics).requires_grad_(False)
        self.expectile, self.temperature = expectile, temperature
        self.discount, self.polyak = discount, polyak
        parameters = [*policy.parameters(), *critics.parameters(), *value.parameters()]
        self.optimiser = Optimiser(parameters, learning_rate=learning_rate)

    def update(self, batch: Batch) -> Metrics:
        """One step on all pairs of rows of a batch, fields as in `core.batch`.

        Raises:
            LearnerError: If a loss is not finite.
        """
        pairs = transitions(batch)
        before, action = pairs["before"], pairs["action"]
        with torch.no_grad():
            ahead = self.value(pairs["after"]).squeeze(-1)
            target = pairs["reward"] + self.discount * pairs["continuation"] * ahead
            taken = self.target(before, action).amin(0)
        above = taken - self.value(before).squeeze(-1)
        weight = torch.where(above < 0, 1 - self.expectile, self.expectile)
        value_loss = (weight * above.square()).mean()
        critic_loss = (self.critics(before, action) - target).square().mean(1).sum()
        better = (self.temperature * above.detach()).exp().clamp(max=100.0)
        policy_loss = -(better * self.policy(before).log_prob(action)).mean()
        self.optimiser.step(value_loss + critic_loss + policy_loss, "iql")
        _flow(self.critics, self.target, self.polyak)
        return {
            "loss/value": value_loss.item(),
            "loss/critics": critic_loss.item(),
            "loss/policy": policy_loss.item(),
        }

    def _parts(self) -> dict[str, nn.Module | Optimiser]:
        return {
            "policy": self.policy,
            "critics": self.critics,
            "value": self.value,
            "target": self.target,
            "optimiser": self.optimiser,
        }

    def state_dict(self) -> dict:
        """Networks, target and optimiser."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict) -> None:
        """Restore all of them."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])


@torch.no_grad()
def _flow(source: nn.Module, target: nn.Module, share: float) -> None:
    """Move a target's weights towards its source's."""
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), share)
