"""Encoders and decoders for every observation space."""

from mindseye.models.perception.observations import (
    ObservationDecoder,
    ObservationEncoder,
    leaf_at,
    named_spaces,
    nested,
)

__all__ = ["ObservationDecoder", "ObservationEncoder", "leaf_at", "named_spaces", "nested"]
