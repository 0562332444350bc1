"""A controller evolved in dreams: candidates times dreams, all in one batch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from mindseye.agents.linear import LinearAgent, weight_shape
from mindseye.core.episode import Origin
from mindseye.core.protocols import Agent
from mindseye.core.run import Run
from mindseye.core.tree import to_tensor
from mindseye.experience import rollout
from mindseye.learners.evolution import Evolution
from mindseye.models.world.dropout import DropoutWorldModel, FeatureDream
from mindseye.stages.dream import Remembered
from mindseye.worlds import DreamWorld
from mindseye.worlds.starts import Starts

UNRECORDED = Origin("real", "nowhere")
"""Of episodes of which only the return is kept."""


def dream_inside(
    model: DropoutWorldModel, rows: int, *, starts: Starts, horizon: int
) -> DreamWorld:
    """The model's dream as it feels from inside: observations are features [z, h, c].

    Args:
        rows: Dreams side by side.
        starts: Draws contexts of one real first observation.
        horizon: Steps after which a dream is truncated.
    """
    dream = FeatureDream(model)

    def felt(n: int, rng: np.random.Generator) -> Mapping[str, Any]:
        context = starts(n, rng)
        first = to_tensor(context["observation"][:, 0], model.memory.weight_hh.device)
        return {**context, "observation": dream.first_features(first).cpu().numpy()[:, None]}

    return DreamWorld(dream, rows, starts=felt, horizon=horizon)


def returns(
    agent: Agent, world: VectorEnv, *, episodes: int, seed: Any, explore: bool = False
) -> list[float]:
    """Return of every episode of an agent in any world; `seed` and `explore` as in `rollout`."""
    found = rollout(agent, world, origin=UNRECORDED, episodes=episodes, seed=seed, explore=explore)
    return [episode.total_reward for episode in found]


def evolve(
    run: Run,
    model: DropoutWorldModel,
    *,
    starts: Starts,
    horizon: int,
    population: int,
    dreams: int,
    generations: int,
    sigma: float = 0.1,
    checks: int = 5,
    stage: str = "evolve",
) -> Tensor:
    """The linear controller that does best in dreams; reality is not asked.

    Args:
        starts, horizon: Of the dreams; see `dream_inside`.
        population: Candidates per generation.
        dreams: Per candidate; starts and luck are the same for all candidates of a generation.
        generations: Updates of the search.
        sigma: Deviation of the first generation.
        checks: How often the centre of the search is scored, by population · dreams fresh dreams.

    Returns:
        Weights of the best centre, as `LinearAgent` takes them.
    """
    shape = weight_shape(model.action_space, model.num_features)
    seed, rng, best = run.seed_for(f"{stage}/search"), run.rng(stage), Remembered()
    evolution = Evolution(shape[0] * shape[1], population=population, sigma=sigma, seed=seed)
    rows, every = population * dreams, max(generations // checks, 1)
    dream = dream_inside(model, rows, starts=starts, horizon=horizon)
    keep = {"evolution": evolution, "rng": rng, "best": best}
    for generation in run.steps(stage, generations, keep=keep):
        weights = torch.as_tensor(evolution.candidates, dtype=torch.float32).unflatten(-1, shape)
        agent = LinearAgent(model.action_space, weights.repeat_interleave(dreams, 0))
        seeds = np.tile(rng.integers(2**30, size=dreams), population)
        found = returns(agent, dream, episodes=rows, seed=seeds)
        score = np.reshape(found, (population, dreams)).mean(1)
        run.log(evolution.update({"score": score}))
        if (generation + 1) % every == 0:
            centre = torch.as_tensor(evolution.mean, dtype=torch.float32).unflatten(-1, shape)
            agent, seeds = LinearAgent(model.action_space, centre), rng.integers(2**30, size=rows)
            reached = torch.tensor(returns(agent, dream, episodes=rows, seed=seeds)).mean()
            if not best.policies or reached > best.policies["best"]["score"]:
                best.keep("best", {"score": reached, "weights": centre})
    return best.policies["best"]["weights"]
