"""Policies rehearsed in dreams that begin where real episodes begin: ranked, and improved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from mindseye.agents.policy import PolicyAgent, PolicyNetwork
from mindseye.core.episode import Episode, Origin
from mindseye.core.protocols import Agent, WorldModel
from mindseye.core.tree import Tree
from mindseye.evaluation.video import policy_agreement
from mindseye.experience import rollout
from mindseye.learners.cloning import Examples, clone
from mindseye.worlds import DreamWorld
from mindseye.worlds.starts import first_observations

Judge = Callable[[Sequence[Episode]], np.ndarray]
"""Which episodes succeeded: bool (episodes,)."""


def rehearse(
    model: WorldModel, agent: Agent, first: Tree, *, horizon: int, explore: bool = False
) -> list[Episode]:
    """One imagined episode from each of some first observations.

    Args:
        first: Real first observations; leaves the model does not know are left out.
        horizon: Steps.
        explore: Handed to the agent.
    """
    seen = {name: first[name] for name in model.observation_space}  # type: ignore[attr-defined]
    context = first_observations(seen, model.action_space)
    count = len(context["is_first"])
    world = DreamWorld(model, count, starts=lambda n, rng: context, horizon=horizon)
    origin = Origin("imagined", type(model).__name__)
    return rollout(agent, world, origin=origin, episodes=count, explore=explore)


def agreement(real: np.ndarray, imagined: Mapping[str, np.ndarray]) -> list[dict]:
    """Measures "policies/PART/DREAM" of how dreams rank policies, as JSON.

    A dream in which all policies do equally well ranks nobody: its Kendall's tau is 0.

    Args:
        real: Real successes, shape (policies, episodes).
        imagined: Imagined ones by dream.
    """
    found = []
    for name, won in imagined.items():
        for measure in policy_agreement(real, won).measures(name):
            kept = asdict(measure)
            if measure.name.startswith("policies/kendall") and not np.isfinite(measure.value):
                kept["value"] = 0.0
            found.append(kept)
    return found


def tune(
    network: PolicyNetwork,
    lessons: Sequence[Episode],
    *,
    updates: int,
    batch: int,
    rng: np.random.Generator,
) -> PolicyAgent:
    """Clone episodes, real or imagined.

    Args:
        network: Trained in place, on what the agents recorded as "numbers".
        lessons: Episodes.
        updates: To make.
        batch: Steps per update.
    """
    clone(network, [examples(lessons)], updates=updates, batch=batch, rng=rng)
    return PolicyAgent(network)


def examples(episodes: Sequence[Episode]) -> Examples:
    """What was read as "numbers", and what was done."""
    return (
        np.concatenate([e.extras["numbers"] for e in episodes]),
        np.concatenate([e.actions for e in episodes]),
    )
