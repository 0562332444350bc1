"""A causal transformer over time: parallel in training, a rolling key/value cache in imagination.

Attention looks back at most `window` steps, never across the start of an episode, and prefers the
near past by a linear penalty per head (ALiBi, Press et al. 2022, 2108.12409), so no step needs an
absolute position.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye import ops
from mindseye.core.tree import Tree
from mindseye.models.layers import Dense


class _Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.merge = nn.Linear(width, width, bias=False)
        self.tail = nn.Sequential(Dense(width, 2 * width), nn.Linear(2 * width, width))

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys, values, each (batch, time, heads, width / heads)."""
        query, key, value = (
            self.project(self.before(x)).unflatten(-1, (3, self.heads, -1)).unbind(-3)
        )
        return query, key, value

    def attend(self, x: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """Residual attention and feed-forward. Bias is (batch, heads, queries, keys)."""
        turned = (part.transpose(1, 2) for part in (query, key, value))
        found = functional.scaled_dot_product_attention(*turned, attn_mask=bias)
        x = x + self.merge(found.transpose(1, 2).flatten(2))
        return x + self.tail(self.between(x))


class TransformerBackbone(nn.Module):
    """Memory is the keys and values of the last `window` steps of every layer.

    Args:
        inputs: Width of what is read at every step.
        width: Width of the residual stream.
        layers, heads: Sizes.
        window: Steps looked back, the present one included.
    """

    def __init__(
        self, inputs: int, width: int, *, layers: int = 2, heads: int = 4, window: int = 64
    ):
        super().__init__()
        self.width, self.window = width, window
        self.enter = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(layers))
        self.leave = nn.LayerNorm(width)
        slopes = 2.0 ** (-8 * torch.arange(1, heads + 1) / heads)
        self.register_buffer("slopes", slopes.view(heads, 1, 1), persistent=False)

    def initial(self, batch_size: int) -> Tree:
        """An empty cache: keys and values (batch, layers, window, heads, ...), length (batch,)."""
        heads = self.slopes.shape[0]
        shape = (batch_size, len(self.blocks), self.window, heads, self.width // heads)
        empty = self.enter.weight.new_zeros(shape)
        length = torch.zeros(batch_size, dtype=torch.long, device=empty.device)
        return {"key": empty, "value": empty, "length": length}

    def _bias(self, distance: Tensor, visible: Tensor) -> Tensor:
        penalty = -self.slopes * distance.to(self.slopes.dtype).unsqueeze(-3)
        return penalty.masked_fill(~visible.unsqueeze(-3), -torch.inf)

    def step(
        self, x: Float[Tensor, "batch inputs"], memory: Tree
    ) -> tuple[Float[Tensor, "batch width"], Tree]:
        """One step: the cache rolls by one."""
        x = self.enter(x).float().unsqueeze(1)
        length = (memory["length"] + 1).clamp(max=self.window)
        distance = torch.arange(self.window - 1, -1, -1, device=x.device)
        bias = self._bias(distance.view(1, 1, -1), (distance < length.unsqueeze(1)).unsqueeze(1))
        keys, values = [], []
        for index, block in enumerate(self.blocks):
            query, key, value = block.split(x)
            keys.append(torch.cat((memory["key"][:, index, 1:], key), 1))
            values.append(torch.cat((memory["value"][:, index, 1:], value), 1))
            x = block.attend(x, query, keys[-1], values[-1], bias)
        memory = {"key": torch.stack(keys, 1), "value": torch.stack(values, 1), "length": length}
        return self.leave(x).squeeze(1), memory

    def sequence(
        self, x: Float[Tensor, "batch time inputs"], is_first: Bool[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time width"], Callable[[Tensor, Tensor], Tree]]:
        """All steps at once; the second value gives the cache at (row, time)."""
        episode, steps = ops.episode_ids(is_first), torch.arange(x.shape[1], device=x.device)
        distance = steps.view(-1, 1) - steps.view(1, -1)
        same = episode.unsqueeze(2) == episode.unsqueeze(1)
        visible = same & (distance >= 0) & (distance < self.window)
        bias = self._bias(distance.unsqueeze(0), visible)
        x = self.enter(x).float()
        keys, values = [], []
        for block in self.blocks:
            query, key, value = block.split(x)
            keys.append(key)
            values.append(value)
            x = block.attend(x, query, key, value, bias)
        cache = torch.stack(keys, 1), torch.stack(values, 1)

        def memory_at(row: Tensor, time: Tensor) -> Tree:
            back = torch.arange(self.window - 1, -1, -1, device=row.device)
            when = (time.unsqueeze(1) - back).clamp(min=0)
            key, value = (part[row.unsqueeze(1), :, when].transpose(1, 2) for part in cache)
            length = visible[row, time].sum(-1)
            return {"key": key, "value": value, "length": length}

        return self.leave(x), memory_at
