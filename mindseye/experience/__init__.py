"""What worlds leave behind, and how it becomes batches."""

from mindseye.experience.replay import Replay
from mindseye.experience.rollout import rollout
from mindseye.experience.sampling import Prioritised, Recency, SuccessShare, Uniform

__all__ = ["Prioritised", "Recency", "Replay", "SuccessShare", "Uniform", "rollout"]
