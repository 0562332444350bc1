"""Memories of world models.

Of vectors, one interface, four ways to carry the past: `initial(batch)`,
`step(x, memory) -> (h, memory)` and `sequence(x, is_first) -> (h, memory_at)` agree: T steps equal
one call on the sequence. Of video: `SpaceTimeTransformer`, frames of tokens.
"""

from mindseye.models.backbones.block_gru import BlockGRUBackbone
from mindseye.models.backbones.gru import GRUBackbone
from mindseye.models.backbones.space_time import Modulation, SpaceTimeTransformer
from mindseye.models.backbones.state_space import StateSpaceBackbone
from mindseye.models.backbones.transformer import TransformerBackbone

__all__ = [
    "BlockGRUBackbone",
    "GRUBackbone",
    "Modulation",
    "SpaceTimeTransformer",
    "StateSpaceBackbone",
    "TransformerBackbone",
]
