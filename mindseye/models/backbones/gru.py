"""A gated recurrent unit: fused over time in training, one cell in imagination."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mindseye.core.tree import Tree


class GRUBackbone(nn.Module):
    """Memory is the hidden vector itself.

    Args:
        inputs: Width of what is read at every step.
        width: Width of the hidden vector.
    """

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.width = width
        self.net = nn.GRU(inputs, width, batch_first=True)

    def initial(self, batch_size: int) -> Tree:
        """Zeros, shape (batch, width)."""
        return self.net.weight_hh_l0.new_zeros(batch_size, self.width)

    def step(
        self, x: Float[Tensor, "batch inputs"], memory: Tree
    ) -> tuple[Float[Tensor, "batch width"], Tree]:
        """One step."""
        net = self.net
        hidden = torch.gru_cell(
            x, memory, net.weight_ih_l0, net.weight_hh_l0, net.bias_ih_l0, net.bias_hh_l0
        )
        return hidden, hidden

    def sequence(
        self, x: Float[Tensor, "batch time inputs"], is_first: Bool[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time width"], Callable[[Tensor, Tensor], Tree]]:
        """All steps from an empty memory; the second value gives the memory at (row, time)."""
        if is_first[:, 1:].any():
            memory, out = self.initial(len(x)), []
            keep = (~is_first).to(x.dtype).unsqueeze(-1)
            for t in range(x.shape[1]):
                memory = self.step(x[:, t], memory * keep[:, t])[0]
                out.append(memory)
            hidden = torch.stack(out, 1)
        else:
            hidden = self.net(x)[0]
        return hidden, lambda row, time: hidden[row, time]
