"""What worlds leave behind, and how it becomes batches."""

from mindseye.experience.collate import collate, separate
from mindseye.experience.inspect import describe
from mindseye.experience.load import load
from mindseye.experience.mixture import Mixture
from mindseye.experience.preview import contact_sheet
from mindseye.experience.replay import Replay
from mindseye.experience.rollout import rollout
from mindseye.experience.sampling import Prioritised, Recency, SuccessShare, Uniform

__all__ = [
    "Mixture",
    "Prioritised",
    "Recency",
    "Replay",
    "SuccessShare",
    "Uniform",
    "collate",
    "contact_sheet",
    "describe",
    "load",
    "rollout",
    "separate",
]
