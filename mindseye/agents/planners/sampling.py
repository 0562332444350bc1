"""Planning by sampling: CEM, iCEM and MPPI are one loop with different weights.

    repeat: draw candidates, score them in the model, refit the distribution to weighted candidates

CEM weighs the best few equally, MPPI weighs all by exp(return / temperature), iCEM is CEM with
smooth noise, fewer candidates every round, and the best ones kept from round to round.
"""

import time
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from mindseye.agents.planners.candidates import candidates
from mindseye.agents.planners.scoring import Scorer, repeat
from mindseye.core.protocols import Cost, Plan, Planner, WorldModel
from mindseye.core.tree import Tree, batch_size


@dataclass(frozen=True)
class SamplingPlanner(Planner):
    """See `cem`, `icem` and `mppi` for configurations with names."""

    horizon: int
    """Steps looked ahead."""
    samples: int
    """Candidates in the first round."""
    iterations: int
    """Rounds."""
    elites: int
    """Best candidates that count."""
    temperature: float | None = None
    """In return units after scaling to unit spread; None weighs elites equally."""
    colour: float = 0.0
    """Exponent of the noise spectrum over time, for continuous actions."""
    shrink: float = 1.0
    """Factor by which the number of candidates falls every round."""
    kept: float = 0.0
    """Share of the elites carried to the next round."""
    scorer: Scorer = field(default_factory=Scorer)

    @torch.no_grad()
    def plan(self, model: WorldModel, state: Tree, *, warm: Tree | None = None) -> Plan:
        """Search from every row of `state` at once."""
        began, rows, steps = time.perf_counter(), batch_size(state), 0
        search = candidates(model.action_space, rows, self.horizon, colour=self.colour)
        if warm is not None:
            search.warm(warm)
        best, best_value, count = None, torch.full((rows,), -torch.inf), self.samples
        carried: Tensor | None = None
        for _ in range(self.iterations):
            drawn = search.sample(count)
            if carried is not None:
                drawn = torch.cat((drawn, carried), 1)
            value = self._score(model, state, search.actions(drawn))
            steps += drawn.shape[0] * drawn.shape[1] * self.horizon
            top = value.topk(min(self.elites, drawn.shape[1]), 1)
            elite = drawn.gather(1, top.indices[:, :, None, None].expand(-1, -1, *drawn.shape[2:]))
            better = top.values[:, 0] > best_value
            best_value = torch.where(better, top.values[:, 0], best_value)
            first = elite[:, 0]
            best = first if best is None else torch.where(better[:, None, None], first, best)
            search.refit(elite, self._weights(top.values))
            carried = elite[:, : int(self.kept * elite.shape[1])] if self.kept else None
            count = max(2 * self.elites, int(count * self.shrink))
        assert best is not None
        sequence = search.actions(best)
        cost = Cost(model_steps=steps, seconds=time.perf_counter() - began)
        return Plan(sequence[:, 0], sequence, best_value, cost)

    def _score(self, model: WorldModel, state: Tree, actions: Tensor) -> Float[Tensor, "B K"]:
        rows, count = actions.shape[:2]
        many = repeat(state, count, rows)
        return self.scorer(model, many, actions.flatten(0, 1), self.horizon).view(rows, count)

    def _weights(self, value: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
        if self.temperature is None:
            return torch.full_like(value, 1 / value.shape[1])
        spread = value.std(1, keepdim=True).clamp(min=1e-6)
        return (value / (spread * self.temperature)).softmax(1)


def cem(
    horizon: int = 12, *, samples: int = 300, iterations: int = 5, scorer: Scorer | None = None
) -> SamplingPlanner:
    """Cross-entropy method (Rubinstein 1999), a tenth of the candidates as elites."""
    elites = max(2, samples // 10)
    return SamplingPlanner(horizon, samples, iterations, elites, scorer=scorer or Scorer())


def icem(
    horizon: int = 12, *, samples: int = 200, iterations: int = 4, scorer: Scorer | None = None
) -> SamplingPlanner:
    """Improved CEM for real time (Pinneri et al. 2020, 2008.06389)."""
    return SamplingPlanner(
        horizon,
        samples,
        iterations,
        max(2, samples // 10),
        colour=2.0,
        shrink=0.8,
        kept=0.3,
        scorer=scorer or Scorer(),
    )


def mppi(
    horizon: int = 12,
    *,
    samples: int = 300,
    iterations: int = 5,
    temperature: float = 0.5,
    scorer: Scorer | None = None,
) -> SamplingPlanner:
    """Model predictive path integral control (Williams et al. 2017, 1707.02342)."""
    return SamplingPlanner(
        horizon, samples, iterations, samples, temperature=temperature, scorer=scorer or Scorer()
    )
