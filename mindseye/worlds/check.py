"""The contract of worlds as something to run: hand over your world, read the first thing amiss."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from mindseye.core import tree
from mindseye.core.errors import SpecError, WorldError
from mindseye.core.protocols import Snapshots
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree


def check_world(world: VectorEnv, *, steps: int = 60, seed: int = 0) -> None:
    """Check that a world keeps the house rules, by stepping it at random.

    The mode is DISABLED; observations, rewards and flags have the promised shapes and types, and
    are finite; equal seeds and actions give equal episodes; row i depends on its own seed alone;
    a mask resets only its rows and options are left as they were; rows that are done keep their
    last observation and pay nothing until they are reset.

    Args:
        world: It is reset and stepped, but not closed.
        steps: How far each of the trials goes.
        seed: Of resets and actions.

    Raises:
        SpecError: If something has another shape, type or range than the spaces promise.
        WorldError: If the world behaves otherwise than it must.
    """
    name = _name(world)
    mode = world.metadata.get("autoreset_mode")
    if mode is not AutoresetMode.DISABLED:
        raise WorldError(
            f"{name}: expected autoreset_mode DISABLED, got {mode}; build it with make"
        )
    with torch.random.fork_rng(devices=[]):
        first = _play(world, steps, seed)
        for step, (before, after) in enumerate(zip(first, _play(world, steps, seed), strict=True)):
            if not _same(before, after):
                raise WorldError(
                    f"{name}: the same seed and actions differ at step {step};"
                    " draw all randomness from the seed of reset"
                )
        _check_seeds(world, name, seed)
        _check_mask(world, name, seed)
        _check_done_rows(world, name, seed, steps)


def check_snapshot(world: VectorEnv, *, steps: int = 20, seed: int = 0) -> None:
    """Check that a world returns to saved moments exactly, row by row.

    Raises:
        WorldError: If it has no snapshots, or another future after `load`.
    """
    name = _name(world)
    branching: Any = world
    if not issubclass(type(world), Snapshots):
        raise WorldError(f"{name}: has no save and load; wrap it with branchable")
    rows = np.arange(world.num_envs)
    with torch.random.fork_rng(devices=[]):
        _play(world, 3, seed)
        moment = branching.save()
        future = _steps(world, steps, seed)
        branching.load(moment, rows)
        if not _same(future, _steps(world, steps, seed)):
            raise WorldError(f"{name}: the future differs after load; save all of the state")
        actions = _actions(world, 1, seed)[0]
        branching.load(moment, rows)
        straight = world.step(actions)
        which = rows[::-1].copy()
        branching.load(moment, which)
        crossed = world.step(tree.take(actions, which))
        for part, (expected, got) in enumerate(zip(straight[:4], crossed[:4], strict=True)):
            if not _same(tree.take(expected, which), got):
                what = ("observations", "rewards", "terminated", "truncated")[part]
                raise WorldError(
                    f"{name}: {what} differ after rows changed places;"
                    " which[i] is the row of the moment that row i takes"
                )


def _check_seeds(world: VectorEnv, name: str, seed: int) -> None:
    seeds = [seed + row for row in range(world.num_envs)]
    straight, crossed = _seeded(world, seeds), _seeded(world, seeds[::-1])
    if not _same(straight, tree.take(crossed, slice(None, None, -1))):
        raise WorldError(
            f"{name}: a row's start depends on other rows' seeds; seed rows one by one"
        )


def _check_mask(world: VectorEnv, name: str, seed: int) -> None:
    _seeded(world, seed)
    before = world.step(_actions(world, 1, seed)[0])[0]
    mask = np.arange(world.num_envs) == 0
    options = {"reset_mask": mask.copy()}
    kept = dict(options)
    after, _ = world.reset(seed=[None] * world.num_envs, options=options)  # type: ignore[arg-type]
    if options.keys() != kept.keys() or not np.array_equal(options["reset_mask"], mask):
        raise WorldError(f"{name}: reset changed the caller's options; copy them first")
    _check_observation(world, name, after)
    if not _same(tree.take(before, ~mask), tree.take(after, ~mask)):
        raise WorldError(
            f"{name}: a reset mask touched rows it does not name; keep them as they are"
        )


def _check_done_rows(world: VectorEnv, name: str, seed: int, steps: int) -> None:
    _seeded(world, seed)
    last, done = None, np.zeros(world.num_envs, np.bool_)
    for actions in _actions(world, steps, seed):
        observation, rewards, terminated, truncated, _ = world.step(actions)
        if done.any():
            if not _same(tree.take(observation, done), tree.take(last, done)):
                raise WorldError(
                    f"{name}: a done row moved on before it was reset; keep its last observation"
                )
            if rewards[done].any():
                raise WorldError(f"{name}: a done row was paid before it was reset; pay 0")
        done = done | terminated | truncated
        last = tree.map_tree(_copied, observation)


def _play(world: VectorEnv, steps: int, seed: int) -> list:
    """An episode's worth of random steps, ended rows being reset, all of it checked."""
    observation = _seeded(world, seed)
    _check_observation(world, _name(world), observation)
    return [observation, *_steps(world, steps, seed)]


def _steps(world: VectorEnv, steps: int, seed: int) -> list:
    torch.manual_seed(seed)
    name, seen = _name(world), []
    for step, actions in enumerate(_actions(world, steps, seed)):
        observation, rewards, terminated, truncated, _ = world.step(actions)
        _check_observation(world, name, observation)
        _check_numbers(world, name, step, rewards, terminated, truncated)
        seen.append((tree.map_tree(_copied, observation), rewards, terminated, truncated))
        done = terminated | truncated
        if done.any():
            seeds = [seed + step + row if ended else None for row, ended in enumerate(done)]
            world.reset(seed=seeds, options={"reset_mask": done})  # type: ignore[arg-type]
    return seen


def _seeded(world: VectorEnv, seed: Any) -> Tree:
    torch.manual_seed(0)
    return tree.map_tree(_copied, world.reset(seed=seed)[0])


def _actions(world: VectorEnv, steps: int, seed: int) -> list:
    world.action_space.seed(seed)
    return [world.action_space.sample() for _ in range(steps)]


def _check_numbers(
    world: VectorEnv,
    name: str,
    step: int,
    rewards: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
) -> None:
    shape = (world.num_envs,)
    for what, array, kind in (
        ("rewards", rewards, "f"),
        ("terminated", terminated, "b"),
        ("truncated", truncated, "b"),
    ):
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind != kind:
            wanted = "float" if kind == "f" else "bool"
            got = f"{getattr(array, 'dtype', type(array).__name__)} {np.shape(array)}"
            raise SpecError(f"{name}: expected {what} {wanted} {shape}, got {got}; batch it")
    if not np.isfinite(rewards).all():
        row = int(np.flatnonzero(~np.isfinite(rewards))[0])
        raise WorldError(
            f"{name}: row {row} paid {rewards[row]} at step {step}; pay finite rewards"
        )


def _check_observation(world: VectorEnv, name: str, observation: Tree) -> None:
    _check_leaf(world.single_observation_space, observation, world.num_envs, f"{name}: observation")


def _check_leaf(space: gymnasium.Space, leaf: Any, rows: int, where: str) -> None:
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts: Mapping = dict(space.items() if isinstance(space, spaces.Dict) else enumerate(space))
        names = list(leaf) if isinstance(leaf, dict) else list(range(len(leaf)))
        if set(names) != set(parts):
            raise SpecError(f"{where}: expected parts {list(parts)}, got {names}; return them all")
        for part, inner in parts.items():
            _check_leaf(inner, leaf[part], rows, f"{where}.{part}")
    elif isinstance(space, Words):
        if not isinstance(leaf, list) or len(leaf) != rows or not all(map(space.contains, leaf)):
            raise SpecError(f"{where}: expected a list of {rows} texts; got {type(leaf).__name__}")
    else:
        shape = (rows, *(space.shape or ()))
        if not isinstance(leaf, np.ndarray) or leaf.shape != shape or leaf.dtype != space.dtype:
            got = f"{getattr(leaf, 'dtype', type(leaf).__name__)} {np.shape(leaf)}"
            raise SpecError(f"{where}: expected {space.dtype} {shape}, got {got}; mend the space")
        for row in range(rows):
            if not space.contains(leaf[row]):
                raise SpecError(f"{where}: row {row} is not in {space}; mend its bounds")


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return np.array_equal(first, second)


def _copied(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _name(world: VectorEnv) -> str:
    return getattr(world, "name", type(world).__name__)
