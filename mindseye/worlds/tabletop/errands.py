"""Where to go from where, on a table with a wall."""

import numpy as np

from mindseye.core.errors import WorldError
from mindseye.worlds.rules.placing import state_of
from mindseye.worlds.rules.world import RulesWorld


def errands(
    world: RulesWorld, count: int, *, seed: int, least: float = 0.4
) -> tuple[np.ndarray, np.ndarray]:
    """Starts and goals as true states (count, numbers); the second half across the middle.

    Args:
        world: Its starts are chosen from, of `Placeable` rules; many more rows than `count`.
        count: Of pairs.
        seed: Of the world's resets.
        least: Distance.

    Raises:
        WorldError: If the world has too few rows to choose from.
    """
    found = []
    for offset in (0, 1):
        world.reset(seed=seed + offset)
        found.append(state_of(world))
    starts, goals = found
    is_far = np.linalg.norm(starts[:, :2] - goals[:, :2], axis=1) > least
    is_across = starts[:, 0] * goals[:, 0] < 0
    within = np.flatnonzero(is_far & ~is_across)[: count // 2]
    chosen = np.append(within, np.flatnonzero(is_far & is_across)[: count - count // 2])
    if len(chosen) < count:
        raise WorldError(f"errands: found {len(chosen)} of {count} pairs; make more rows")
    return starts[chosen], goals[chosen]
