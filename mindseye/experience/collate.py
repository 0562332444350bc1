"""Whole episodes as one padded batch, and back to rows without padding."""

from collections.abc import Sequence

import numpy as np
import torch

from mindseye.core.batch import Batch
from mindseye.core.episode import Episode
from mindseye.core.errors import DataError
from mindseye.core.tree import Tree, map_tree
from mindseye.experience.rows import OWN, arrivals


def collate(episodes: Sequence[Episode]) -> Batch:
    """Episodes side by side as arrivals, padded with zeros (empty texts) to the longest.

    The field `group` (int64, padded with -1) numbers distinct tasks if every episode has one. Of
    the agents' records, those are kept that all episodes have.

    Returns:
        Leaves (batch, time, ...), fresh tensors; texts are lists of lists.

    Raises:
        DataError: If there are no episodes, or leaves differ in shape.
    """
    if not episodes:
        raise DataError("collate: expected at least one episode, got none")
    rows = [arrivals(episode) for episode in episodes]
    fields = [name for name in rows[0] if name in OWN or all(name in row for row in rows)]
    counts = np.array([len(episode) + 1 for episode in episodes])
    length = int(counts.max())
    batch = {name: _pad([row[name] for row in rows], length, name) for name in fields}
    mask = np.arange(length) < counts[:, None]
    batch["mask"] = torch.from_numpy(mask.astype(np.float32))
    tasks = [episode.task.id for episode in episodes if episode.task is not None]
    if len(tasks) == len(episodes):
        numbers = {task: i for i, task in enumerate(dict.fromkeys(tasks))}
        group = np.array([numbers[task] for task in tasks])[:, None]
        batch["group"] = torch.from_numpy(np.where(mask, group, -1))
    return batch


def separate(batch: Batch) -> list[Batch]:
    """Rows of each segment of a batch without its padding: leaves (time, ...), no mask.

    Tensors are views of the batch's own.
    """
    counts = batch["mask"].sum(1).to(torch.int64).tolist()
    fields = {name: tree for name, tree in batch.items() if name != "mask"}
    return [
        map_tree(lambda leaf, i=i, count=count: leaf[i][:count], fields)
        for i, count in enumerate(counts)
    ]


def _pad(trees: list[Tree], length: int, name: str) -> Tree:
    def join(*leaves):
        if isinstance(leaves[0], list):
            return [leaf + [""] * (length - len(leaf)) for leaf in leaves]
        if len({(leaf.shape[1:], leaf.dtype) for leaf in leaves}) > 1:
            shapes = sorted({f"{leaf.dtype} {leaf.shape[1:]}" for leaf in leaves})
            raise DataError(f"collate: {name}: expected one shape and dtype, got {shapes}")
        out = np.zeros((len(leaves), length, *leaves[0].shape[1:]), leaves[0].dtype)
        for room, leaf in zip(out, leaves, strict=True):
            room[: len(leaf)] = leaf
        return torch.from_numpy(out)

    return map_tree(join, *trees)
