"""A controller written by hand that swings up Gymnasium's pendulum and balances it."""

import gymnasium
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.models.policy.deterministic import Certain

_UPRIGHT = 0.9
_GRAVITY_OVER_LENGTH = 15.0


class SwingUp(nn.Module):
    """Pump energy until the pendulum is nearly upright, then hold it there.

        far:  u = pump · sign(θ̇) · (E_up − E),   E = θ̇² / 2 + 15 (cos θ − 1),  E_up = 0
        near: u = −stiffness · sin θ − damping · θ̇

    Act with `PolicyAgent(SwingUp(space, noise=1.5))`; exploring adds noise to the torque.

    Args:
        action_space: Of Pendulum-v1.
        noise: Deviation of exploration, in the unit of torque.
        gains: pump, stiffness and damping; smaller ones are clumsier.

    Raises:
        SpecError: If the action space is no Box.
    """

    def __init__(
        self,
        action_space: gymnasium.Space,
        *,
        noise: float = 0.0,
        gains: tuple[float, float, float] = (1.0, 12.0, 3.0),
    ):
        super().__init__()
        if not isinstance(action_space, gymnasium.spaces.Box):
            raise SpecError(f"swing up: expected the torque in a Box, got {action_space}")
        self.space, self.noise = action_space, noise
        self.gains = nn.Parameter(torch.tensor(gains), requires_grad=False)

    def forward(self, observation: Float[Tensor, "*lead 3"]) -> Certain:
        """Torque for (cos θ, sin θ, θ̇)."""
        cosine, sine, speed = observation.float().unbind(-1)
        pump, stiffness, damping = self.gains
        energy = speed.square() / 2 + _GRAVITY_OVER_LENGTH * (cosine - 1)
        direction = torch.where(speed >= 0, 1.0, -1.0)
        far = -pump * direction * energy
        near = -stiffness * sine - damping * speed
        limit = float(self.space.high[0])
        torque = torch.where(cosine > _UPRIGHT, near, far).clamp(-limit, limit)
        return Certain(self.space, torque.unsqueeze(-1), self.noise)
