"""Does a dream fail where reality failed? Recorded actions, followed in a world model."""

from collections.abc import Sequence

import numpy as np
import torch

from mindseye.core.episode import Episode
from mindseye.core.errors import DataError
from mindseye.core.protocols import WorldModel
from mindseye.core.tree import Tree, map_tree, stack, take, to_numpy, to_tensor


@torch.no_grad()
def follow(
    model: WorldModel, episodes: Sequence[Episode], *, device: str = "cpu"
) -> tuple[Tree, np.ndarray]:
    """What a model imagines when it acts as was acted, from the first observation of each episode.

    After the end of a shorter episode its last action goes on; judge by the episodes' own lengths.

    Returns:
        Observations imagined, leaves (episodes, steps, ...), and rewards (episodes, steps), 0 after
        the end of an episode; steps are those of the longest.

    Raises:
        DataError: If there are no episodes, or one without a step.
    """
    lengths = np.array([len(episode) for episode in episodes])
    if not len(lengths) or lengths.min() == 0:
        raise DataError("follow: expected episodes of one step or more; leave out the others")
    first = stack([take(e.observations, 0) for e in episodes])
    begun = torch.ones(len(lengths), dtype=torch.bool, device=device)
    nothing = map_tree(np.zeros_like, stack([take(e.actions, 0) for e in episodes]))
    state = model.initial(len(lengths))
    state = model.observe(state, to_tensor(nothing, device), to_tensor(first, device), begun)
    seen, paid = [], []
    for step in range(lengths.max()):
        at = [take(e.actions, min(step, len(e) - 1)) for e in episodes]
        state = model.imagine(state, to_tensor(stack(at), device))
        said = model.predict(state)
        seen.append(to_numpy(said.observation))
        paid.append(np.where(step < lengths, to_numpy(said.reward), 0.0))
    return stack(seen, axis=1), np.stack(paid, 1)


def imagined_success(
    model: WorldModel, episodes: Sequence[Episode], *, least_reward: float = 0.5
) -> list[bool]:
    """Whether a model, acted as was acted, ever pays as success does; none without episodes."""
    if not episodes:
        return []
    return (follow(model, episodes)[1].max(1) >= least_reward).tolist()


def last_errors(model: WorldModel, episodes: Sequence[Episode]) -> list[float]:
    """Mean absolute error of the observation imagined for the end of each episode; arrays only."""
    seen, _ = follow(model, episodes)
    ends = [seen[row, len(episode) - 1] for row, episode in enumerate(episodes)]
    return [
        float(np.abs(end.astype(np.float64) - episode.observations[-1]).mean())
        for end, episode in zip(ends, episodes, strict=True)
    ]
