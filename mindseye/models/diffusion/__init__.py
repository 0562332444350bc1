"""Denoisers: the networks of diffusion models, for vectors, pictures and sequences."""

from mindseye.models.diffusion.average import MovingAverage
from mindseye.models.diffusion.image import ImageDenoiser
from mindseye.models.diffusion.sequence import SequenceDenoiser
from mindseye.models.diffusion.state import StateDenoiser

__all__ = ["ImageDenoiser", "MovingAverage", "SequenceDenoiser", "StateDenoiser"]
