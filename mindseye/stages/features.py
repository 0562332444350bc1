"""Wandering, learning to see, to predict what will be seen, and to clone what led to it."""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor

from mindseye.agents.policy import PolicyNetwork
from mindseye.core.batch import Batch
from mindseye.core.precision import fast_arithmetic
from mindseye.core.run import Run
from mindseye.core.tree import map_tree
from mindseye.learners.feature_fitting import FeatureFitting
from mindseye.learners.imitation import BehaviourCloning
from mindseye.learners.representation import HiddenPatchFitting
from mindseye.models.perception.encoders import Frames
from mindseye.models.perception.vision import HiddenPatches, PatchTransformer
from mindseye.models.world.features import FeatureWorldModel

SEEN = 32
"""Frames per update of an encoder."""
CLONED = 256
"""Pairs of a frame and a goal per update of a policy."""


def wander(world: VectorEnv, steps: int, *, seed: int) -> Batch:
    """Random actions from wherever episodes begin, one episode per row; no reward is ever seen.

    Args:
        world: Shows pictures and takes numbers, and ends no episode within `steps`.
        steps: Actions per episode.
        seed: Of starts and actions.
    """
    rng, space = np.random.default_rng(seed), cast(spaces.Box, world.action_space)
    seen, done = [world.reset(seed=seed)[0]], [np.zeros(space.shape, np.float32)]
    for _ in range(steps):
        done.append(rng.uniform(space.low, space.high).astype(np.float32))
        seen.append(world.step(done[-1])[0])
    rows = torch.zeros(world.num_envs, steps + 1)
    is_first = rows.bool()
    is_first[:, 0] = True
    return {
        "observation": torch.from_numpy(np.stack(seen, 1)),
        "action": torch.from_numpy(np.stack(done, 1)),
        "reward": rows,
        "continuation": rows + 1,
        "is_first": is_first,
        "mask": rows + 1,
    }


def learn_to_see(
    run: Run,
    encoder: PatchTransformer,
    frames: Frames,
    *,
    blurs: Sequence[float],
    updates: int,
    learning_rate: float,
    stage: str = "encoder",
) -> None:
    """Fit an encoder to hidden patches of recorded frames, in place."""
    encoder.to(run.device)
    task = HiddenPatches(encoder, blurs).to(run.device)
    task.calibrate(frames[:: max(1, len(frames) // 512)].to(run.device))
    decay = 0.05 ** (1 / max(1, updates))
    learner = HiddenPatchFitting(task, learning_rate=learning_rate, decay=decay)
    rng = run.rng(stage)
    for step in run.steps(stage, updates, keep={"learner": learner, "rng": rng}):
        chosen = frames[rng.integers(len(frames), size=SEEN)]
        metrics = learner.update({"observation": chosen.to(run.device)})
        if step % 20 == 0:
            run.log(metrics)
    encoder.eval()


def fit_features(
    run: Run,
    stage: str,
    model: FeatureWorldModel,
    data: Batch,
    *,
    updates: int,
    batch_size: int,
    learning_rate: float,
    is_shuffled: bool = False,
) -> None:
    """Calibrate and fit a predictor in place; equal runs draw equal segments at every stage.

    Args:
        data: Whole episodes of equal length, fields as in `core.batch`.
        is_shuffled: Give every segment the actions of another one, which leaves nothing to learn
            about what actions do.
    """
    model.to(run.device)
    episodes, rows = data["mask"].shape
    spread = data["observation"].flatten(0, 1)
    model.calibrate(spread[:: max(1, len(spread) // 512)].to(run.device))
    data = {**data, "tokens": encoded(model, data["observation"])}
    decay, length = 0.05 ** (1 / max(1, updates)), model.net.window + 1
    learner = FeatureFitting(model, learning_rate=learning_rate, decay=decay)
    rng = run.rng("segments")
    for step in run.steps(stage, updates, keep={"learner": learner, "rng": rng}):
        row = rng.integers(episodes, size=batch_size)[:, None]
        first = rng.integers(rows + 1 - length, size=batch_size)[:, None]
        at = row, first + np.arange(length)
        batch = {name: leaf[at].to(run.device) for name, leaf in data.items()}
        if is_shuffled:
            # each those of the one before: drawn by chance, some would keep their own
            batch["action"] = batch["action"].roll(1, 0)
        metrics = learner.update(batch)
        if step % 20 == 0:
            run.log(metrics)
    model.eval()


def encoded(model: FeatureWorldModel, frames: Tensor) -> Tensor:
    """Tokens of episodes of frames, on the CPU."""
    device = model.device
    with fast_arithmetic(device):
        return torch.cat([model.encode(x.to(device)).cpu() for x in frames.split(16)])


def clone_goals(
    run: Run,
    model: FeatureWorldModel,
    data: Batch,
    *,
    updates: int,
    longest: int,
    stage: str = "cloning",
) -> PolicyNetwork:
    """Clone with goals in hindsight: what was done on the way to what was seen later.

    Args:
        model: Its tokens, of the frame and of the goal, are what the policy sees.
        data: Whole episodes of equal length, fields as in `core.batch`.
        longest: Steps that a goal may lie ahead.

    Source: Ghosh et al. (2021), GCSL, arXiv 1912.06088, without further rounds of collecting.
    """
    tokens = encoded(model, data["observation"]).flatten(2)
    seen = spaces.Box(-np.inf, np.inf, (2 * math.prod(tokens.shape[2:]),), np.float32)
    run.seed_torch(stage)
    network = PolicyNetwork(seen, model.action_space).to(run.device)
    learner, rng = BehaviourCloning(network), run.rng(stage)
    episodes, rows = tokens.shape[:2]
    for step in run.steps(stage, updates, keep={"learner": learner, "rng": rng}):
        row, now = rng.integers(episodes, size=CLONED), rng.integers(rows - 1, size=CLONED)
        later = now + 1 + (rng.random(CLONED) * np.minimum(rows - 1 - now, longest)).astype(int)
        both = torch.cat((tokens[row, now], tokens[row, later]), -1)
        pair = row[:, None], np.stack([now, now + 1], 1)
        batch = {
            "observation": torch.stack((both, both), 1),
            "action": map_tree(lambda x, at=pair: x[at], data["action"]),
            "is_first": data["is_first"][pair],
            "mask": data["mask"][pair],
        }
        with fast_arithmetic(run.device):
            metrics = learner.update({name: x.to(run.device) for name, x in batch.items()})
        if step % 20 == 0:
            run.log(metrics)
    return network.eval()
