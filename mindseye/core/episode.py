"""What acting leaves behind: episodes, and where they come from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np

from mindseye.core.errors import DataError
from mindseye.core.task import Task
from mindseye.core.tree import Tree, named_leaves

OriginKind = Literal["real", "imagined", "written"]


@dataclass(frozen=True)
class Origin:
    """Where an episode comes from: reality, a dream, or a language model's pen."""

    kind: OriginKind
    world: str
    """Registered name of the world, or id of the model checkpoint that dreamed it."""
    agent: str = ""
    step: int | None = None
    """Learner update of the policy that acted."""
    parent: str | None = None
    """Id of the episode it branched from."""
    branch_step: int | None = None
    """Step of the parent at which it branched."""

    def to_dict(self) -> dict:
        """JSON-ready fields."""
        return asdict(self)


@dataclass(frozen=True)
class Episode:
    """One complete episode: T actions and T + 1 observations (Minari's layout).

    Raises:
        DataError: If leading axes disagree, or a reward or observation is not finite.
    """

    observations: Tree
    """Leaves start with T + 1."""
    actions: Tree
    """Leaves start with T."""
    rewards: np.ndarray
    """float32, shape (T,)."""
    terminated: bool
    truncated: bool
    origin: Origin
    task: Task | None = None
    extras: Mapping[str, Tree] = field(default_factory=dict)
    """Per-step records of the agent, leaves start with T: log_prob, value, thought, frames, ..."""
    stop_reason: str = ""
    """completed | max_steps | max_tokens | parse_error | error"""
    error: str | None = None
    """A bad rollout is data, not a crash."""

    def __post_init__(self):
        steps = len(self.rewards)
        if not np.isfinite(self.rewards).all():
            at = int(np.flatnonzero(~np.isfinite(self.rewards))[0])
            raise DataError(
                f"episode: reward at step {at} is not finite; mend the world or drop it"
            )
        for group, tree, expected in (
            ("observations", self.observations, steps + 1),
            ("actions", self.actions, steps),
        ):
            for name, leaf in named_leaves(tree):
                where = f"episode: {group}{'.' + name if name else ''}"
                if len(leaf) != expected:
                    raise DataError(
                        f"{where} has {len(leaf)} rows, expected {expected} for {steps} rewards"
                    )
                is_float = isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"
                if is_float and not np.isfinite(leaf).all():
                    raise DataError(f"{where} holds values that are not finite")

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def total_reward(self) -> float:
        """Undiscounted sum of rewards, in the world's reward unit."""
        return float(np.sum(self.rewards, dtype=np.float64))
