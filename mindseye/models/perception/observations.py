"""Any observation space to a vector, and back: built from the space alone."""

import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.models.perception.images import ImageDecoder, ImageEncoder
from mindseye.models.perception.leaves import (
    BitsDecoder,
    BitsEncoder,
    ClassesDecoder,
    ClassesEncoder,
    VectorDecoder,
    VectorEncoder,
    class_counts,
    is_image,
)


def named_spaces(space: spaces.Space, prefix: str = "") -> dict[str, spaces.Space]:
    """Leaves of Dict and Tuple spaces by dotted path; a bare space is named ''."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        items = space.items() if isinstance(space, spaces.Dict) else enumerate(space)
        out: dict[str, spaces.Space] = {}
        for key, value in items:
            out |= named_spaces(value, f"{prefix}.{key}" if prefix else str(key))
        return out
    return {prefix: space}


def nested(space: spaces.Space, found: dict[str, Tensor], path: str = "") -> Tree:
    """Inverse of naming leaves: a tree shaped like the space, from leaves by dotted path."""

    def below(key: object) -> str:
        return f"{path}.{key}" if path else str(key)

    if isinstance(space, spaces.Dict):
        return {key: nested(value, found, below(key)) for key, value in space.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(nested(value, found, below(i)) for i, value in enumerate(space))
    return found[path]


def leaf_at(tree: Tree, path: str) -> Tensor:
    """The leaf of a tree at a dotted path."""
    for key in path.split(".") if path else ():
        tree = tree[int(key)] if isinstance(tree, tuple) else tree[key]
    return tree


def _encoder(space: spaces.Space, units: int, depth: int, name: str) -> nn.Module:
    if is_image(space):
        return ImageEncoder(space.shape, depth)  # type: ignore[arg-type]
    if (found := class_counts(space)) is not None:
        return ClassesEncoder(found[0], units)
    if isinstance(space, spaces.MultiBinary):
        return BitsEncoder(int(torch.Size(space.shape).numel()), units)
    if isinstance(space, spaces.Box):
        return VectorEncoder(int(torch.Size(space.shape).numel()), units)
    raise SpecError(
        f"world model: cannot encode observation{name and ' ' + name} of space {space}; "
        "use Box, Discrete, MultiDiscrete, MultiBinary, or Dict and Tuple of these"
    )


def _decoder(space: spaces.Space, features: int, units: int, depth: int) -> nn.Module:
    if is_image(space):
        return ImageDecoder(space.shape, depth, features)  # type: ignore[arg-type]
    if (found := class_counts(space)) is not None:
        counts, start, shape = found
        return ClassesDecoder(counts, start, shape, features, units)
    if isinstance(space, spaces.MultiBinary):
        return BitsDecoder(space.shape, features, units)
    return VectorDecoder(space, features, units)  # type: ignore[arg-type]


def _rows(space: spaces.Space, leaf: Tensor) -> tuple[torch.Size, Tensor]:
    """Leading axes of a leaf, and the leaf with these merged into one."""
    axes = leaf.ndim - len(space.shape or ())
    lead = leaf.shape[:axes]
    return lead, leaf.reshape(lead.numel(), *leaf.shape[axes:])


class ObservationEncoder(nn.Module):
    """Observations of any supported space, with any leading axes, to (..., size) floats.

    Args:
        space: Of one world.
        units: Width of dense layers.
        depth: Channels of the first convolution, for images.

    Raises:
        SpecError: If a leaf of the space is of a kind that cannot be encoded.
    """

    def __init__(self, space: spaces.Space, *, units: int, depth: int):
        super().__init__()
        self.spaces = named_spaces(space)
        self.parts = nn.ModuleList(
            _encoder(leaf, units, depth, name) for name, leaf in self.spaces.items()
        )
        self.size = sum(int(part.size) for part in self.parts)

    def forward(self, observation: Tree) -> Float[Tensor, "*lead size"]:
        """Encode."""
        out, lead = [], torch.Size()
        for (name, space), part in zip(self.spaces.items(), self.parts, strict=True):
            lead, rows = _rows(space, leaf_at(observation, name))
            start = int(space.start) if isinstance(space, spaces.Discrete) else 0
            out.append(part(rows - start if start else rows))
        return torch.cat(out, -1).unflatten(0, lead)


class ObservationDecoder(nn.Module):
    """Features to a distribution over observations of any supported space."""

    def __init__(self, space: spaces.Space, *, features: int, units: int, depth: int):
        super().__init__()
        self.space, self.spaces = space, named_spaces(space)
        self.parts = nn.ModuleList(
            _decoder(leaf, features, units, depth) for leaf in self.spaces.values()
        )

    def loss(
        self, features: Float[Tensor, "*lead features"], observation: Tree
    ) -> Float[Tensor, "*lead"]:
        """Negative log-likelihood up to a constant, in nats, summed over leaves."""
        lead = features.shape[:-1]
        rows = features.reshape(-1, features.shape[-1])
        total = rows.new_zeros(len(rows), dtype=torch.float32)
        for (name, space), part in zip(self.spaces.items(), self.parts, strict=True):
            total = total + part.loss(rows, _rows(space, leaf_at(observation, name))[1])
        return total.unflatten(0, lead)

    def mode(self, features: Float[Tensor, "*lead features"]) -> Tree:
        """Likeliest observation, a tree shaped like the space."""
        lead = features.shape[:-1]
        rows = features.reshape(-1, features.shape[-1])
        found = {
            name: part.mode(rows).unflatten(0, lead)
            for name, part in zip(self.spaces, self.parts, strict=True)
        }
        return nested(self.space, found)
