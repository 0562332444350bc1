"""Policies: features to a distribution over actions of any space."""

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Beta, Normal, kl_divergence
from torch.nn import functional

from mindseye import ops
from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.models.layers import mlp
from mindseye.models.perception import leaf_at, named_spaces, nested
from mindseye.models.policy.actions import is_bounded


class Categoricals:
    """Discrete and MultiDiscrete: independent categoricals with a little of the uniform."""

    def __init__(self, space: spaces.Discrete | spaces.MultiDiscrete, parameters: Tensor):
        self.space = space
        counts = [int(space.n)] if isinstance(space, spaces.Discrete) else space.nvec.tolist()
        self.log_probs = [ops.unimix(x) for x in parameters.split(counts, -1)]

    def _join(self, columns: list[Tensor]) -> Tensor:
        if isinstance(self.space, spaces.Discrete):
            return columns[0] + int(self.space.start)
        return torch.stack(columns, -1)

    def _columns(self, action: Tensor) -> list[Tensor]:
        if isinstance(self.space, spaces.Discrete):
            return [(action - int(self.space.start)).long()]
        return list(action.long().unbind(-1))

    def sample(self) -> Tensor:
        """Integers, from torch's global generator."""
        return self._join([ops.sample_one_hot(x).argmax(-1) for x in self.log_probs])

    def mode(self) -> Tensor:
        """Likeliest action."""
        return self._join([x.argmax(-1) for x in self.log_probs])

    def log_prob(self, action: Tensor) -> Tensor:
        """Of integer actions, summed over variables."""
        pairs = zip(self.log_probs, self._columns(action), strict=True)
        return torch.stack([x.gather(-1, i.unsqueeze(-1)).squeeze(-1) for x, i in pairs]).sum(0)

    def entropy(self) -> Tensor:
        """In nats, summed over variables."""
        return torch.stack([ops.entropy(x) for x in self.log_probs]).sum(0)

    def kl(self, other: "Categoricals") -> Tensor:
        """KL(self ‖ other) in nats, summed over variables."""
        pairs = zip(self.log_probs, other.log_probs, strict=True)
        return torch.stack([(p.exp() * (p - q)).sum(-1) for p, q in pairs]).sum(0)


class Bits:
    """MultiBinary: independent Bernoullis."""

    def __init__(self, space: spaces.MultiBinary, parameters: Tensor):
        self.shape, self.logits = space.shape, parameters

    def sample(self) -> Tensor:
        """0 or 1, int8."""
        return self._shaped(torch.rand_like(self.logits) < self.logits.sigmoid())

    def mode(self) -> Tensor:
        """Likelier bits."""
        return self._shaped(self.logits > 0)

    def _shaped(self, bits: Tensor) -> Tensor:
        return bits.to(torch.int8).unflatten(-1, self.shape)

    def log_prob(self, action: Tensor) -> Tensor:
        """Summed over bits."""
        target = action.float().flatten(action.ndim - len(self.shape))
        loss = functional.binary_cross_entropy_with_logits
        return -loss(self.logits, target, reduction="none").sum(-1)

    def entropy(self) -> Tensor:
        """In nats, summed over bits."""
        p = self.logits.sigmoid()
        return (functional.softplus(self.logits) - p * self.logits).sum(-1)

    def kl(self, other: "Bits") -> Tensor:
        """KL(self ‖ other) in nats, summed over bits."""
        p = self.logits.sigmoid()
        soft = functional.softplus(other.logits) - functional.softplus(self.logits)
        return (soft + p * (self.logits - other.logits)).sum(-1)


class BoundedNumbers:
    """Box with bounds: a Beta per number, stretched to the box.

    Its support is the box, so no probability is lost to clipping (Chou et al. 2017, ICML).
    """

    edge = 1e-3

    def __init__(self, space: spaces.Box, parameters: Tensor):
        self.space = space
        first, second = (1 + functional.softplus(x) for x in parameters.float().chunk(2, -1))
        self.beta = Beta(first, second, validate_args=False)
        low, high = (np.asarray(x, np.float32).reshape(-1) for x in (space.low, space.high))
        self.low = torch.as_tensor(low, device=parameters.device)
        self.width = torch.as_tensor(high - low, device=parameters.device)

    def _shaped(self, unit: Tensor) -> Tensor:
        return (self.low + self.width * unit).unflatten(-1, self.space.shape)

    def sample(self) -> Tensor:
        """Inside the box, in its unit."""
        return self._shaped(self.beta.sample())

    def mode(self) -> Tensor:
        """The mean: unlike the mode of a flat Beta, it is always well defined."""
        return self._shaped(self.beta.mean)

    def log_prob(self, action: Tensor) -> Tensor:
        """Density in the unit of the box, summed over numbers."""
        flat = action.float().flatten(action.ndim - len(self.space.shape))
        unit = ((flat - self.low) / self.width).clamp(self.edge, 1 - self.edge)
        return (self.beta.log_prob(unit) - self.width.log()).sum(-1)

    def entropy(self) -> Tensor:
        """Differential, in nats, summed over numbers."""
        return (self.beta.entropy() + self.width.log()).sum(-1)

    def kl(self, other: "BoundedNumbers") -> Tensor:
        """KL(self ‖ other) in nats, summed over numbers."""
        return kl_divergence(self.beta, other.beta).sum(-1)


class Numbers:
    """Box without bounds: a Gaussian per number."""

    def __init__(self, space: spaces.Box, parameters: Tensor):
        self.shape = space.shape
        mean, spread = parameters.float().chunk(2, -1)
        self.normal = Normal(mean, functional.softplus(spread) + 0.05, validate_args=False)

    def sample(self) -> Tensor:
        """Unbounded numbers."""
        return self.normal.sample().unflatten(-1, self.shape)

    def mode(self) -> Tensor:
        """Mean."""
        return self.normal.mean.unflatten(-1, self.shape)

    def log_prob(self, action: Tensor) -> Tensor:
        """Density, summed over numbers."""
        return self.normal.log_prob(action.float().flatten(action.ndim - len(self.shape))).sum(-1)

    def entropy(self) -> Tensor:
        """Differential, in nats, summed over numbers."""
        return self.normal.entropy().sum(-1)

    def kl(self, other: "Numbers") -> Tensor:
        """KL(self ‖ other) in nats, summed over numbers."""
        return kl_divergence(self.normal, other.normal).sum(-1)


Leaf = Categoricals | Bits | BoundedNumbers | Numbers


def _width(space: spaces.Space) -> int:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return int(space.nvec.sum())
    if isinstance(space, spaces.MultiBinary):
        return int(np.prod(space.shape))
    if isinstance(space, spaces.Box):
        return 2 * int(np.prod(space.shape))
    raise SpecError(f"policy: cannot act in space {space}; use Box, Discrete or products of these")


def _distribution(space: spaces.Space, parameters: Tensor) -> Leaf:
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return Categoricals(space, parameters)
    if isinstance(space, spaces.MultiBinary):
        return Bits(space, parameters)
    assert isinstance(space, spaces.Box)
    return (BoundedNumbers if is_bounded(space) else Numbers)(space, parameters)


class ActionDistribution:
    """Independent distributions over the leaves of an action space."""

    def __init__(self, space: spaces.Space, leaves: dict[str, Leaf]):
        self.space, self.leaves = space, leaves

    def sample(self) -> Tree:
        """Actions in the space's own form, drawn from torch's global generator."""
        return nested(self.space, {name: leaf.sample() for name, leaf in self.leaves.items()})

    def mode(self) -> Tree:
        """The action to take when not exploring."""
        return nested(self.space, {name: leaf.mode() for name, leaf in self.leaves.items()})

    def log_prob(self, action: Tree) -> Float[Tensor, "*lead"]:
        """Of actions in the space's own form."""
        parts = [leaf.log_prob(leaf_at(action, name)) for name, leaf in self.leaves.items()]
        return torch.stack(parts).sum(0)

    def entropy(self) -> Float[Tensor, "*lead"]:
        """In nats."""
        return torch.stack([leaf.entropy() for leaf in self.leaves.values()]).sum(0)

    def kl(self, other: "ActionDistribution") -> Float[Tensor, "*lead"]:
        """KL(self ‖ other) in nats, of another distribution over the same space."""
        pairs = [(leaf, other.leaves[name]) for name, leaf in self.leaves.items()]
        return torch.stack([mine.kl(theirs) for mine, theirs in pairs]).sum(0)  # type: ignore[arg-type]


class PolicyHead(nn.Module):
    """Features to an ActionDistribution.

    Raises:
        SpecError: If the action space is of a kind that cannot be acted in.
    """

    def __init__(self, space: spaces.Space, *, features: int, units: int, layers: int):
        super().__init__()
        self.space, self.spaces = space, named_spaces(space)
        self.arguments = {"features": features, "units": units, "layers": layers}
        self.widths = [_width(leaf) for leaf in self.spaces.values()]
        self.net = mlp(features, units, layers, sum(self.widths), zero=True)

    def forward(self, features: Float[Tensor, "*lead features"]) -> ActionDistribution:
        """Distribution with the leading axes of the features."""
        parts = self.net(features).split(self.widths, -1)
        pairs = zip(self.spaces.items(), parts, strict=True)
        return ActionDistribution(self.space, {n: _distribution(s, p) for (n, s), p in pairs})
