"""A transformer over video: tokens of a frame talk to each other, and each to its own past.

Space layers attend within a frame, every `time_every`-th layer attends over time, causally.
Training reads whole clips at once; stepping keeps a rolling cache of keys and values.
Pre-normalised with RMSNorm, gated linear units (SwiGLU, Shazeer 2020, 2002.05202), rotary positions
(Su et al. 2021, 2104.09864), normalised queries and keys, capped logits, grouped keys and register
tokens, as in Dreamer 4 (Hafner et al. 2025, 2509.24527, section 3).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye import ops
from mindseye.core.errors import ConfigError
from mindseye.core.tree import Tree

Modulation = Sequence[tuple[Tensor, Tensor]]
"""Per layer a scale and a shift, (batch, time, width) or (batch, width), of what feeds the MLP."""


class SpaceTimeTransformer(nn.Module):
    """Frames of tokens in, frames of tokens out.

    Args:
        width: Of the residual stream; a multiple of twice `heads`.
        layers: Of both kinds together.
        heads: Of every layer.
        key_heads: Heads of keys and values, shared by groups of query heads; None: `heads`.
        time_every: Each such layer attends over time, the others over space; 0: none does, so that
            every frame is alone.
        window: Steps looked back over time, the present one included.
        registers: Further learned tokens per frame, dropped again at the end.
        soft_cap: Attention logits are kept within plus and minus this; None leaves them, which
            takes a fused kernel.

    Raises:
        ConfigError: If the sizes do not divide each other or no layer sees the past.
    """

    def __init__(
        self,
        width: int,
        *,
        layers: int = 4,
        heads: int = 4,
        key_heads: int | None = None,
        time_every: int = 4,
        window: int = 32,
        registers: int = 0,
        soft_cap: float | None = 50.0,
    ):
        super().__init__()
        key_heads = key_heads or heads
        if width % (2 * heads) or heads % key_heads:
            raise ConfigError(
                f"transformer: width {width}, heads {heads} and key_heads {key_heads} do not"
                " divide; make width a multiple of 2 * heads, and heads one of key_heads"
            )
        if layers < max(time_every, 1):
            raise ConfigError(
                f"transformer: no layer of {layers} sees the past; add layers or lower time_every"
            )
        self.width, self.window = width, window
        self.is_over_time = [time_every > 0 and (i + 1) % time_every == 0 for i in range(layers)]
        self.blocks = nn.ModuleList(
            _Block(width, heads, key_heads, soft_cap) for _ in range(layers)
        )
        self.registers = nn.Parameter(0.02 * torch.randn(registers, width))
        self.leave = nn.RMSNorm(width)

    def initial(self, batch_size: int, tokens: int) -> Tree:
        """An empty cache: key, value (batch, time layers, window, tokens, ...), length (batch,)."""
        shape = (batch_size, sum(self.is_over_time), self.window, tokens + len(self.registers))
        empty = self.registers.new_zeros(*shape, *self.blocks[0].key_shape)  # type: ignore[misc]
        length = torch.zeros(batch_size, dtype=torch.long, device=empty.device)
        return {"key": empty, "value": empty, "length": length}

    def forward(
        self,
        tokens: Float[Tensor, "batch time tokens width"],
        is_first: Bool[Tensor, "batch time"],
        *,
        visible: Bool[Tensor, "tokens tokens"] | None = None,
        modulation: Modulation | None = None,
    ) -> Float[Tensor, "batch time tokens width"]:
        """All frames at once; none looks past the start of its episode.

        Args:
            tokens: Position t may read frames up to t.
            is_first: First frames of episodes.
            visible: Which token (column) each token (row) of a frame may read; None: all.
            modulation: See `Modulation`.
        """
        past = self._past(is_first)
        places = torch.arange(tokens.shape[1], device=tokens.device)
        return self._read(tokens, past, places, visible, modulation)

    def with_drafts(
        self,
        tokens: Float[Tensor, "batch time tokens width"],
        drafts: Float[Tensor, "batch time tokens width"],
        is_first: Bool[Tensor, "batch time"],
        *,
        visible: Bool[Tensor, "tokens tokens"] | None = None,
        modulation: Modulation | None = None,
    ) -> tuple[Float[Tensor, "batch time tokens width"], Float[Tensor, "batch time tokens width"]]:
        """All frames, and of every frame a draft: it sees the frames before it, and none sees it.

        So every frame can be predicted from a clear past in one pass.
        """
        past, time = self._past(is_first), tokens.shape[1]
        self_only = torch.eye(time, dtype=torch.bool, device=past.device).expand_as(past)
        seen = torch.cat((past, torch.zeros_like(past)), -1)
        drafted = torch.cat((past & ~self_only, self_only), -1)
        places = torch.arange(time, device=tokens.device).repeat(2)
        both = torch.cat((tokens, drafts), 1)
        if modulation is not None:
            modulation = [(torch.cat((a, a), 1), torch.cat((b, b), 1)) for a, b in modulation]
        out = self._read(both, torch.cat((seen, drafted), -2), places, visible, modulation)
        return out[:, :time], out[:, time:]

    def _read(
        self,
        tokens: Tensor,
        past: Tensor,
        places: Tensor,
        visible: Tensor | None,
        modulation: Modulation | None,
    ) -> Tensor:
        kept, x = tokens.shape[2], self._with_registers(tokens)
        over_space, over_time = self._over_space(visible, kept), past[:, None, None]
        for index, block in enumerate(self.blocks):
            if self.is_over_time[index]:
                x = block.attend(x.transpose(1, 2), over_time, places).transpose(1, 2)
            else:
                x = block.attend(x, over_space, None)
            x = block.digest(x, modulation and modulation[index])
        return self.leave(x[:, :, :kept])

    def step(
        self,
        tokens: Float[Tensor, "batch tokens width"],
        cache: Tree,
        *,
        visible: Bool[Tensor, "tokens tokens"] | None = None,
        modulation: Modulation | None = None,
    ) -> tuple[Float[Tensor, "batch tokens width"], Tree]:
        """One more frame. Keep the returned cache to make it part of the past."""
        kept, x = tokens.shape[1], self._with_registers(tokens)
        over_space = self._over_space(visible, kept)
        length = (cache["length"] + 1).clamp(max=self.window)
        back = torch.arange(self.window - 1, -1, -1, device=x.device)
        over_time = (back < length.unsqueeze(1)).view(-1, 1, 1, 1, self.window)
        keys, values = [], []
        for index, block in enumerate(self.blocks):
            if self.is_over_time[index]:
                past = cache["key"][:, len(keys)], cache["value"][:, len(keys)]
                x, key, value = block.recall(x, *past, over_time)
                keys.append(key)
                values.append(value)
            else:
                x = block.attend(x, over_space, None)
            x = block.digest(x, modulation and modulation[index])
        if keys:
            cache = {"key": torch.stack(keys, 1), "value": torch.stack(values, 1)}
        cache = {**cache, "length": length}
        return self.leave(x[:, :kept]), cache

    def _with_registers(self, tokens: Tensor) -> Tensor:
        registers = self.registers.to(tokens.dtype).expand(*tokens.shape[:-2], -1, -1)
        return torch.cat((tokens, registers), -2)

    def _over_space(self, visible: Tensor | None, tokens: int) -> Tensor | None:
        """With registers: all read them; they read only what all may read, so they leak nothing."""
        if visible is None:
            return None
        extra = len(self.registers)
        public = visible.all(0)
        wide = torch.cat((visible, visible.new_ones(tokens, extra)), 1)
        below = torch.cat((public, visible.new_ones(extra))).expand(extra, -1)
        return torch.cat((wide, below), 0)

    def _past(self, is_first: Tensor) -> Tensor:
        episode = ops.episode_ids(is_first)
        steps = torch.arange(is_first.shape[1], device=is_first.device)
        distance = steps.view(-1, 1) - steps.view(1, -1)
        same = episode.unsqueeze(2) == episode.unsqueeze(1)
        return same & (distance >= 0) & (distance < self.window)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, key_heads: int, soft_cap: float | None):
        super().__init__()
        size = width // heads
        self.groups, self.soft_cap = heads // key_heads, soft_cap
        self.key_shape = (key_heads, size)
        self.before, self.between = nn.RMSNorm(width), nn.RMSNorm(width)
        self.query_norm, self.key_norm = nn.RMSNorm(size), nn.RMSNorm(size)
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * key_heads * size, bias=False)
        self.merge = nn.Linear(width, width, bias=False)
        hidden = max(16, int(width * 8 / 3) // 16 * 16)
        self.gate = nn.Linear(width, 2 * hidden, bias=False)
        self.out = nn.Linear(hidden, width, bias=False)
        # blocks begin as the identity, which learns several times faster
        nn.init.zeros_(self.merge.weight)
        nn.init.zeros_(self.out.weight)

    def attend(self, x: Tensor, visible: Tensor | None, places: Tensor | None) -> Tensor:
        """Residual attention over the second last axis; positions are its order if not given."""
        query, key, value = self._project(x)
        if places is None:
            places = torch.arange(x.shape[-2], device=x.device)
        return x + self._mix(_turn(query, places), _turn(key, places), value, visible)

    def recall(
        self, x: Tensor, keys: Tensor, values: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Residual attention of each token over its own past; also keys and values, rolled by one.

        Cached keys are not yet turned: positions are places in the window, and only differences
        of positions matter.
        """
        query, key, value = self._project(x.unsqueeze(2))
        keys = torch.cat((keys[:, 1:], key.transpose(1, 2)), 1)
        values = torch.cat((values[:, 1:], value.transpose(1, 2)), 1)
        places = torch.arange(keys.shape[1], device=x.device)
        turned = _turn(query, places[-1:]), _turn(keys.transpose(1, 2), places)
        mixed = self._mix(*turned, values.transpose(1, 2), visible)
        return x + mixed.squeeze(2), keys, values

    def digest(self, x: Tensor, modulation: tuple[Tensor, Tensor] | None) -> Tensor:
        """Residual gated MLP."""
        inner = self.between(x)
        if modulation is not None:
            scale, shift = (part.unsqueeze(-2) for part in modulation)
            inner = inner * (1 + scale) + shift
        gate, value = self.gate(inner).chunk(2, -1)
        return x + self.out(functional.silu(gate) * value)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (..., length, heads, size); keys and values with fewer heads."""
        inner, (key_heads, size) = self.before(x), self.key_shape
        # in float32, where the norm is one fused kernel
        query = self.query_norm(self.query(inner).unflatten(-1, (-1, size)).float())
        key, value = self.key_value(inner).unflatten(-1, (2 * key_heads, size)).chunk(2, -2)
        key = self.key_norm(key.float())
        return query, key, value.float()

    def _mix(self, query: Tensor, key: Tensor, value: Tensor, visible: Tensor | None) -> Tensor:
        """Attention; visible broadcasts over (..., heads, queries, keys)."""
        if self.groups > 1:
            key, value = (part.repeat_interleave(self.groups, -2) for part in (key, value))
        query, key, value = (part.transpose(-2, -3) for part in (query, key, value))
        if self.soft_cap is None:
            found = functional.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        else:
            logits = query @ key.transpose(-1, -2) * (self.key_shape[1] ** -0.5 / self.soft_cap)
            logits = self.soft_cap * logits.tanh()
            if visible is not None:
                logits = logits.masked_fill(~visible, -torch.inf)
            found = logits.softmax(-1).to(value.dtype) @ value
        return self.merge(found.transpose(-2, -3).flatten(-2))


def _turn(x: Tensor, places: Tensor) -> Tensor:
    """Rotate (..., length, heads, size) by the position of each entry along length."""
    half = x.shape[-1] // 2
    rate = 10_000.0 ** (-torch.arange(half, device=x.device) / half)
    angle = places.view(-1, 1, 1) * rate
    cos, sin = angle.cos(), angle.sin()
    left, right = x[..., :half], x[..., half:]
    return torch.cat((left * cos - right * sin, left * sin + right * cos), -1)
