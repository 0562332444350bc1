"""A source of tasks that prefers those which are sometimes solved and sometimes not."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mindseye.core.episode import Episode
from mindseye.core.protocols import TaskSource
from mindseye.core.task import Task

Vary = Callable[[Sequence[Task], int, np.random.Generator], list[Task]]
"""Tasks, a count and a generator to that many variations."""


class VarianceCurriculum(TaskSource):
    """Varies the tasks whose attempts differed most, beside tasks from a fixed set.

    A task's value is the variance of its attempts' returns, V = (1/n) Σ (r_i − r̄)², largest where
    half of them succeed. Tasks never solved, such as impossible ones, and tasks always solved have
    none, and are not varied.

    Args:
        seeds: The fixed set.
        vary: Makes variations.
        share: Of variations among all sampled, at most.
        best: How many of the most valuable tasks are varied.
        remembered: How many tasks lately attempted are considered.

    Source: DreamGym (2025), arXiv 2511.03773, the curriculum task generator.
    """

    def __init__(
        self,
        seeds: Sequence[Task],
        *,
        vary: Vary,
        share: float = 0.5,
        best: int = 16,
        remembered: int = 200,
    ):
        self.seeds, self.vary = list(seeds), vary
        self.share, self.best, self.remembered = share, best, remembered
        self.values: dict[str, tuple[float, Task]] = {}
        """Of tasks lately attempted, by id, the latest last."""

    def sample(self, n: int, rng: np.random.Generator) -> list[Task]:
        """Variations of valuable tasks, then tasks of the fixed set."""
        valued = sorted(self.values.values(), key=lambda pair: -pair[0])[: self.best]
        worthy = [task for value, task in valued if value > 0]
        varied = self.vary(worthy, int(self.share * n), rng) if worthy else []
        fresh = rng.choice(len(self.seeds), n - len(varied), replace=n > len(self.seeds))
        return [*varied, *(self.seeds[i] for i in fresh)]

    def observe(self, episodes: Iterable[Episode]) -> None:
        """Value tasks by the attempts at them; episodes without a task are passed over."""
        returns: dict[str, list[float]] = {}
        tasks: dict[str, Task] = {}
        for episode in episodes:
            if episode.task is not None:
                returns.setdefault(episode.task.id, []).append(float(episode.rewards.sum()))
                tasks[episode.task.id] = episode.task
        for name, task in tasks.items():
            self.values.pop(name, None)
            self.values[name] = float(np.var(returns[name])), task
        for name in list(self.values)[: -self.remembered]:
            del self.values[name]

    def state_dict(self) -> dict:
        """Values and their tasks."""
        return {
            "values": [
                [value, task.instruction, task.parent, task.author]
                for value, task in self.values.values()
            ]
        }

    def load_state_dict(self, state: dict) -> None:
        """Restore them."""
        told = [
            (value, Task(instruction, parent=parent, author=author))
            for value, instruction, parent, author in state["values"]
        ]
        self.values = {task.id: (value, task) for value, task in told}
