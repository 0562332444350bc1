"""Tree search over discrete actions: every action at every depth, the best lines survive."""

import time
from dataclasses import dataclass, field

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from mindseye.agents.planners.scoring import Scorer, outcome
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Cost, Plan, Planner, WorldModel
from mindseye.core.tree import Tree, batch_size, take


@dataclass(frozen=True)
class BeamPlanner(Planner):
    """Breadth-first search that keeps the `width` most promising lines per start.

    Exhaustive while actions^depth is at most `width`. Lines of equal worth are told apart by a
    vanishing random number, so a search without rewards does not always turn left.
    """

    horizon: int = 8
    """Depth of the tree."""
    width: int = 64
    """Lines kept at every depth."""
    scorer: Scorer = field(default_factory=Scorer)

    @torch.no_grad()
    def plan(self, model: WorldModel, state: Tree, *, warm: Tree | None = None) -> Plan:
        """Search from every row of `state` at once; a warm start has no meaning here.

        Raises:
            SpecError: If the action space is not Discrete.
        """
        space = model.action_space
        if not isinstance(space, spaces.Discrete):
            raise SpecError(f"beam planner: expected a Discrete action space, got {space}")
        began, rows, branches = time.perf_counter(), batch_size(state), int(space.n)
        discount, steps = self.scorer.discount, 0
        total, alive = torch.zeros(rows, 1), torch.ones(rows, 1)
        lines = torch.zeros(rows, 1, 0, dtype=torch.long)
        for depth in range(self.horizon):
            width = total.shape[1]
            parent = torch.arange(rows * width).repeat_interleave(branches)
            action = torch.arange(branches).repeat(rows * width)
            state = model.imagine(take(state, parent.numpy()), action + int(space.start))
            reward, continuation = (x.float().cpu() for x in outcome(model, state))
            steps += len(action)
            before = alive.flatten()[parent]
            value = total.flatten()[parent] + discount**depth * before * reward
            alive = (before * continuation).view(rows, -1)
            total = value.view(rows, -1)
            lines = torch.cat((lines.flatten(0, 1)[parent], action.unsqueeze(1)), 1)
            lines = lines.view(rows, -1, depth + 1)
            total, alive, lines, state = self._prune(model, state, total, alive, lines, depth + 1)
        final = total + self._beyond(model, state, alive, self.horizon)
        best = final.max(1)
        sequence = lines[torch.arange(rows), best.indices] + int(space.start)
        cost = Cost(model_steps=steps, seconds=time.perf_counter() - began)
        return Plan(sequence[:, 0], sequence, best.values, cost)

    def _beyond(self, model: WorldModel, state: Tree, alive: Tensor, depth: int) -> Tensor:
        if self.scorer.value is None:
            return torch.zeros_like(alive)
        value = self.scorer.value(state).float().cpu().view_as(alive)
        return self.scorer.discount**depth * alive * value

    def _prune(
        self,
        model: WorldModel,
        state: Tree,
        total: Tensor,
        alive: Tensor,
        lines: Tensor,
        depth: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tree]:
        rows, count = total.shape
        if count <= self.width:
            return total, alive, lines, state
        promise = total + self._beyond(model, state, alive, depth)
        keep = (promise + 1e-6 * torch.rand_like(promise)).topk(self.width, 1).indices
        flat = (keep + torch.arange(rows).unsqueeze(1) * count).flatten()
        return (
            total.gather(1, keep),
            alive.gather(1, keep),
            lines.flatten(0, 1)[flat].view(rows, self.width, -1),
            take(state, np.asarray(flat)),
        )
