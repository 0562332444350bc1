"""A world as a program: laws over a symbolic state, each trusted as far as its weight."""

from collections.abc import Callable

import numpy as np
import torch
from gymnasium.spaces import Discrete, MultiDiscrete
from torch import Tensor, nn

from mindseye.core.errors import SpecError
from mindseye.core.protocols import Prediction, WorldModel
from mindseye.core.tree import Tree
from mindseye.models.world.laws import Laws, Product, mixed

Outcome = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From states before and after (rows, facts) to rewards and ends (rows,): the task, as given."""

FIRST_WEIGHT = 0.5
_NEXT = np.uint64(0x9E3779B97F4A7C15)
SILENT = -1.0
"""Log probability of a change on which no law speaks; a free constant of the paper."""


class ProgramWorldModel(nn.Module, WorldModel):
    """A gated product of laws as a world model; the observation is the whole symbolic state.

    The next state is drawn fact by fact from the product of the laws that are met; facts on which
    none speaks stay as they are. What a step pays is no law but part of the task: a function of the
    states before and after.

    Args:
        laws: Collected from wherever.
        observation_space: One number per fact.
        action_space: Choices.
        outcome: Rewards and ends.
        silent: Log probability of a change on which no law speaks.

    Source: "One Life to Learn" (2025), arXiv 2510.12088.
    """

    def __init__(
        self,
        laws: Laws,
        observation_space: MultiDiscrete,
        action_space: Discrete,
        outcome: Outcome,
        *,
        silent: float = SILENT,
    ):
        super().__init__()
        if not isinstance(observation_space, MultiDiscrete) or observation_space.nvec.ndim != 1:
            raise SpecError(f"program: expected a vector of choices, got {observation_space}")
        if not isinstance(action_space, Discrete):
            raise SpecError(f"program: expected choices as actions, got {action_space}")
        self.laws, self.outcome, self.silent = laws, outcome, silent
        self.observation_space, self.action_space = observation_space, action_space
        self.domains = observation_space.nvec.astype(np.int64)
        self.weights = nn.Parameter(torch.full((len(laws.names),), FIRST_WEIGHT))

    def product(self, states: np.ndarray, actions: np.ndarray) -> Product:
        """What the laws make of states (rows, facts) and actions (rows,), before weights."""
        return Product(self.laws.opine(states, actions), self.domains)

    def initial(self, batch_size: int) -> Tree:
        """Zeros everywhere."""
        return {
            "facts": torch.zeros(batch_size, len(self.domains), dtype=torch.int64),
            "reward": torch.zeros(batch_size),
            "continuation": torch.ones(batch_size),
            "doubt": torch.zeros(batch_size),
            "key": torch.zeros(batch_size, dtype=torch.int64),
        }

    def observe(self, state: Tree, action: Tree, observation: Tree, is_first: Tensor) -> Tree:
        """What is seen is all there is; rows get their luck from torch's global generator."""
        before, after = state["facts"].numpy(), observation.long().numpy()
        reward, ended = self.outcome(before, after)
        drawn = torch.randint(1 << 62, (len(after),))
        key = torch.where(is_first, drawn, state["key"])
        seen = self._state(after, reward, ended, np.zeros(len(after), np.float32), key)
        ones = torch.ones_like(seen["reward"])
        seen["reward"] = torch.where(is_first, 0 * ones, seen["reward"])
        seen["continuation"] = torch.where(is_first, ones, seen["continuation"])
        return seen

    @torch.no_grad()
    def imagine(self, state: Tree, action: Tree) -> Tree:
        """A next state, by each row's own luck."""
        before, keys = state["facts"].numpy(), mixed(state["key"].numpy().view(np.uint64) + _NEXT)
        after, product = self.next(before, _numbers(action).numpy(), keys)
        reward, ended = self.outcome(before, after)
        doubt, key = product.doubt(self.weights, len(before)), torch.from_numpy(keys.view(np.int64))
        return self._state(after, reward, ended, doubt, key)

    def predict(self, state: Tree) -> Prediction:
        """Facts, and the doubt in nats with which the last step was drawn."""
        return Prediction(
            state["facts"], state["reward"], state["continuation"], uncertainty=state["doubt"]
        )

    @torch.no_grad()
    def next(
        self, before: np.ndarray, actions: np.ndarray, keys: np.ndarray | None = None
    ) -> tuple[np.ndarray, Product]:
        """Next states (rows, facts), and the product they come from.

        Args:
            before: int64 (rows, facts).
            actions: int64 (rows,).
            keys: Luck, uint64 (rows,); None: the likeliest states.
        """
        product = self.product(before, actions)
        if keys is None:
            values = product.best(self.weights)
        else:
            values = product.drawn(self.weights, keys)
        after = before.copy()
        after[product.row, product.fact] = values
        return after, product

    def likeliest(self, before: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """The likeliest value of every fact, int64 (rows, facts)."""
        return self.next(before, actions)[0]

    @torch.no_grad()
    def log_prob(self, before: np.ndarray, actions: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Log probability of next states (rows, facts) of states and actions, float64 (rows,)."""
        product = self.product(before, actions)
        told = product.log_prob(self.weights, after).double().numpy()
        total = np.bincount(product.row, told, minlength=len(before))
        changed = before != after
        changed[product.row, product.fact] = False
        return total + self.silent * changed.sum(1)

    def _state(
        self,
        facts: np.ndarray,
        reward: np.ndarray,
        ended: np.ndarray,
        doubt: np.ndarray,
        key: Tensor,
    ) -> Tree:
        return {
            "key": key,
            "facts": torch.from_numpy(facts),
            "reward": torch.from_numpy(np.asarray(reward, np.float32)),
            "continuation": 1.0 - torch.from_numpy(np.asarray(ended, np.float32)),
            "doubt": torch.from_numpy(doubt.astype(np.float32)),
        }


def _numbers(action: Tensor) -> Tensor:
    """Choices as numbers, also where they come as one-hot."""
    return action.argmax(-1) if action.is_floating_point() else action.long()
