"""Agent times world gives episodes: the one loop, for reality and dreams alike.

Nothing resets by itself: the true last observation is read from `step`, then finished rows, and
only they, are reset. Episode i is the k-th of row `i % num_worlds`, with `k = i // num_worlds`;
each row plays a fixed number of them, so short episodes are not counted more often than long ones.
"""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from mindseye.core import tree
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import ConfigError, SpecError, WorldError
from mindseye.core.protocols import Agent
from mindseye.core.spaces import WordsBatch
from mindseye.core.tree import Tree

_CHUNK_BYTES = 1 << 22
_CHUNK_STEPS = 256


def rollout(
    agent: Agent,
    world: VectorEnv,
    *,
    origin: Origin,
    episodes: int | None = None,
    steps: int | None = None,
    seed: int | Sequence[int | None] | None = None,
    explore: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
    frames: bool = False,
    keep_errors: bool = False,
) -> list[Episode]:
    """Let an agent act in a world and keep what happened.

    Args:
        world: In `AutoresetMode.DISABLED`; rows that are done are skipped by its `step`.
        origin: Recorded in every episode.
        episodes: Play exactly this many. The first `episodes % num_worlds` rows play one more.
        steps: Or: play until at least this many steps are recorded; open episodes are cut there.
        seed: Episode i begins from `seed + i`, or from `seed[i]`; None leaves worlds unseeded.
        explore: Handed to `agent.act`.
        on_progress: Called with (episodes finished, steps recorded) whenever an episode ends.
        frames: Record `world.render()` before every action as the extra "frames".
        keep_errors: When the world fails, close the open episodes with the error's text and go on
            after a full reset. A failure at the very first step is raised, and so is the last one
            if nothing but failures came back.

    Returns:
        Episodes in the order of i.

    Raises:
        ConfigError: Unless exactly one of `episodes` and `steps` is given, and positive.
        SpecError: If actions do not have the world's shape.
        WorldError: If the world resets by itself, or fails and `keep_errors` is false.
    """
    _check_arguments(world, episodes, steps)
    run = _Run(world, origin, episodes, steps, seed, on_progress)
    expected = _shapes(world.action_space)
    failure: WorldError | None = None
    observation = run.begin()
    memory = agent.initial(world.num_envs)
    while run.goes_on:
        actions, memory, extras = agent.act(observation, memory, explore=explore)
        _check_actions(actions, expected)
        if frames:
            extras = {**extras, "frames": np.stack(list(world.render() or ()))}
        try:
            reached, rewards, terminated, truncated, _ = world.step(actions)
        except WorldError as error:
            if not keep_errors or run.columns is None:
                raise
            failure = error
            run.fail(observation, str(error))
            if run.goes_on:
                observation, memory = run.begin(), agent.initial(world.num_envs)
            continue
        run.record(observation, actions, rewards, extras)
        observation = reached
        ended = run.close(reached, terminated, truncated)
        if run.goes_on and ended.any():
            observation = run.renew(ended, reached)
            memory = tree.where(ended, agent.initial(world.num_envs), memory)
    if failure is not None and all(episode.error is not None for episode in run.finished.values()):
        raise failure
    return [run.finished[index] for index in sorted(run.finished)]


class _Run:
    """Bookkeeping of one rollout: which rows play which episode since when."""

    def __init__(
        self,
        world: VectorEnv,
        origin: Origin,
        episodes: int | None,
        steps: int | None,
        seed: int | Sequence[int | None] | None,
        on_progress: Callable[[int, int], None] | None,
    ):
        n = world.num_envs
        self.world, self.origin, self.seed, self.on_progress = world, origin, seed, on_progress
        self.episodes, self.steps = episodes, steps
        self.round = np.zeros(n, np.int64)
        self.start = np.zeros(n, np.int64)
        rows = np.arange(n)
        self.quota = None if episodes is None else (episodes - rows + n - 1) // n
        self.active = np.ones(n, np.bool_) if self.quota is None else self.quota > 0
        self.columns: Tree = None
        self.tick = self.recorded = 0
        self.goes_on = True
        self.finished: dict[int, Episode] = {}

    def begin(self) -> Tree:
        """First observations of all rows."""
        self.start[:] = self.tick
        return self.world.reset(seed=self._seeds(self.active))[0]  # type: ignore[arg-type]

    def renew(self, ended: np.ndarray, reached: Tree) -> Tree:
        """Observations after resetting those ended rows that have episodes left to play."""
        again = ended & self.active
        if not again.any():
            return reached
        self.start[again] = self.tick
        # A fresh dict each time: foreign worlds remove the mask from it.
        options = {"reset_mask": again.copy()}
        return self.world.reset(seed=self._seeds(again), options=options)[0]  # type: ignore[arg-type]

    def record(self, observation: Tree, actions: Tree, rewards: np.ndarray, extras: dict) -> None:
        """Keep one step of all rows."""
        step = {
            "observation": observation,
            "action": actions,
            "reward": np.asarray(rewards, np.float32),
            "extras": dict(extras),
        }
        if self.columns is None:
            self.columns = tree.map_tree(_Column, step)
        try:
            tree.map_tree(lambda column, leaf: column.append(leaf), self.columns, step)
        except KeyError as error:
            raise SpecError(f"rollout: {error} is missing from a later step's extras") from error
        self.tick += 1
        self.recorded += int(self.active.sum())

    def close(self, reached: Tree, terminated: np.ndarray, truncated: np.ndarray) -> np.ndarray:
        """Finish rows that are done, and all of them once enough was recorded."""
        done = (terminated | truncated) & self.active
        enough = self.steps is not None and self.recorded >= self.steps
        for row in np.flatnonzero(self.active if enough else done).tolist():
            ended = bool(terminated[row])
            cut = bool(truncated[row]) or not done[row]
            self._finish(row, tree.take(reached, slice(row, row + 1)), ended, cut)
        if enough or not self.active.any():
            self.goes_on = False
        if done.any():
            self._forget()
            if self.on_progress is not None:
                self.on_progress(len(self.finished), self.recorded)
        return done

    def fail(self, observation: Tree, error: str) -> None:
        """Close every open episode with an error."""
        for row in np.flatnonzero(self.active).tolist():
            last = tree.take(observation, slice(row, row + 1))
            self._finish(row, last, False, True, error)
        self.goes_on = bool(self.active.any())

    def _finish(
        self, row: int, last: Tree, terminated: bool, truncated: bool, error: str | None = None
    ) -> None:
        taken = self._taken(row)
        reason = "error" if error else "completed" if terminated else "max_steps"
        self.finished[int(row + self.round[row] * self.world.num_envs)] = Episode(
            observations=tree.concatenate([taken["observation"], last]),
            actions=taken["action"],
            rewards=taken["reward"],
            terminated=terminated,
            truncated=truncated,
            origin=self.origin,
            extras=taken["extras"],
            stop_reason=reason,
            error=error,
        )
        self.round[row] += 1
        if self.quota is not None:
            self.active[row] = self.round[row] < self.quota[row]

    def _taken(self, row: int) -> dict:
        start = int(self.start[row])
        return tree.map_tree(lambda column: column.take(start, self.tick, row), self.columns)

    def _forget(self) -> None:
        oldest = int(self.start[self.active].min()) if self.active.any() else self.tick
        tree.map_tree(lambda column: column.forget(oldest), self.columns)

    def _seeds(self, which: np.ndarray) -> list[int | None] | None:
        if self.seed is None:
            return None
        n = self.world.num_envs
        indices = np.arange(n) + self.round * n
        return [
            self._seed(int(index)) if wanted else None
            for index, wanted in zip(indices, which, strict=True)
        ]

    def _seed(self, index: int) -> int | None:
        if isinstance(self.seed, int | np.integer):
            return int(self.seed) + index
        assert self.seed is not None
        return self.seed[index] if index < len(self.seed) else None


class _Column:
    """One leaf of all steps of all rows, in chunks that are dropped once no episode needs them."""

    def __init__(self, leaf: Any):
        self.is_list = isinstance(leaf, list)
        self.chunks: list[Any] = []
        self.first = self.length = 0
        if self.is_list:
            self.size = _CHUNK_STEPS
            return
        leaf = np.asarray(leaf)
        self.size = int(np.clip(_CHUNK_BYTES // max(leaf.nbytes, 1), 1, _CHUNK_STEPS))
        self.shape, self.dtype = (self.size, *leaf.shape), leaf.dtype

    def append(self, leaf: Any) -> None:
        """Copy one step in."""
        at = self.length % self.size
        if at == 0:
            self.chunks.append([] if self.is_list else np.empty(self.shape, self.dtype))
        if self.is_list:
            self.chunks[-1].append(leaf)
        else:
            self.chunks[-1][at] = leaf
        self.length += 1

    def take(self, start: int, stop: int, row: int) -> Any:
        """Steps start to stop of one row, as a new array or list."""
        parts = []
        for number in range(start // self.size, (stop - 1) // self.size + 1):
            base = number * self.size
            chunk = self.chunks[number - self.first]
            window = slice(max(start - base, 0), min(stop - base, self.size))
            parts.append(
                [step[row] for step in chunk[window]] if self.is_list else chunk[window, row]
            )
        if self.is_list:
            return [text for part in parts for text in part]
        return np.concatenate(parts) if parts else np.empty((0, *self.shape[2:]), self.dtype)

    def forget(self, oldest: int) -> None:
        """Drop chunks that end before step `oldest`."""
        while (self.first + 1) * self.size <= min(oldest, self.length):
            self.chunks.pop(0)
            self.first += 1


def _check_arguments(world: VectorEnv, episodes: int | None, steps: int | None) -> None:
    if (episodes is None) == (steps is None):
        raise ConfigError("rollout: expected either episodes or steps; give exactly one")
    if (episodes if steps is None else steps) < 1:  # type: ignore[operator]
        raise ConfigError("rollout: expected at least 1 episode or step; ask for more")
    mode = world.metadata.get("autoreset_mode")
    if mode is not AutoresetMode.DISABLED:
        raise WorldError(
            f"rollout: expected a world in AutoresetMode.DISABLED, got {mode};"
            " build it with mindseye.worlds.make"
        )


def _shapes(space: gymnasium.Space) -> Tree:
    """Expected leaf shapes of a batch of actions."""
    if isinstance(space, gymnasium.spaces.Dict):
        return {name: _shapes(part) for name, part in space.items()}
    if isinstance(space, WordsBatch):
        return [space.n]
    if isinstance(space, gymnasium.spaces.Tuple):
        return tuple(map(_shapes, space))
    return list(space.shape or ())


def _check_actions(actions: Tree, expected: Tree) -> None:
    if isinstance(expected, list):
        got = [len(actions)] if isinstance(actions, list) else list(np.shape(actions))
        if got != expected:
            raise SpecError(
                f"rollout: expected actions of shape {tuple(expected)}, got {tuple(got)};"
                " does agent.act return a batch?"
            )
        return
    names = list(expected) if isinstance(expected, dict) else list(range(len(expected)))
    if not isinstance(actions, type(expected)) or len(actions) != len(names):
        raise SpecError(f"rollout: expected actions with parts {names}, got {type(actions)}")
    for name in names:
        _check_actions(actions[name], expected[name])
