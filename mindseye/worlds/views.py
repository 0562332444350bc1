"""Our worlds for code that expects other habits: autoreset, a single environment, flat vectors."""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from mindseye.core import tree
from mindseye.core.errors import ConfigError, SpecError, WorldError
from mindseye.core.tree import Tree
from mindseye.worlds.vectorise import Seeds, Step


class AutoresetView(VectorWrapper):
    """A world of ours in Gymnasium's NEXT_STEP or SAME_STEP mode, to the letter.

    NEXT_STEP: the step after an end ignores the action and returns the next episode's first
    observation with reward 0. SAME_STEP: the step that ends an episode already returns the next
    one's first observation; the true last one is in `infos["final_obs"]`.

    Args:
        env: A world in `AutoresetMode.DISABLED` that skips rows that are done.
        mode: The mode to show.

    Raises:
        ConfigError: If the mode is DISABLED.
        WorldError: If the world already resets by itself.
    """

    def __init__(self, env: VectorEnv, mode: AutoresetMode):
        super().__init__(env)
        if mode is AutoresetMode.DISABLED:
            raise ConfigError(
                "AutoresetView: expected NEXT_STEP or SAME_STEP; use the world itself"
            )
        if env.metadata.get("autoreset_mode") is not AutoresetMode.DISABLED:
            raise WorldError(f"AutoresetView: {env} resets by itself; hand over a world from make")
        self.mode = mode
        self.metadata = {**env.metadata, "autoreset_mode": mode}
        self._ended = np.zeros(self.num_envs, np.bool_)

    def reset(
        self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """Begin new episodes in all rows, or in those of `options["reset_mask"]`."""
        rows = (options or {}).get("reset_mask", np.ones(self.num_envs, np.bool_))
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        self._ended = self._ended & ~rows
        return observation, self._merged({}, infos, rows)

    def step(self, actions: Tree) -> Step:
        """Take one action per row, and reset rows as the mode says."""
        if self.mode is AutoresetMode.NEXT_STEP:
            return self._next_step(actions)
        return self._same_step(actions)

    def _next_step(self, actions: Tree) -> Step:
        fresh = self._ended
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        merged = self._merged({}, infos, ~fresh)
        if fresh.any():
            observation, reset_infos = self.env.reset(options={"reset_mask": fresh.copy()})
            merged = self._merged(merged, reset_infos, fresh)
            rewards = np.where(fresh, 0.0, rewards)
            terminated, truncated = terminated & ~fresh, truncated & ~fresh
        self._ended = terminated | truncated
        return observation, rewards, terminated, truncated, merged

    def _same_step(self, actions: Tree) -> Step:
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        ended = terminated | truncated
        if not ended.any():
            return observation, rewards, terminated, truncated, self._merged({}, infos, ~ended)
        last = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended):
            last[row] = tree.take(observation, int(row))
        merged: dict[str, Any] = {
            "final_obs": last,
            "_final_obs": ended.copy(),
            "final_info": self._merged({}, infos, ended),
            "_final_info": ended.copy(),
        }
        observation, reset_infos = self.env.reset(options={"reset_mask": ended.copy()})
        merged = self._merged(self._merged(merged, infos, ~ended), reset_infos, ended)
        return observation, rewards, terminated, truncated, merged

    def _merged(self, merged: dict, infos: Mapping[str, Any], rows: np.ndarray) -> dict:
        """Gymnasium's form: an array and a mask per key, for the given rows only."""
        for row, info in enumerate(infos.get("infos", ())):
            if rows[row]:
                merged = self._add_info(merged, info, row)
        for key, value in infos.items():
            if key != "infos" and not key.startswith("_") and rows.any():
                present = rows & infos.get(f"_{key}", np.ones(self.num_envs, np.bool_))
                if f"_{key}" in merged:
                    value = np.where(present, value, merged[key])
                    present = present | merged[f"_{key}"]
                merged[key], merged[f"_{key}"] = value, present
        return merged


class SingleView(gymnasium.Env):
    """A world of one row as a plain Gymnasium environment.

    Raises:
        ConfigError: If the world has more rows than one.
    """

    def __init__(self, world: VectorEnv):
        if world.num_envs != 1:
            raise ConfigError(f"SingleView: expected one row, got {world.num_envs}; make one")
        self.world = world
        self.observation_space = world.single_observation_space
        self.action_space = world.single_action_space
        self.metadata = {k: v for k, v in world.metadata.items() if k != "autoreset_mode"}
        self.render_mode = world.render_mode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """First observation of a new episode."""
        super().reset(seed=seed)
        observation, infos = self.world.reset(seed=seed, options=options)
        return self._row(observation), self._info(infos)

    def step(self, action: Tree) -> tuple[Tree, float, bool, bool, dict[str, Any]]:
        """One step."""
        batch = tree.map_tree(_with_batch, action)
        observation, rewards, terminated, truncated, infos = self.world.step(batch)
        ends = bool(terminated[0]), bool(truncated[0])
        return self._row(observation), float(rewards[0]), *ends, self._info(infos)

    def render(self) -> Any:
        """The picture of the only row."""
        frames = self.world.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Close the world."""
        self.world.close()

    def _row(self, observation: Tree) -> Tree:
        single = tree.take(observation, 0)
        # Indexing gives NumPy scalars, which Discrete spaces accept, and views, which callers own.
        return tree.map_tree(lambda leaf: leaf if isinstance(leaf, str) else leaf.copy(), single)

    def _info(self, infos: Mapping[str, Any]) -> dict[str, Any]:
        info = {
            key: value[0]
            for key, value in infos.items()
            if key != "infos" and not key.startswith("_")
        }
        return {**info, **(infos["infos"][0] if "infos" in infos else {})}


class FlatObservations(VectorWrapper):
    """Shows observations as one float32 vector per row; see `flatten_observations`."""

    def __init__(self, env: VectorEnv):
        super().__init__(env)
        self._flatten, size = _flattener(env.single_observation_space)
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(
        self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """First observations, flat."""
        observation, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return self._flat(observation), infos

    def step(self, actions: Tree) -> Step:
        """Next observations, flat."""
        observation, *rest, infos = self.env.step(actions)
        return self._flat(observation), *rest, infos  # type: ignore[return-value]

    def _flat(self, observation: Tree) -> np.ndarray:
        out = np.zeros((self.num_envs, self.single_observation_space.shape[0]), np.float32)  # type: ignore[index]
        self._flatten(observation, out)
        return out


def flatten_observations(world: VectorEnv) -> VectorEnv:
    """Show a world's observations as one float32 vector per row.

    Discrete parts become one-hot, numbers stay as they are, dicts and tuples are joined in order.
    For learners which do not take dicts or grids of integers.

    Raises:
        SpecError: If a part has no fixed size, as texts.
    """
    return FlatObservations(world)


Flatten = Callable[[Tree, np.ndarray], None]


def _flattener(space: gymnasium.Space) -> tuple[Flatten, int]:
    """A function writing a batch into columns of zeros, and how many columns it needs."""
    if isinstance(space, spaces.Dict):
        return _joined(list(space.items()))
    if isinstance(space, spaces.Tuple):
        return _joined(list(enumerate(space)))
    if isinstance(space, spaces.Discrete):
        return _one_hot(np.array([space.n]), np.array([space.start]))
    if isinstance(space, spaces.MultiDiscrete):
        return _one_hot(space.nvec.reshape(-1), space.start.reshape(-1))
    if isinstance(space, spaces.Box | spaces.MultiBinary):

        def write(leaf: np.ndarray, out: np.ndarray) -> None:
            out[:] = leaf.reshape(len(out), -1)

        return write, int(np.prod(space.shape))
    raise SpecError(f"flatten_observations: {space} has no fixed size; leave it out first")


def _joined(parts: list[tuple[Any, gymnasium.Space]]) -> tuple[Flatten, int]:
    names = [name for name, _ in parts]
    writers = [_flattener(part) for _, part in parts]
    edges = np.cumsum([0] + [size for _, size in writers])

    def write(leaf: Tree, out: np.ndarray) -> None:
        for name, (writer, _), begin, end in zip(
            names, writers, edges[:-1], edges[1:], strict=True
        ):
            writer(leaf[name], out[:, begin:end])

    return write, int(edges[-1])


def _one_hot(counts: np.ndarray, starts: np.ndarray) -> tuple[Flatten, int]:
    ends = np.cumsum(counts.astype(np.int64))
    offsets = ends - counts - starts

    def write(leaf: np.ndarray, out: np.ndarray) -> None:
        np.put_along_axis(out, leaf.reshape(len(out), -1) + offsets, 1.0, axis=1)

    return write, int(ends[-1])


def _with_batch(leaf: Any) -> Any:
    return [leaf] if isinstance(leaf, str) else np.asarray(leaf)[None]
