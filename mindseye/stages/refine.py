"""Refining a policy by PPO inside a frozen dream, looking up now and then."""

from collections.abc import Callable

from torch import nn

from mindseye.agents.policy import PolicyAgent
from mindseye.core.episode import Origin
from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.experience import collate, rollout
from mindseye.learners.policy_gradient import PPO
from mindseye.worlds import DreamWorld


def refine(
    run: Run,
    policy: nn.Module,
    learner: PPO,
    dream: DreamWorld,
    *,
    rounds: int,
    iterations: int,
    after: Callable[[int, float], None],
    stage: str = "refine",
) -> None:
    """Dream one episode per row, update, again and again; no step of reality is taken.

    Args:
        policy: Acts and is changed.
        learner: Of that policy.
        dream: Its episodes begin where its starts say.
        rounds: Of so many iterations each.
        iterations: Per round.
        after: Called with the number of a round that is over, and the mean return of the episodes
            dreamed in its last iteration.
    """
    origin, agent = Origin("imagined", stage, agent="ppo"), PolicyAgent(policy)
    first_seed, latest = run.seed_for(f"{stage}/dreams") % 2**30, Latest()
    for number in range(rounds):
        keep = {"learner": learner, "latest": latest}
        for index in run.steps(f"{stage}_{number}", iterations, keep=keep):
            seed = first_seed + (number * iterations + index) * dream.num_envs
            episodes = rollout(
                agent, dream, origin=origin, episodes=dream.num_envs, seed=seed, explore=True
            )
            metrics = learner.update(to_tensor(collate(episodes), run.device))
            latest.value = sum(e.total_reward for e in episodes) / len(episodes)
            run.log(metrics | {"dream/return": latest.value})
        after(number, latest.value)


class Latest:
    """A number that a run can restore."""

    def __init__(self):
        self.value = 0.0

    def state_dict(self) -> dict:
        """The number."""
        return {"value": self.value}

    def load_state_dict(self, state: dict) -> None:
        """Restore it."""
        self.value = state["value"]
