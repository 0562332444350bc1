"""Minari datasets in and out: the format offline data is shared in.

Minari's layout is ours, T + 1 observations and T of the rest. What it has no place for (origin,
task, why an episode stopped) travels as JSON in each episode's metadata.
"""

import json
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError, MissingExtra
from mindseye.core.spaces import Words
from mindseye.core.task import Task
from mindseye.core.tree import Tree, leaves, map_tree
from mindseye.experience.replay import Replay

_KEY = "mindseye"


def import_minari(source: str | Path, folder: str | Path) -> Replay:
    """Copy a Minari dataset into a replay.

    Foreign `infos` are left behind. Episodes that are not whole are named in a warning and skipped.

    Args:
        source: Id of a local dataset, or a folder with Minari's `metadata.json`.
        folder: Where the replay goes.

    Raises:
        DataError: If there is no such dataset, it cannot be read, or holds no whole episode.
        MissingExtra: If minari is not installed.
    """
    dataset = _open(source)
    replay = Replay(
        folder, _from_minari(dataset.observation_space), _from_minari(dataset.action_space)
    )
    replay.add(_episodes(dataset, str(source)))
    if not len(replay):
        raise DataError(f"{source}: holds no whole episode")
    return replay


def export_minari(replay: Replay, dataset_id: str) -> None:
    """Copy a replay into a new local Minari dataset, without loss.

    Args:
        replay: Its live episodes are copied; those without a step are skipped with a warning.
        dataset_id: Like "namespace/name-v0".

    Raises:
        DataError: If the dataset exists, or the id is malformed.
        MissingExtra: If minari is not installed.
    """
    minari = _minari()
    characters = "".join(sorted({c for episode in replay for c in _texts_of(episode)}))
    with warnings.catch_warnings():
        # Minari asks for authors and a home page, which are not ours to invent.
        warnings.simplefilter("ignore", UserWarning)
        try:
            dataset = minari.create_dataset_from_buffers(
                dataset_id,
                _buffers(replay),
                observation_space=_to_minari(replay.observation_space, characters),
                action_space=_to_minari(replay.action_space, characters),
                jpeg_encoding=False,
            )
        except ValueError as error:
            raise DataError(f"{dataset_id}: Minari refuses it ({error})") from error
    kept = (episode for episode in replay if len(episode))
    dataset.storage.update_episode_metadata([{_KEY: _notes(episode)} for episode in kept])


def _minari() -> Any:
    try:
        import h5py  # noqa: F401
        import minari
    except ImportError as error:
        raise MissingExtra("minari", "minari") from error
    return minari


def _open(source: str | Path) -> Any:
    minari = _minari()
    folder = Path(source)
    try:
        for candidate in (folder / "data", folder):
            if (candidate / "metadata.json").exists():
                return minari.MinariDataset(candidate)
        return minari.load_dataset(str(source), download=False)
    except (OSError, ValueError, KeyError, AssertionError) as error:
        raise DataError(
            f"{source}: no readable Minari dataset ({error}); download it with: "
            f"minari download {source}"
        ) from error


def _episodes(dataset: Any, where: str) -> Iterator[Episode]:
    for number in dataset.episode_indices.tolist():
        try:
            (data,) = dataset.iterate_episodes([number])
            (metadata,) = dataset.storage.get_episode_metadata([number])
            yield _episode(data, json.loads(metadata.get(_KEY, "{}")), where)
        except (OSError, ValueError, KeyError, IndexError, AssertionError) as error:
            warnings.warn(f"{where}: episode {number} refused: {error}", stacklevel=3)


def _episode(data: Any, notes: dict[str, Any], where: str) -> Episode:
    origin = notes.get("origin", {"kind": "real", "world": where})
    task = notes.get("task")
    return Episode(
        observations=data.observations,
        actions=data.actions,
        rewards=np.asarray(data.rewards, np.float32),
        terminated=bool(data.terminations[-1]),
        truncated=bool(data.truncations[-1]),
        origin=Origin(**origin),
        task=Task(**task) if task else None,
        extras=map_tree(_decoded, data.infos) if notes and data.infos else {},
        stop_reason=notes.get("stop_reason", ""),
        error=notes.get("error"),
    )


def _decoded(leaf: np.ndarray) -> Any:
    return [text.decode() for text in leaf] if leaf.dtype == object else leaf


def _buffers(replay: Replay) -> Iterator[Any]:
    from minari.data_collector import EpisodeBuffer

    number = 0
    for episode in replay:
        steps = len(episode)
        if not steps:
            warnings.warn("an episode without a step was not exported", stacklevel=2)
            continue
        ends = np.zeros((2, steps), bool)
        ends[:, -1] = episode.terminated, episode.truncated
        yield EpisodeBuffer(
            id=number,
            seed=episode.task.seed if episode.task else None,
            observations=episode.observations,
            actions=episode.actions,
            rewards=episode.rewards,  # pyright: ignore[reportArgumentType]
            terminations=ends[0],  # pyright: ignore[reportArgumentType]
            truncations=ends[1],  # pyright: ignore[reportArgumentType]
            infos=dict(episode.extras) or None,
        )
        number += 1


def _notes(episode: Episode) -> str:
    return json.dumps(
        {
            "origin": episode.origin.to_dict(),
            "task": asdict(episode.task) if episode.task else None,
            "stop_reason": episode.stop_reason,
            "error": episode.error,
        }
    )


def _texts_of(episode: Episode) -> set[str]:
    trees: list[Tree] = [episode.observations, episode.actions]
    texts = (
        text for tree in trees for leaf in leaves(tree) if isinstance(leaf, list) for text in leaf
    )
    return {character for text in texts for character in text}


def _from_minari(space: gymnasium.Space) -> gymnasium.Space:
    match space:
        case spaces.Dict():
            return spaces.Dict({key: _from_minari(part) for key, part in space.spaces.items()})
        case spaces.Tuple():
            return spaces.Tuple([_from_minari(part) for part in space.spaces])
        case spaces.Text():
            return Words(space.max_length)
    return space


def _to_minari(space: gymnasium.Space, characters: str) -> gymnasium.Space:
    match space:
        case spaces.Dict():
            parts = space.spaces.items()
            return spaces.Dict({key: _to_minari(part, characters) for key, part in parts})
        case spaces.Tuple():
            return spaces.Tuple([_to_minari(part, characters) for part in space.spaces])
        case Words():
            return spaces.Text(space.max_length, min_length=0, charset=characters)
    return space
