"""A causal transformer over words, small enough to be trained on two cores.

Every layer blends each word with the few before it (a short convolution) before it attends: what
follows words that were seen before is then found within one layer, and looking things up is learned
many times sooner.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Cache:
    """What layers remember of a batch of texts; (layers, batch, ...) for all."""

    keys: Float[Tensor, "layers batch heads time depth"]
    values: Float[Tensor, "layers batch heads time depth"]
    recent: Float[Tensor, "layers batch one units"]
    """Last inputs of the convolutions."""
    is_word: Bool[Tensor, "batch time"]
    """False where a text was padded, and where nothing stands yet."""
    length: int
    """Columns written so far."""

    def rows(self, which: Tensor) -> "Cache":
        """The cache of some rows; `which` holds their positions."""
        return Cache(
            self.keys[:, which],
            self.values[:, which],
            self.recent[:, which],
            self.is_word[which],
            self.length,
        )


class WordTransformer(nn.Module):
    """Predicts the next word.

    Args:
        vocabulary: Number of tokens.
        num_names: The last so many of them are interchangeable.
        units: Width, a multiple of `heads`.
        layers, heads: Sizes.
        reach: Words that are blended before each layer attends, the present one included.

    Source: rotary positions (Su et al. 2021, arXiv 2104.09864), SwiGLU (Shazeer 2020, 2002.05202);
        the short convolution as in H3 (Fu et al. 2022, 2212.14052, section 3).
    """

    def __init__(
        self,
        vocabulary: int,
        num_names: int,
        *,
        units: int = 256,
        layers: int = 4,
        heads: int = 4,
        reach: int = 4,
    ):
        super().__init__()
        self.reach = reach
        self.embedding = nn.Embedding(vocabulary, units)
        nn.init.normal_(self.embedding.weight, std=units**-0.5)
        with torch.no_grad():
            # names begin as different from one another as can be
            names = torch.empty(max(num_names, units), units, device=self.embedding.weight.device)
            nn.init.orthogonal_(names)
            self.embedding.weight[-num_names:] = names[:num_names]
        self.layers = nn.ModuleList(_Layer(units, heads, reach) for _ in range(layers))
        self.norm = nn.LayerNorm(units, bias=False)
        self.scale = nn.Parameter(torch.tensor(1.0))

    def matrices(self) -> list[nn.Parameter]:
        """Hidden weights, which Muon may move."""
        return [p for layer in self.layers for p in layer.parameters() if p.ndim == 2]

    def forward(
        self, tokens: Int[Tensor, "batch time"], segment: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time units"]:
        """Features after every word of whole texts; read `logits` of those that matter.

        Args:
            tokens: Texts, several in a row if need be.
            segment: Which text of its row a word belongs to, 0 for padding. Texts do not hear one
                another.
        """
        return self._through(tokens, segment, None)[0]

    def read(
        self, tokens: Int[Tensor, "batch time"], segment: Int[Tensor, "batch time"], room: int
    ) -> tuple[Float[Tensor, "batch vocabulary"], Cache]:
        """Scores of the next word after texts padded on the left, and room for more words."""
        features, cache = self._through(tokens, segment, None, room=room)
        assert cache is not None
        return self.logits(features[:, -1]), cache

    def say(
        self, tokens: Int[Tensor, " batch"], cache: Cache
    ) -> tuple[Float[Tensor, "batch vocabulary"], Cache]:
        """Scores of the next word after one more, and the cache with it."""
        features, after = self._through(tokens.unsqueeze(1), None, cache)
        assert after is not None
        return self.logits(features[:, -1]), after

    def logits(self, features: Float[Tensor, "*lead units"]) -> Float[Tensor, "*lead vocabulary"]:
        """Scores of all words."""
        return functional.linear(features, self.embedding.weight) * self.scale

    def _through(
        self, tokens: Tensor, segment: Tensor | None, cache: Cache | None, room: int | None = None
    ) -> tuple[Tensor, Cache | None]:
        x = functional.layer_norm(self.embedding(tokens), (self.embedding.embedding_dim,))
        batch, time = tokens.shape
        if cache is not None:
            start = cache.length
            words = cache.is_word.clone()
            words[:, start : start + time] = True
            kept = cache.keys, cache.values, cache.recent.clone()
            mask = words[:, None, None, : start + time]
        else:
            assert segment is not None
            start, words = 0, functional.pad(segment > 0, (0, room or 0))
            kept = None
            if room is not None:
                heads, depth = self.layers[0].heads, self.layers[0].depth
                shape = (len(self.layers), batch, heads, time + room, depth)
                recent = x.new_zeros(len(self.layers), batch, self.reach - 1, x.shape[-1])
                kept = x.new_zeros(shape), x.new_zeros(shape), recent
            causal = torch.ones(time, time, dtype=torch.bool, device=x.device).tril()
            mask = (causal & (segment.unsqueeze(1) == segment.unsqueeze(2))).unsqueeze(1)
        bias = torch.zeros(mask.shape, device=x.device).masked_fill(~mask, float("-inf"))
        positions = torch.arange(start, start + time, device=x.device)
        begins = None
        if segment is not None:
            padded = functional.pad(segment, (self.reach - 1, 0), value=-1)
            begins = [
                (
                    segment != padded[:, self.reach - 1 - back : self.reach - 1 - back + time]
                ).unsqueeze(-1)
                for back in range(1, self.reach)
            ]
        for index, layer in enumerate(self.layers):
            mine = None if kept is None else [part[index] for part in kept]
            before = past = None
            if mine is not None and cache is not None:
                past, before = (mine[0][:, :, :start], mine[1][:, :, :start]), mine[2]
            x, key, value, tail = layer(x, positions, bias, begins, before, past)
            if mine is not None:
                mine[0][:, :, start : start + time] = key
                mine[1][:, :, start : start + time] = value
                mine[2][:] = tail
        after = None if kept is None else Cache(*kept, words, start + time)
        return self.norm(x), after


class _Layer(nn.Module):
    def __init__(self, units: int, heads: int, reach: int):
        super().__init__()
        self.reach, self.heads, self.depth = reach, heads, units // heads
        self.first = nn.LayerNorm(units, bias=False)
        # equal shares of four words: where they begin unequal, or are many, looking up is learned
        # later
        self.blend = nn.Parameter((torch.arange(reach) < 4).float().unsqueeze(1).repeat(1, units))
        self.attend = nn.Linear(units, 3 * units, bias=False)
        self.out = nn.Linear(units, units, bias=False)
        self.second = nn.LayerNorm(units, bias=False)
        hidden = 8 * units // 3 // 16 * 16
        self.up = nn.Linear(units, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, units, bias=False)
        with torch.no_grad():
            # like words begin by attending to like words, from which looking up is learned
            self.attend.weight[units : 2 * units] = self.attend.weight[:units]
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x, positions, bias, begins, before, past):
        batch, time, units = x.shape
        now = self.first(x)
        if before is None:
            before = now.new_zeros(batch, self.reach - 1, units)
        wide = torch.cat([before.to(now.dtype), now], 1)
        mixed = self.blend[0] * now
        for back in range(1, self.reach):
            earlier = wide[:, self.reach - 1 - back : self.reach - 1 - back + time]
            if begins is not None:
                earlier = earlier.masked_fill(begins[back - 1], 0)
            mixed = torch.addcmul(mixed, self.blend[back], earlier)
        parts = self.attend(mixed).view(batch, time, 3, self.heads, self.depth)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        query, key = _turn(query * self.depth**-0.5, positions), _turn(key, positions)
        keys, values = key, value
        if past is not None:
            keys = torch.cat([past[0], key], 2)
            values = torch.cat([past[1], value], 2)
        # torch's fused attention is four to six times slower here, in training on CPUs
        weights = (query @ keys.transpose(-1, -2) + bias.to(value.dtype)).softmax(-1)
        heard = weights.to(value.dtype) @ values
        x = x + self.out(heard.transpose(1, 2).reshape(batch, time, units))
        gate, up = self.up(self.second(x)).chunk(2, -1)
        return x + self.down(functional.silu(gate) * up), key, value, wide[:, time:]


def _turn(x: Tensor, positions: Tensor) -> Tensor:
    """Rotate pairs of the first half of the channels by angles that grow with position."""
    quarter = x.shape[-1] // 4
    speeds = 1000.0 ** -(torch.arange(quarter, device=x.device, dtype=torch.float32) / quarter)
    angle = positions.float().unsqueeze(-1) * speeds
    sin, cos = angle.sin().to(x.dtype), angle.cos().to(x.dtype)
    a, b, rest = x[..., :quarter], x[..., quarter : 2 * quarter], x[..., 2 * quarter :]
    return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], -1)
