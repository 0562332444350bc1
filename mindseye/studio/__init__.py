"""A web studio: step inside dreams, with reality beside them."""

from mindseye.studio.stage import Knob, Stage

__all__ = ["Knob", "Stage"]
