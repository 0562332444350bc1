"""The store of experience that grows: episodes in, batches of segments out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

from mindseye.core.batch import FIELDS, Batch
from mindseye.core.episode import Episode
from mindseye.core.errors import CheckpointError, ConfigError, DataError
from mindseye.core.protocols import Experience
from mindseye.experience.encoding import is_choice
from mindseye.experience.sampling import Strategy, Uniform
from mindseye.experience.segments import SegmentBuffers
from mindseye.experience.starts import Starts
from mindseye.experience.store import Store, create_store


class Replay(Experience):
    """Episodes in a folder, memory-mapped, whole after any crash.

        replay = Replay("runs/mine/episodes", world.single_observation_space,
                        world.single_action_space, capacity=1_000_000)
        replay.add(rollout(agent, world, episodes=8, seed=0))
        batch = replay.sample(16, 64, rng)

    Args:
        folder: New, or a store of the same spaces, which is then continued.
        capacity: Steps to keep; beyond it the oldest episodes are no longer sampled and their files
            are deleted, though never those that were live at the last `state_dict`.
        strategy: Which segments to draw; Uniform unless given.
        extras: Names of the agent's records that batches carry, nan, 0 or empty where an episode
            lacks them; unless given, those that `core.batch` names.
        file_bytes: Size at which a column starts its next file, fixed when a folder is created.

    Raises:
        DataError: If the folder holds other spaces, or a file is missing.
        SpecError: If a space cannot be stored.
    """

    def __init__(
        self,
        folder: str | Path,
        observation_space: gymnasium.Space,
        action_space: gymnasium.Space,
        *,
        capacity: int | None = None,
        strategy: Strategy | None = None,
        extras: Sequence[str] | None = None,
        file_bytes: int = 1 << 28,
    ):
        create_store(Path(folder), observation_space, action_space, file_bytes=file_bytes)
        self._start(Store(Path(folder), read_only=False), capacity, strategy, extras)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        read_only: bool = False,
        capacity: int | None = None,
        strategy: Strategy | None = None,
        extras: Sequence[str] | None = None,
    ) -> "Replay":
        """Open an existing folder; read-only, it is a fixed dataset.

        Raises:
            DataError: If the folder is not a store, or a file is missing.
        """
        replay = cls.__new__(cls)
        replay._start(Store(Path(folder), read_only=read_only), capacity, strategy, extras)
        return replay

    def _start(
        self,
        store: Store,
        capacity: int | None,
        strategy: Strategy | None,
        extras: Sequence[str] | None,
    ) -> None:
        if capacity is not None and capacity < 1:
            raise ConfigError(f"Replay: expected capacity of at least 1 step, got {capacity}")
        self._store, self.capacity = store, capacity
        self.strategy: Strategy = strategy or Uniform()
        self._extras = FIELDS if extras is None else extras
        self._pinned: int | None = None
        self._buffers: dict[tuple[int, int], SegmentBuffers] = {}
        self._refresh()

    def _refresh(self) -> None:
        """Recount what is live after a change of the episodes."""
        table = self._store.index.table
        steps = np.where(table["damaged"], 0, np.maximum(table["rows"] - 1, 0))
        steps[table["start"] < self._store.manifest.kept_from] = 0
        newer = np.cumsum(steps[::-1])[::-1]
        too_old = newer > self.capacity if self.capacity is not None else np.zeros(len(steps), bool)
        too_old[len(steps) - 1 :] = False
        healthy = ~table["damaged"] & (table["start"] >= self._store.manifest.kept_from)
        self._live = np.flatnonzero(healthy & ~too_old)
        self._num_steps = int(steps[self._live].sum())
        self._starts: dict[tuple[int, bool], Starts] = {}

    @property
    def folder(self) -> Path:
        """Where it lives."""
        return self._store.folder

    @property
    def observation_space(self) -> gymnasium.Space:
        """Of one world."""
        return self._store.manifest.observation_space

    @property
    def action_space(self) -> gymnasium.Space:
        """Of one world."""
        return self._store.manifest.action_space

    @property
    def num_episodes(self) -> int:
        """Episodes ever committed, also damaged and dropped ones; the next one gets this number."""
        return len(self._store.index)

    @property
    def lengths(self) -> np.ndarray:
        """Steps of every episode ever committed, 0 where it is damaged or dropped; int64."""
        table = self._store.index.table
        lost = table["damaged"] | (table["start"] < self._store.manifest.kept_from)
        return np.where(lost, 0, np.maximum(table["rows"] - 1, 0))

    @property
    def damaged(self) -> Mapping[int, str]:
        """Causes by number of episode; those are refused, the others stay usable."""
        return dict(self._store.index.damage)

    def add(self, episodes: Iterable[Episode]) -> None:
        """Commit episodes, in groups of about 32 MiB; of a failing group nothing is kept.

        Raises:
            SpecError: If an episode does not fit the spaces.
            DataError: If the store is read-only or damaged, or the disk is full.
        """
        num_extras = len(self._store.manifest.extras)
        try:
            self._store.add(episodes)
        finally:
            self._refresh()
            if len(self._store.manifest.extras) != num_extras:
                self._buffers.clear()
        if self.capacity is not None and len(self._live):
            row = int(self._store.index.table["start"][self._live[0]])
            self._store.drop_before(row if self._pinned is None else min(row, self._pinned))

    def sample(
        self, batch_size: int, length: int, rng: np.random.Generator, *, crossing: bool = True
    ) -> Batch:
        """Segments of consecutive rows, fields as in `core.batch`, chosen by the strategy.

        Observations keep their stored dtype; actions that are choices are int64.

        Args:
            crossing: Whether segments run on into the next episode; `is_first` says where. If not,
                `mask` is 0, and everything else zero, after the end of the episode.

        Returns:
            Tensors valid until the next call of the same size: buffers are reused.

        Raises:
            DataError: If no segment fits.
        """
        starts = self._starts.get((length, crossing))
        if starts is None:
            live = self._store.index.table[self._live]
            starts = self._starts[length, crossing] = Starts(live, length=length, crossing=crossing)
        rows, fields = self.strategy.draw(starts, batch_size, rng)
        batch = self._room(batch_size, length).fill(self._store.columns, rows, starts.counts(rows))
        return {**batch, **{name: torch.from_numpy(field) for name, field in fields.items()}}

    def _room(self, batch_size: int, length: int) -> SegmentBuffers:
        room = self._buffers.get((batch_size, length))
        if room is None:
            encoding = self._store.encoding
            extras = self._store.manifest.extras.values()
            specs = [*encoding.specs, *(s for s in extras if s.path[0] in self._extras)]
            indices = {
                spec.name
                for spec in encoding.specs
                if spec.path[0] == "action" and is_choice(encoding.spaces[spec.path])
            }
            room = SegmentBuffers(specs, indices, batch_size=batch_size, length=length)
            self._buffers[batch_size, length] = room
        return room

    def __iter__(self) -> Iterator[Episode]:
        for number in self._live.tolist():
            yield self._store.episode(number)

    def __len__(self) -> int:
        return self._num_steps

    def episode(self, number: int) -> Episode:
        """An episode by number; negative numbers count from the newest.

        Raises:
            DataError: If there is no such episode, or it is damaged or dropped.
        """
        return self._store.episode(number + self.num_episodes if number < 0 else number)

    def verify(self) -> Mapping[int, str]:
        """Check every episode against its checksum; damaged ones are refused from now on.

        Returns:
            As `damaged`.
        """
        self._store.verify()
        self._refresh()
        return self.damaged

    def truncate(self, num_episodes: int) -> None:
        """Drop later episodes for good.

        Raises:
            DataError: If the store is read-only, or has fewer.
        """
        self._store.truncate(num_episodes)
        self._buffers.clear()
        self._refresh()

    def state_dict(self) -> dict[str, Any]:
        """How many episodes there are, and the strategy's state; rows stay on disk."""
        if len(self._live):
            self._pinned = int(self._store.index.table["start"][self._live[0]])
        return {"num_episodes": self.num_episodes, "strategy": self.strategy.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to state_dict: later episodes are dropped for good.

        Raises:
            CheckpointError: If the folder holds fewer episodes, or too old ones are gone.
        """
        try:
            self.truncate(state["num_episodes"])
        except DataError as error:
            raise CheckpointError(f"replay does not match its checkpoint: {error}") from error
        self.strategy.load_state_dict(state["strategy"])

    def close(self) -> None:
        """Let go of files and maps; the next use opens them again."""
        self._store.close()
