"""What a sequence of actions is worth in a world model, a dream or the true simulator alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mindseye.core.protocols import Outcomes, ValueFunction, WorldModel
from mindseye.core.tree import Tree, map_tree, take


def outcome(model: WorldModel, state: Tree) -> tuple[Tensor, Tensor]:
    """Reward and continuation of a batch of states."""
    if isinstance(model, Outcomes):
        return model.outcome(state)
    said = model.predict(state)
    return said.reward, said.continuation


def repeat(state: Tree, times: int, rows: int) -> Tree:
    """Every row of a state `times` times: (batch, ...) to (batch · times, ...)."""
    return take(state, np.repeat(np.arange(rows), times))


@dataclass(frozen=True)
class Scorer:
    """Discounted return of candidates.

    Args:
        discount: Per step.
        value: Of what lies beyond the horizon; None counts it as nothing.
    """

    discount: float = 0.99
    value: ValueFunction | None = None

    def __call__(
        self, model: WorldModel, state: Tree, actions: Tree, horizon: int
    ) -> Float[Tensor, " rows"]:
        """Score one sequence per row; leaves of `actions` are (rows, horizon, ...)."""
        total, alive = 0.0, 1.0
        for t, step in enumerate(_steps(actions, horizon)):
            state = model.imagine(state, step)
            reward, continuation = outcome(model, state)
            total = total + self.discount**t * alive * reward
            alive = alive * continuation
        if self.value is not None:
            total = total + self.discount**horizon * alive * self.value(state)
        assert isinstance(total, Tensor)
        return total.float()


def _steps(actions: Tree, horizon: int) -> Iterator[Tree]:
    for t in range(horizon):
        yield map_tree(lambda x, t=t: x[:, t], actions)


def shift(sequence: Tree) -> Tree:
    """A plan one step later: the first action is gone, the last one repeated."""
    return map_tree(lambda x: torch.cat((x[:, 1:], x[:, -1:]), 1), sequence)
