"""Pure functions of tensors."""

from mindseye.ops.categorical import (
    balanced_kl,
    cross_entropy,
    entropy,
    kl_divergence,
    mode_one_hot,
    sample_one_hot,
    straight_through,
    unimix,
)
from mindseye.ops.returns import generalised_advantage, lambda_return
from mindseye.ops.sequences import episode_ids, histories, linear_scan, masked_mean
from mindseye.ops.shortcut import (
    corrupt,
    draw_levels,
    forcing_loss,
    ramp,
    shortcut_loss,
    shortcut_sample,
    shortcut_target,
    velocity,
)
from mindseye.ops.symlog import symexp, symlog, two_hot

__all__ = [
    "balanced_kl",
    "corrupt",
    "cross_entropy",
    "draw_levels",
    "entropy",
    "episode_ids",
    "forcing_loss",
    "generalised_advantage",
    "histories",
    "kl_divergence",
    "lambda_return",
    "linear_scan",
    "masked_mean",
    "mode_one_hot",
    "ramp",
    "sample_one_hot",
    "shortcut_loss",
    "shortcut_sample",
    "shortcut_target",
    "straight_through",
    "symexp",
    "symlog",
    "two_hot",
    "unimix",
    "velocity",
]
