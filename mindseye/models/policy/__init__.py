"""Policy heads for every action space."""

from mindseye.models.policy.actions import ActionEncoder
from mindseye.models.policy.heads import ActionDistribution, PolicyHead
from mindseye.models.policy.two_hot_actions import TwoHotActionEncoder

__all__ = ["ActionDistribution", "ActionEncoder", "PolicyHead", "TwoHotActionEncoder"]
