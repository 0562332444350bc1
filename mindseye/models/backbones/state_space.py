"""Diagonal state-space layers (S4D, Gu et al. 2022, 2206.11893) as the memory of a world model.

In training the layer is a convolution over the whole sequence (or a parallel scan, when an episode
starts inside it); in imagination it is a linear recurrence. All three are the same function.

    λ_n = −exp(a_n) + i·b_n,   Ā_n = exp(λ_n Δ),   w_n = C_n (Ā_n − 1) / λ_n
    s_t = Ā s_{t−1} + u_t,     y_t = 2 Re Σ_n w_n s_{t,n} + D u_t
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor, nn
from torch.nn import functional

from mindseye import ops
from mindseye.core.tree import Tree


class DiagonalStateSpace(nn.Module):
    """One linear state-space system per channel.

    Args:
        width: Channels.
        modes: Complex modes per channel; each decays and turns at its own rate.
    """

    def __init__(self, width: int, modes: int):
        super().__init__()
        step = torch.empty(width, 1).uniform_(math.log(1e-3), math.log(1e-1))
        self.log_step = nn.Parameter(step)
        self.log_decay = nn.Parameter(torch.full((width, modes), math.log(0.5)))
        self.turn = nn.Parameter(math.pi * torch.arange(modes).repeat(width, 1).float())
        self.output = nn.Parameter(torch.randn(width, modes, 2) / math.sqrt(2))
        self.skip = nn.Parameter(torch.randn(width))

    def discrete(self) -> tuple[Complex[Tensor, "width modes"], Complex[Tensor, "width modes"]]:
        """(Ā, w): decay per step, and read-out weights."""
        rate = torch.complex(-self.log_decay.exp(), self.turn)
        decay = torch.exp(rate * self.log_step.exp())
        return decay, torch.view_as_complex(self.output) * (decay - 1) / rate

    def kernel(self, steps: int) -> Float[Tensor, "time width"]:
        """What an impulse leaves behind after 0, 1, ... steps: 2 Re Σ_n w_n Ā_nᵗ."""
        time = self.log_step.exp().unsqueeze(-1) * torch.arange(steps, device=self.turn.device)
        # real arithmetic: several times faster than complex exponentials
        size = torch.exp(-self.log_decay.exp().unsqueeze(-1) * time)
        angle = self.turn.unsqueeze(-1) * time
        powers = torch.cat((size * angle.cos(), size * angle.sin()), 1)
        weight = torch.view_as_real(self.discrete()[1] * 2).transpose(1, 2)
        signed = torch.cat((weight[:, :1], -weight[:, 1:]), 1).flatten(1)
        return torch.einsum("dn,dnt->td", signed, powers)

    def convolve(self, u: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        """All steps from a zero state, by FFT."""
        steps = u.shape[1]
        # half precision would break the transforms
        with torch.autocast(u.device.type, enabled=False):
            kernel = self.kernel(steps)
        size = 2 * steps
        spectrum = torch.fft.rfft(u, size, 1) * torch.fft.rfft(kernel, size, 0)
        return torch.fft.irfft(spectrum, size, 1)[:, :steps] + self.skip * u

    def states(
        self, u: Float[Tensor, "batch time width"], is_first: Bool[Tensor, "batch time"]
    ) -> Complex[Tensor, "batch time width modes"]:
        """The state after every step, forgetting where an episode starts, by parallel scan."""
        decay, _ = self.discrete()
        keep = (~is_first)[:, :, None, None]
        added = u.unsqueeze(-1).expand(*u.shape, decay.shape[-1]).to(decay.dtype)
        return ops.linear_scan(decay * keep, added, torch.zeros_like(added[:, 0]))

    def read(
        self, state: Complex[Tensor, "*lead width modes"], u: Float[Tensor, "*lead width"]
    ) -> Float[Tensor, "*lead width"]:
        """Output from a state and the input that led to it."""
        return 2 * (state * self.discrete()[1]).sum(-1).real + self.skip * u


class _Block(nn.Module):
    def __init__(self, width: int, modes: int):
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.space = DiagonalStateSpace(width, modes)
        self.gate = nn.Linear(width, 2 * width)
        self.tail = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def finish(self, x: Tensor, y: Tensor) -> Tensor:
        """Gate the layer's output, add it, and pass the feed-forward part."""
        x = x + functional.glu(self.gate(functional.gelu(y)), -1)
        return x + self.tail(self.between(x))


class StateSpaceBackbone(nn.Module):
    """Memory is the complex state of every layer, stored as pairs of floats.

    Args:
        inputs: Width of what is read at every step.
        width: Width of the residual stream.
        layers, modes: Sizes.
        is_parallel: Whether `sequence` works on all steps at once, or takes one after the other:
            the same function, slower, to compare with.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        *,
        layers: int = 2,
        modes: int = 32,
        is_parallel: bool = True,
    ):
        super().__init__()
        self.width, self.modes, self.is_parallel = width, modes, is_parallel
        self.enter = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(_Block(width, modes) for _ in range(layers))
        self.leave = nn.LayerNorm(width)

    def initial(self, batch_size: int) -> Tree:
        """Zeros, shape (batch, layers, width, modes, 2)."""
        return self.enter.weight.new_zeros(batch_size, len(self.blocks), self.width, self.modes, 2)

    def step(
        self, x: Float[Tensor, "batch inputs"], memory: Tree
    ) -> tuple[Float[Tensor, "batch width"], Tree]:
        """One step of the recurrence."""
        x, states = self.enter(x).float(), []
        for index, block in enumerate(self.blocks):
            u = block.before(x)
            state = torch.view_as_complex(memory[:, index].contiguous()) * block.space.discrete()[0]
            state = state + u.unsqueeze(-1)
            x = block.finish(x, block.space.read(state, u))
            states.append(torch.view_as_real(state))
        return self.leave(x), torch.stack(states, 1)

    def sequence(
        self, x: Float[Tensor, "batch time inputs"], is_first: Bool[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time width"], Callable[[Tensor, Tensor], Tree]]:
        """All steps at once; the second value gives the states at (row, time)."""
        if not self.is_parallel:
            return self._step_by_step(x, is_first)
        x, inputs = self.enter(x).float(), []
        resets = bool(is_first[:, 1:].any())
        for block in self.blocks:
            u = block.before(x)
            inputs.append(u)
            space = block.space
            y = space.read(space.states(u, is_first), u) if resets else space.convolve(u)
            x = block.finish(x, y)

        def memory_at(row: Tensor, time: Tensor) -> Tree:
            rows, back = row.unique(return_inverse=True)
            found = []
            for block, u in zip(self.blocks, inputs, strict=True):
                states = block.space.states(u[rows], is_first[rows])
                found.append(torch.view_as_real(states[back, time]))
            return torch.stack(found, 1)

        return self.leave(x), memory_at

    def _step_by_step(
        self, x: Tensor, is_first: Tensor
    ) -> tuple[Tensor, Callable[[Tensor, Tensor], Tree]]:
        memory, found, memories = self.initial(len(x)), [], []
        for t in range(x.shape[1]):
            keep = (~is_first[:, t]).to(memory.dtype).view(-1, 1, 1, 1, 1)
            hidden, memory = self.step(x[:, t], memory * keep)
            found.append(hidden)
            memories.append(memory)
        past = torch.stack(memories, 1)
        return torch.stack(found, 1), lambda row, time: past[row, time]
