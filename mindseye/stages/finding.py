"""Puck and goal of `tabletop/push`, found in pictures: what acts on dreams and what judges them."""

from collections.abc import Sequence

import numpy as np

from mindseye.agents.seeing import Find
from mindseye.core.episode import Episode
from mindseye.core.run import Run
from mindseye.evaluation import video
from mindseye.worlds.rules.world import RulesWorld
from mindseye.worlds.tabletop import show

_NEW = 256


def fit_finder(
    record: Run, world: RulesWorld, *, pictures: int, updates: int, depth: int = 16
) -> tuple[Find, list[float]]:
    """Learn to find the puck and the goal in real pictures from above.

    Args:
        world: One with the face "views".
        pictures: Real ones with known places to learn from.
        updates: Of 64 pictures.
        depth: Channels.

    Returns:
        What finds them, places in [-1, 1], and how far it is off in each of some new pictures.
    """
    record.seed_torch("finder")
    rng = record.rng("finder")
    world.reset(seed=0)
    tracker = video.Tracker(2, depth=depth)
    clips, truth = _scenes(world, pictures, rng)
    video.fit_tracker(tracker, clips, truth, updates=updates, rng=rng)

    def find(frames: np.ndarray) -> np.ndarray:
        return 2 * video.track(tracker, frames[:, None]).positions[:, 0] - 1

    clips, truth = _scenes(world, _NEW, rng)
    away = find(clips[:, 0]) - (2 * truth.positions[:, 0] - 1)
    return find, np.linalg.norm(away, axis=-1).mean(1).tolist()


def arrived(find: Find, episodes: Sequence[Episode], reach: float = 0.15) -> np.ndarray:
    """Whether the puck is seen to come near where the goal was seen at first: bool (episodes,)."""
    passed = []
    for episode in episodes:
        found = find(episode.observations["top"])
        away = np.linalg.norm(found[1:, 0] - found[0, 1], axis=-1)
        passed.append(bool((away < reach).any()))
    return np.array(passed)


def _scenes(
    world: RulesWorld, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, video.Tracks]:
    """Pictures of things anywhere; in half of them the puck is near the goal, the hand at it."""
    goal, puck = rng.uniform(-0.7, 0.7, (count, 2)), rng.uniform(-0.88, 0.88, (count, 2))
    angle, hand = rng.uniform(0, 2 * np.pi, count), rng.uniform(-0.92, 0.92, (count, 2))
    half = slice(count // 2)
    puck[half] = np.clip(goal + rng.normal(0, 0.2, (count, 2)), -0.88, 0.88)[half]
    beside = puck + 0.22 * np.stack([np.cos(angle), np.sin(angle)], 1)
    hand[half] = np.clip(beside, -0.92, 0.92)[half]
    pictures = show(world, np.concatenate([hand, puck, 0 * goal, goal], 1))["top"]
    places = np.stack([puck, goal], 1)[:, None] / 2 + 0.5
    return pictures[:, None], video.Tracks(places, np.ones((count, 1, 2), bool))
