"""Search over actions, in any world model."""

from mindseye.agents.planners.beam import BeamPlanner
from mindseye.agents.planners.gradient import GradientPlanner
from mindseye.agents.planners.sampling import SamplingPlanner, cem, icem, mppi
from mindseye.agents.planners.scoring import Scorer, shift

__all__ = [
    "BeamPlanner",
    "GradientPlanner",
    "SamplingPlanner",
    "Scorer",
    "cem",
    "icem",
    "mppi",
    "shift",
]
