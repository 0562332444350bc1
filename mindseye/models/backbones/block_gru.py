"""The block-diagonal gated recurrent unit of DreamerV3 (Hafner et al. 2025, Nature).

Eight blocks let a wide memory cost little: every block reads its own slice and the whole input.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye.core.errors import ConfigError
from mindseye.core.tree import Tree

BLOCKS = 8


class BlockLinear(nn.Module):
    """`BLOCKS` independent linear maps on (blocks, batch, inputs)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(BLOCKS, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(BLOCKS, 1, outputs))
        nn.init.trunc_normal_(self.weight, std=1 / math.sqrt(inputs))

    def forward(self, x: Float[Tensor, "blocks batch inputs"]) -> Tensor:
        """Map every block."""
        return torch.baddbmm(self.bias, x, self.weight)


class BlockGRUBackbone(nn.Module):
    """Memory is the hidden vector; one hidden layer precedes the gates.

    Args:
        inputs: Width of what is read at every step.
        width: Width of the hidden vector, divisible by eight.
    """

    def __init__(self, inputs: int, width: int):
        super().__init__()
        if width % BLOCKS:
            raise ConfigError(f"rssm: deterministic width {width} must be divisible by {BLOCKS}")
        self.width = width
        self.hidden = BlockLinear(width // BLOCKS + inputs, width // BLOCKS)
        self.norm = nn.LayerNorm(width)
        self.gates = BlockLinear(width // BLOCKS, 3 * width // BLOCKS)

    def initial(self, batch_size: int) -> Tree:
        """Zeros, shape (batch, width)."""
        return self.norm.weight.new_zeros(batch_size, self.width)

    def step(
        self, x: Float[Tensor, "batch inputs"], memory: Tree
    ) -> tuple[Float[Tensor, "batch width"], Tree]:
        """One step."""
        own = memory.unflatten(-1, (BLOCKS, -1)).transpose(0, 1)
        inner = self.hidden(torch.cat((own, x.expand(BLOCKS, *x.shape)), -1))
        inner = functional.silu(self.norm(inner.transpose(0, 1).flatten(1).float()))
        gates = self.gates(inner.unflatten(-1, (BLOCKS, -1)).transpose(0, 1)).float()
        reset, candidate, update = gates.chunk(3, -1)
        candidate = torch.tanh(torch.sigmoid(reset) * candidate)
        # the −1 makes a fresh network keep its memory rather than overwrite it
        update = torch.sigmoid(update - 1)
        new = torch.lerp(own, candidate, update).transpose(0, 1).flatten(1)
        return new, new

    def sequence(
        self, x: Float[Tensor, "batch time inputs"], is_first: Bool[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time width"], Callable[[Tensor, Tensor], Tree]]:
        """All steps from an empty memory; the second value gives the memory at (row, time)."""
        memory, out = self.initial(len(x)), []
        keep = (~is_first).to(x.dtype).unsqueeze(-1)
        for t in range(x.shape[1]):
            memory = self.step(x[:, t], memory * keep[:, t])[0]
            out.append(memory)
        hidden = torch.stack(out, 1)
        return hidden, lambda row, time: hidden[row, time]
