"""An agent that plans: it tracks a model's state and searches before every action."""

import numpy as np
import torch
from gymnasium.vector.utils import create_empty_array

from mindseye.agents.planners.scoring import shift
from mindseye.core.protocols import Agent, Planner, WorldModel
from mindseye.core.tree import Tree, batch_size, map_tree, to_numpy, to_tensor


class PlanningAgent(Agent):
    """Receding horizon: plan, take the first action, plan again from there.

    Extras record what every decision cost: `plan_seconds` (of the whole batch) and
    `plan_model_steps` (per row).

    Args:
        model: A dream, or the true simulator as a model.
        planner: Any planner.
        warm: Start every search from the rest of the last plan.
    """

    def __init__(self, model: WorldModel, planner: Planner, *, warm: bool = True):
        self.model, self.planner, self.warm = model, planner, warm

    def initial(self, batch_size: int) -> Tree:
        """Model state, last action, whether this is the first observation, and an empty plan."""
        return {
            "state": self.model.initial(batch_size),
            "action": to_tensor(create_empty_array(self.model.action_space, batch_size)),
            "is_first": torch.ones(batch_size, dtype=torch.bool),
            "plan": self._no_plan(batch_size),
        }

    def _no_plan(self, rows: int) -> Tree:
        action = to_tensor(create_empty_array(self.model.action_space, rows))
        return map_tree(lambda x: torch.stack([x] * self.planner.horizon, 1), action)

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """The first action of the best plan found."""
        rows = batch_size(observation)
        state = self.model.observe(
            memory["state"], memory["action"], to_tensor(observation), memory["is_first"]
        )
        is_fresh = bool(memory["is_first"].any())
        warm = shift(memory["plan"]) if self.warm and not is_fresh else None
        with torch.enable_grad():
            plan = self.planner.plan(self.model, state, warm=warm)
        memory = {
            "state": state,
            "action": plan.action,
            "is_first": torch.zeros(rows, dtype=torch.bool),
            "plan": plan.sequence,
        }
        extras = {
            "plan_seconds": np.full(rows, plan.cost.seconds, np.float32),
            "plan_model_steps": np.full(rows, plan.cost.model_steps / rows, np.float32),
        }
        return to_numpy(map_tree(torch.Tensor.detach, plan.action)), memory, extras
