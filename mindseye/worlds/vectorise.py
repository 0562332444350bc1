"""Python environments stepped as one world, in this process and without ceremony.

Nothing resets unless asked. A row that is done and was not reset is skipped: its observation is
kept, its reward is 0, its flags stay as they were, so a batch may finish at different times.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from mindseye.core import tree
from mindseye.core.errors import SpecError, WorldError
from mindseye.core.tree import Tree

Seeds = int | Sequence[int | None] | None
Step = tuple[Tree, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """Where one row stands: its environment and what that last said."""

    env: gymnasium.Env
    observation: Tree
    terminated: bool
    truncated: bool
    steps: int


class SerialWorlds(VectorEnv):
    """Steps Python environments one after the other and batches what they return.

        world = SerialWorlds([lambda: gymnasium.make("CartPole-v1")] * 8, name="CartPole-v1")
        observation, _ = world.reset(seed=0)
        observation, reward, terminated, truncated, infos = world.step(actions)

    Information dicts are not merged: when any row returned one, `infos["infos"]` lists all of them.

    Args:
        factories: One callable per row, each returning an environment.
        name: What error messages call this world.
        copy: Return fresh observation arrays; otherwise views of one buffer, valid until the next
            call.

    Raises:
        WorldError: If the environments differ in their spaces.
    """

    def __init__(
        self,
        factories: Sequence[Callable[[], gymnasium.Env]],
        *,
        name: str = "world",
        copy: bool = True,
    ):
        self.name, self.copy, self.num_envs = name, copy, len(factories)
        self.envs = [factory() for factory in factories]
        first = self.envs[0]
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        for row, env in enumerate(self.envs):
            if (env.observation_space, env.action_space) != (
                first.observation_space,
                first.action_space,
            ):
                raise WorldError(f"{name}: row {row} has other spaces than row 0; make them equal")
        self.observation_space = batch_space(first.observation_space, self.num_envs)
        self.action_space = batch_space(first.action_space, self.num_envs)
        self.metadata = {**first.metadata, "autoreset_mode": AutoresetMode.DISABLED}
        self.render_mode, self.spec = first.render_mode, first.spec
        self._join = _joiner(first.observation_space, self.num_envs)
        self.split = _splitter(self.action_space)
        """Turns a batch of actions into one per row, as the environments receive them."""
        self._last: list[Any] = [None] * self.num_envs
        self._rewards = [0.0] * self.num_envs
        self._terminated = [False] * self.num_envs
        self._truncated = [False] * self.num_envs
        self._any_done = False
        self._steps = [-1] * self.num_envs

    def reset(
        self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """Begin new episodes in all rows, or in those of `options["reset_mask"]`.

        Args:
            seed: An int gives row i the seed `seed + i`; a list gives one seed or None per row.
            options: Handed to every environment without the mask. Never changed.
        """
        options = dict(options or {})
        rows = mask_rows(options.pop("reset_mask", None), self.num_envs)
        seeds = row_seeds(seed, self.num_envs)
        infos: list[dict] = [{}] * self.num_envs
        for row in rows:
            try:
                self._last[row], infos[row] = self.envs[row].reset(
                    seed=seeds[row], options=options or None
                )
            except Exception as error:
                raise WorldError(
                    f"{self.name}: row {row} failed at reset ({_cause(error)}); mend the world"
                ) from error
            self._terminated[row] = self._truncated[row] = False
            self._steps[row] = 0
        self._require_started()
        self._any_done = any(self._terminated) or any(self._truncated)
        return self._observation(), _listed(infos)

    def step(self, actions: Tree) -> Step:
        """Take one action per row; rows already done are skipped.

        Raises:
            SpecError: If there is not one action per row.
            WorldError: If an environment fails or pays a reward that is not finite.
        """
        self._require_started()
        if self._any_done:
            infos = self._step_rows(actions, [not d for d in self._done()])
        else:
            infos = self._step_rows(actions, None)
        terminated = np.array(self._terminated, dtype=np.bool_)
        truncated = np.array(self._truncated, dtype=np.bool_)
        self._any_done = True in self._terminated or True in self._truncated
        rewards = np.array(self._rewards, dtype=np.float64)
        return self._observation(), rewards, terminated, truncated, _listed(infos)

    def _step_rows(self, actions: Tree, active: list[bool] | None) -> list[dict]:
        last, rewards = self._last, self._rewards
        terminated, truncated, infos = self._terminated, self._truncated, [{}] * self.num_envs
        row = -1
        try:
            for row, (env, action) in enumerate(zip(self.envs, self.split(actions), strict=True)):
                if active is None or active[row]:
                    result: Any = env.step(action)
                    last[row], rewards[row], terminated[row], truncated[row], infos[row] = result
                    self._steps[row] += 1
                else:
                    rewards[row] = 0.0
        except SpecError:
            raise
        except Exception as error:
            raise WorldError(
                f"{self.name}: row {row} failed at step {self._steps[row]} ({_cause(error)});"
                " mend the world or give it another action"
            ) from error
        if not math.isfinite(sum(rewards)):
            self._refuse_reward()
        return infos

    def row(self, index: int) -> Row:
        """Where a row stands; its environment is not copied."""
        return Row(
            self.envs[index],
            self._last[index],
            bool(self._terminated[index]),
            bool(self._truncated[index]),
            self._steps[index],
        )

    def put(self, index: int, row: Row) -> None:
        """Let a row go on from where another one stood."""
        self.envs[index], self._last[index] = row.env, row.observation
        self._terminated[index], self._truncated[index] = row.terminated, row.truncated
        self._steps[index] = row.steps
        self._any_done = any(self._terminated) or any(self._truncated)

    def render(self) -> list[np.ndarray]:  # type: ignore[override]
        """One frame per row, uint8 (height, width, 3), where the environments render arrays."""
        return [env.render() for env in self.envs]  # type: ignore[misc]

    def close_extras(self) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()

    def _done(self) -> list[bool]:
        return [bool(a or b) for a, b in zip(self._terminated, self._truncated, strict=True)]

    def _observation(self) -> Tree:
        try:
            batch = self._join(self._last)
        except (ValueError, TypeError, KeyError) as error:
            raise WorldError(
                f"{self.name}: observations do not fit {self.single_observation_space}"
                f" ({_cause(error)}); run check_world on it"
            ) from error
        return tree.map_tree(_copied, batch) if self.copy else batch

    def _require_started(self) -> None:
        if -1 in self._steps:
            raise WorldError(f"{self.name}: row {self._steps.index(-1)} was never reset; reset it")

    def _refuse_reward(self) -> None:
        for row, reward in enumerate(self._rewards):
            if not math.isfinite(reward):
                step = self._steps[row] - 1
                raise WorldError(
                    f"{self.name}: row {row} paid {reward} at step {step}; rewards must be finite"
                )


def mask_rows(mask: Any, num_worlds: int) -> list[int]:
    """Rows a reset mask names; all of them when there is no mask.

    Raises:
        SpecError: If the mask is not boolean with one entry per row.
    """
    if mask is None:
        return list(range(num_worlds))
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (num_worlds,):
        got = f"{getattr(mask, 'dtype', type(mask).__name__)} {np.shape(mask)}"
        raise SpecError(f"reset: expected reset_mask bool ({num_worlds},), got {got}")
    return np.flatnonzero(mask).tolist()


def row_seeds(seed: Seeds, num_worlds: int) -> list[int | None]:
    """One seed per row: `seed + i` for an int, the list's own entries for a list.

    Raises:
        SpecError: If a list has another length than there are rows, or a seed is negative.
    """
    if seed is None:
        return [None] * num_worlds
    if isinstance(seed, int | np.integer):
        seeds: list[int | None] = [int(seed) + row for row in range(num_worlds)]
    else:
        seeds = [None if s is None else int(s) for s in seed]
    if len(seeds) != num_worlds:
        raise SpecError(f"reset: expected {num_worlds} seeds, got {len(seeds)}; use None to skip")
    if any(s is not None and s < 0 for s in seeds):
        raise SpecError(f"reset: expected seeds of at least 0, got {seeds}; count from 0")
    return seeds


def _joiner(space: gymnasium.Space, num_worlds: int) -> Callable[[list], Tree]:
    """A function writing a list of single observations into one buffer made here."""
    if isinstance(space, spaces.Dict):
        parts = {k: _joiner(s, num_worlds) for k, s in space.items()}
        return lambda items: {k: part([x[k] for x in items]) for k, part in parts.items()}
    if isinstance(space, spaces.Tuple):
        members = [_joiner(s, num_worlds) for s in space]
        return lambda items: tuple(
            member([x[k] for x in items]) for k, member in enumerate(members)
        )
    buffer: Any = create_empty_array(space, num_worlds)
    if not isinstance(buffer, np.ndarray):
        return lambda items: concatenate(space, items, buffer)
    if buffer.ndim == 1:
        return lambda items: _fill(buffer, items)
    flat = buffer.reshape(-1, *buffer.shape[2:])

    def join(items: list) -> np.ndarray:
        np.concatenate(items, out=flat, casting="unsafe")
        return buffer

    return join


def _fill(buffer: np.ndarray, items: list) -> np.ndarray:
    buffer[:] = items
    return buffer


def _splitter(space: gymnasium.Space) -> Callable[[Tree], Any]:
    """A function giving one action per row, as Python ints where the space is discrete."""
    if not isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        return lambda actions: list(iterate(space, actions))
    shape, scalars = space.shape, len(space.shape) == 1

    def split(actions: Any) -> Any:
        if np.shape(actions) != shape:
            raise SpecError(f"step: expected actions of shape {shape}, got {np.shape(actions)}")
        return np.asarray(actions).tolist() if scalars else actions

    return split


def _listed(infos: list[dict]) -> dict[str, Any]:
    return {"infos": infos} if any(infos) else {}


def _copied(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
