"""Policy heads for every action space."""

from mindseye.models.policy.actions import ActionEncoder
from mindseye.models.policy.heads import ActionDistribution, PolicyHead

__all__ = ["ActionDistribution", "ActionEncoder", "PolicyHead"]
