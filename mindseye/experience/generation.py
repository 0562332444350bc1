"""Episodes that no one acted: rows that a generative model drew, in the form of experience."""

import numpy as np

from mindseye.core.batch import Batch
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.core.tree import map_tree, to_numpy
from mindseye.experience.rows import departures


def drawn_episodes(batch: Batch, *, origin: Origin) -> list[Episode]:
    """One episode per window, cut after its first termination.

    Args:
        batch: observation, action, reward and continuation as arrivals, leaves (count, rows, ...).
            What row 0 says beside its observation is dropped.
        origin: Recorded in every episode; of kind "imagined" or "written".

    Raises:
        DataError: If the origin says that it was real.
    """
    if origin.kind == "real":
        raise DataError("drawn episodes: origin is real, expected imagined or written; say so")
    fields = {name: batch[name] for name in ("observation", "action", "reward", "continuation")}
    rows = to_numpy(fields)
    ends = rows["continuation"][:, 1:] == 0
    steps = np.where(ends.any(1), ends.argmax(1) + 1, ends.shape[1])
    return [
        departures(
            map_tree(lambda leaf, i=i, n=n: leaf[i, : n + 1], rows),
            origin=origin,
            truncated=not ends[i].any(),
            stop_reason="completed" if ends[i].any() else "max_steps",
        )
        for i, n in enumerate(steps.tolist())
    ]
