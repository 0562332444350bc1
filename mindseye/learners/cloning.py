"""Cloning a policy of numbers from several sets of examples at once."""

from collections.abc import Sequence

import numpy as np
import torch

from mindseye.agents.policy import PolicyNetwork
from mindseye.learners.imitation import BehaviourCloning

Examples = tuple[np.ndarray, np.ndarray]
"""What was read, (steps, numbers), and what was done then, (steps, ...)."""


def clone(
    network: PolicyNetwork,
    sources: Sequence[Examples],
    *,
    updates: int,
    batch: int,
    rng: np.random.Generator,
) -> None:
    """Train a policy in place to do as the examples do.

    Args:
        sources: Each gives as many steps to every update as the others, however large it is.
        updates: To make.
        batch: Steps per update, of all sources together.
    """
    learner = BehaviourCloning(network)
    tensors = [(torch.from_numpy(seen), torch.from_numpy(done)) for seen, done in sources]
    for _ in range(updates):
        rows = [rng.integers(len(seen), size=batch // len(tensors)) for seen, _ in tensors]
        pairs = list(zip(tensors, rows, strict=True))
        seen = torch.cat([part[i] for (part, _), i in pairs])
        done = torch.cat([part[i] for (_, part), i in pairs])
        first = torch.zeros(len(seen), 2, dtype=torch.bool)
        first[:, 0] = True
        learner.update(
            {
                "observation": torch.stack((seen, seen), 1),
                "action": torch.stack((torch.zeros_like(done), done), 1),
                "is_first": first,
                "mask": torch.ones(first.shape),
            }
        )
