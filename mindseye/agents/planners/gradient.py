"""Planning by gradient: climb the predicted return through a differentiable model."""

import time
from dataclasses import dataclass, field

import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional

from mindseye.agents.planners.scoring import Scorer, repeat
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Cost, Plan, Planner, WorldModel
from mindseye.core.tree import Tree, batch_size, map_tree


@dataclass(frozen=True)
class GradientPlanner(Planner):
    """Adam on several sequences at once; the best one is the plan.

    Bounded boxes are searched through a tanh, discrete actions through straight-through one-hots.
    The model must pass gradients from rewards to actions; the true simulator does not.
    """

    horizon: int = 12
    """Steps looked ahead."""
    restarts: int = 8
    """Sequences climbed from different starts."""
    iterations: int = 20
    """Gradient steps."""
    learning_rate: float = 0.3
    scorer: Scorer = field(default_factory=Scorer)

    def plan(self, model: WorldModel, state: Tree, *, warm: Tree | None = None) -> Plan:
        """Climb from every row of `state` at once.

        Raises:
            SpecError: If actions are neither Discrete nor a bounded Box, or no gradient arrives.
        """
        began, rows = time.perf_counter(), batch_size(state)
        space = model.action_space
        free = self._start(space, rows, warm).requires_grad_(True)
        adam = torch.optim.Adam([free], lr=self.learning_rate)
        many = map_tree(torch.Tensor.detach, repeat(state, self.restarts, rows))
        for _ in range(self.iterations):
            value = self.scorer(model, many, _relaxed(space, free), self.horizon)
            if not value.requires_grad:
                raise SpecError(
                    "gradient planner: no gradient reaches the actions; use cem on this model"
                )
            (gradient,) = torch.autograd.grad(-value.sum(), free)
            free.grad = gradient
            adam.step()
        with torch.no_grad():
            actions = _final(space, free)
            value = self.scorer(model, many, actions, self.horizon).view(rows, self.restarts)
            best = value.max(1)
            index = torch.arange(rows) * self.restarts + best.indices
            sequence = actions[index]
        steps = (self.iterations + 1) * rows * self.restarts * self.horizon
        cost = Cost(model_steps=steps, seconds=time.perf_counter() - began)
        return Plan(sequence[:, 0], sequence, best.values, cost)

    def _start(self, space: spaces.Space, rows: int, warm: Tree | None) -> Tensor:
        shape = (rows, self.restarts, self.horizon)
        if isinstance(space, spaces.Discrete):
            free = 0.5 * torch.randn(*shape, int(space.n))
            if warm is not None:
                free[:, 0] = 2.0 * functional.one_hot(warm.long() - int(space.start), int(space.n))
        elif isinstance(space, spaces.Box):
            low, high = _bounds(space)
            free = 0.5 * torch.randn(*shape, len(low))
            if warm is not None:
                unit = 2 * (warm.flatten(2) - low) / (high - low) - 1
                free[:, 0] = unit.clamp(-0.99, 0.99).atanh()
        else:
            raise SpecError(f"planner: expected a Discrete or Box action space, got {space}")
        return free.flatten(0, 1)


def _bounds(space: spaces.Box) -> tuple[Tensor, Tensor]:
    low, high = (torch.as_tensor(x.reshape(-1)).float() for x in (space.low, space.high))
    if not (torch.isfinite(low).all() and torch.isfinite(high).all()):
        raise SpecError(f"planner: expected a bounded action space, got {space}; wrap the world")
    return low, high


def _relaxed(space: spaces.Space, free: Tensor) -> Tensor:
    if isinstance(space, spaces.Discrete):
        soft = free.softmax(-1)
        hard = functional.one_hot(soft.argmax(-1), soft.shape[-1]).float()
        return hard + soft - soft.detach()
    return _final(space, free)


def _final(space: spaces.Space, free: Tensor) -> Tensor:
    if isinstance(space, spaces.Discrete):
        return free.argmax(-1) + int(space.start)
    assert isinstance(space, spaces.Box)
    low, high = _bounds(space)
    return (low + (high - low) * (free.tanh() + 1) / 2).unflatten(-1, space.shape)
