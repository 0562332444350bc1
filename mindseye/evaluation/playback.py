"""Recorded actions, acted again: the way to ask reality about an imagined episode."""

from collections.abc import Sequence

import numpy as np
from gymnasium.vector import VectorEnv

from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Agent
from mindseye.core.tree import Tree, map_tree, stack, take
from mindseye.experience.rollout import rollout


class Playback(Agent):
    """Row i repeats the actions of episode i; after their end, the last one.

    Args:
        episodes: One per row, none empty.
    """

    def __init__(self, episodes: Sequence[Episode]):
        self.lengths = np.array([len(e) for e in episodes])
        steps = np.arange(self.lengths.max())
        self.actions = stack([take(e.actions, np.minimum(steps, len(e) - 1)) for e in episodes])

    def initial(self, batch_size: int) -> Tree:
        """Steps taken, by row."""
        return np.zeros(batch_size, np.int64)

    def act(self, observation: Tree, memory: Tree, *, explore: bool = False) -> tuple:
        """The recorded action of every row."""
        at = np.minimum(memory, self.lengths - 1)
        rows = np.arange(len(at))
        return map_tree(lambda x: x[rows, at], self.actions), memory + 1, {}


def play_back(episodes: Sequence[Episode], world: VectorEnv, *, seed: int) -> list[Episode]:
    """Act the actions of episodes in a world, row i from `seed + i`, one episode per row.

    The world must have as many rows as there are episodes. Actions beyond an episode's recorded
    length are cut from what comes back.
    """
    origin = Origin("real", "playback", agent="playback")
    agent = Playback(episodes)
    made = rollout(agent, world, origin=origin, episodes=len(episodes), seed=seed)
    return [_cut(new, len(old)) for new, old in zip(made, episodes, strict=True)]


def _cut(episode: Episode, steps: int) -> Episode:
    if len(episode) <= steps:
        return episode
    return Episode(
        observations=take(episode.observations, slice(0, steps + 1)),
        actions=take(episode.actions, slice(0, steps)),
        rewards=episode.rewards[:steps],
        terminated=False,
        truncated=True,
        origin=episode.origin,
        stop_reason="max_steps",
    )
