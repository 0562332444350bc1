"""Goals as pictures: whatever model a planner searches, it is paid for coming near one."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mindseye.agents.policy import PolicyNetwork
from mindseye.core.errors import SpecError
from mindseye.core.protocols import Agent, Outcomes, Prediction, WorldModel
from mindseye.core.tree import Tree, batch_size, map_tree, to_tensor

Reading = Callable[[Tree], Float[Tensor, "rows *features"]]
"""Features of a model's states, comparable with those of goals."""


class GoalReaching(WorldModel, Outcomes):
    """Another model, whose reward is minus the distance of its features to a goal's.

        reaching = GoalReaching(model, model.tokens, model.encode(goal_pictures))
        planner = cem(5, scorer=Scorer(discount=1.0, value=nearness))
        agent = PlanningAgent(reaching, planner)

    The distance is the mean squared difference. Its goals are kept in the state, so that planners
    may repeat and reorder rows. Actions and observations are moved to the goals' device, rewards
    back from it, so that planners need not know where the model lives.

    Args:
        model: A dream, or the true simulator as a model.
        read: Features of the model's states.
        goals: Features to arrive at, one row per row of the agent's batches.
        on_the_way: Weight of the distance at every step of a plan; 0 leaves that of its last state
            alone, which `nearness` is for.

    Source: Zhou et al. (2024), DINO-WM, arXiv 2411.04983, section 3.3.
    """

    def __init__(
        self,
        model: WorldModel,
        read: Reading,
        goals: Float[Tensor, "rows *features"],
        *,
        on_the_way: float = 0.0,
    ):
        self.model, self.read, self.goals, self.on_the_way = model, read, goals, on_the_way
        self.observation_space, self.action_space = model.observation_space, model.action_space

    def initial(self, batch_size: int) -> Tree:
        """The model's own, and the goals.

        Raises:
            SpecError: If there are not as many rows as goals.
        """
        if batch_size != len(self.goals):
            raise SpecError(
                f"goals: expected {len(self.goals)} rows, one per goal, got {batch_size}"
            )
        return self._state(self.model.initial(batch_size), self.goals)

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """As the model does."""
        arrived = map_tree(self._moved, (action, observation, is_first))
        return self._state(self.model.observe(state["model"], *arrived), state["goal"])

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """As the model does."""
        action = map_tree(self._moved, action)
        return self._state(self.model.imagine(state["model"], action), state["goal"])

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Weighted distance; no plan ends early."""
        if self.on_the_way == 0:
            nothing = torch.zeros(batch_size(state["goal"]))
            return nothing, nothing + 1
        reward = self.on_the_way * self.nearness(state)
        return reward, torch.ones_like(reward)

    def predict(self, state: Tree) -> Prediction:
        """What the model says, but paid for being near."""
        said = self.model.predict(state["model"])
        return Prediction(said.observation, *self.outcome(state), said.uncertainty)

    def nearness(self, state: Tree) -> Float[Tensor, " batch"]:
        """Minus the distance to the goal: a planner's value of a plan's last state."""
        apart = self.read(state["model"]) - state["goal"]
        return -apart.square().flatten(1).mean(1).float().cpu()

    def _moved(self, leaf: Any) -> Any:
        return leaf.to(self.goals.device) if isinstance(leaf, Tensor) else leaf

    def _state(self, inner: Tree, goal: Tensor) -> Tree:
        return {"model": inner, "goal": goal}


class GoalPolicyAgent(Agent):
    """A policy that is shown where it is beside where it shall be, both as features.

    Args:
        see: Features (rows, ...) of observations.
        policy: On both, flattened, side by side.
        goals: Features to arrive at, one row per row of the agent's batches.
    """

    def __init__(
        self, see: Callable[[Tree], Tensor], policy: PolicyNetwork, goals: Float[Tensor, "rows *_"]
    ):
        self.see, self.policy, self.goals = see, policy, goals

    def initial(self, batch_size: int) -> Tree:
        """Nothing to remember."""
        return None

    @torch.no_grad()
    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """Sampled when exploring, else the likeliest action."""
        here = self.see(to_tensor(observation, self.goals.device))
        said = self.policy(torch.cat((here.flatten(1), self.goals.flatten(1)), -1))
        action = said.sample() if explore else said.mode()
        return action.float().cpu().numpy(), None, {}
