"""Returns and advantages over a time axis. No gradient is stopped here."""

import torch
from jaxtyping import Float
from torch import Tensor

from mindseye.core.errors import SpecError


def lambda_return(
    reward: Float[Tensor, "batch time"],
    continuation: Float[Tensor, "batch time"],
    value: Float[Tensor, "batch time"],
    *,
    discount: float,
    lambda_: float,
) -> Float[Tensor, "batch time"]:
    """TD(λ) target for every step of an imagined segment.

        G_t = r_t + discount · c_t · [(1 − λ) v_t + λ G_{t+1}],   G_T = v_{T−1}

    Args:
        reward: Paid for the action at t, in the world's reward unit.
        continuation: Probability in [0, 1] that the episode goes on after t.
        value: Estimate of the state reached by the action at t, same unit as the reward.
        discount: Per step, in [0, 1].
        lambda_: 0 trusts the value, 1 trusts the dream.

    Returns:
        Targets in the unit of the reward.

    Raises:
        SpecError: If discount or lambda_ is outside [0, 1].

    Source: Hafner et al. (2023), arXiv 2301.04104, eq. 7.
    """
    if not (0 <= discount <= 1 and 0 <= lambda_ <= 1):
        raise SpecError(
            f"lambda_return: expected discount and lambda_ in [0, 1], got {discount}, {lambda_}"
        )
    weight = discount * continuation
    return _backward_sum(
        reward + (1 - lambda_) * weight * value, lambda_ * weight, start=value[:, -1]
    )


def generalised_advantage(
    reward: Float[Tensor, "batch time"],
    value: Float[Tensor, "batch time"],
    next_value: Float[Tensor, "batch time"],
    continuation: Float[Tensor, "batch time"],
    is_last: Float[Tensor, "batch time"],
    *,
    discount: float,
    lambda_: float,
) -> Float[Tensor, "batch time"]:
    """Advantage of the action at every step, cut where an episode ends for whatever reason.

        δ_t = r_t + discount · c_t · v'_t − v_t,   A_t = δ_t + discount · λ · (1 − last_t) · A_{t+1}

    Args:
        reward: Paid for the action at t.
        value: Of the state at t.
        next_value: Of the state reached, its own last one at a truncation.
        continuation: 0 where the episode terminated, which alone stops the bootstrap.
        is_last: 1 where it terminated or was truncated.
        discount: Per step.
        lambda_: Between 0 (one step) and 1 (whole return).

    Source: Schulman et al. (2016), arXiv 1506.02438, eq. 16.
    """
    delta = reward + discount * continuation * next_value - value
    return _backward_sum(delta, discount * lambda_ * (1 - is_last), torch.zeros_like(delta[:, 0]))


def _backward_sum(
    added: Float[Tensor, "batch time"],
    kept: Float[Tensor, "batch time"],
    start: Float[Tensor, " batch"],
) -> Float[Tensor, "batch time"]:
    """x_t = added_t + kept_t · x_{t+1}, from x_T = start; a loop for short time, else doubling."""
    steps = added.shape[1]
    if steps > 64:
        return _doubling(added, kept, start)
    out, last = [], start
    added_time, kept_time = added.unbind(1), kept.unbind(1)
    for t in range(steps - 1, -1, -1):
        last = torch.addcmul(added_time[t], kept_time[t], last)
        out.append(last)
    return torch.stack(out[::-1], 1)


def _doubling(added: Tensor, kept: Tensor, start: Tensor) -> Tensor:
    """The same recursion in log2(T) passes over whole tensors."""
    steps = added.shape[1]
    b = torch.cat((added, start.unsqueeze(1)), 1)
    a = torch.cat((kept, torch.zeros_like(start).unsqueeze(1)), 1)
    reach = 1
    while reach <= steps:
        b = torch.cat((b[:, :-reach] + a[:, :-reach] * b[:, reach:], b[:, -reach:]), 1)
        a = torch.cat((a[:, :-reach] * a[:, reach:], a[:, -reach:]), 1)
        reach *= 2
    return b[:, :steps]
