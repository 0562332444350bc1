"""Real experience: an agent acts, a replay remembers."""

from gymnasium.vector import VectorEnv

from mindseye.core.episode import Origin
from mindseye.core.protocols import Agent
from mindseye.core.run import Run, seed_of
from mindseye.experience import Replay, rollout


def collect(
    run: Run,
    world: VectorEnv,
    agent: Agent,
    replay: Replay,
    *,
    steps: int,
    name: str,
    agent_name: str = "random",
    stage: str = "collect",
) -> int:
    """Add whole episodes to a replay until it holds at least `steps` more steps.

    Every round of one episode per world begins from seeds of its own, so a killed run repeats only
    the round it was in.

    Returns:
        Real steps taken by this stage.
    """
    origin = Origin("real", name, agent=agent_name)
    taken = Counter()
    first = first_seed(run.seed, stage)
    for index in run.steps(stage, steps, keep={"replay": replay, "taken": taken}):
        seed = first + index * world.num_envs
        episodes = rollout(
            agent, world, origin=origin, episodes=world.num_envs, seed=seed, explore=True
        )
        replay.add(episodes)
        taken.count += sum(len(e) for e in episodes)
        returns = [e.total_reward for e in episodes]
        run.log({"real/return": sum(returns) / len(returns), "real/steps": taken.count})
        run.report_progress(taken.count, steps)
        if taken.count >= steps:
            run.end_stage()
    return taken.count


def first_seed(seed: int, stage: str = "collect") -> int:
    """From which the first world of the first round begins, in a run of this seed."""
    return seed_of(seed, stage) % 2**30


class Counter:
    """A count that a run can restore."""

    def __init__(self):
        self.count = 0

    def state_dict(self) -> dict:
        """The count."""
        return {"count": self.count}

    def load_state_dict(self, state: dict) -> None:
        """Restore it."""
        self.count = state["count"]
