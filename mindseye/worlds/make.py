"""The one door to worlds: whatever can be stepped, batched, and in the mode where nothing resets.

world = make("CartPole-v1", num_worlds=8)
world = make("MiniGrid-DoorKey-5x5-v0", num_worlds=8, observation="pixels")
"""

import difflib
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, VectorEnv

from mindseye.core.errors import ConfigError, MissingExtra, WorldError
from mindseye.worlds import alfworld, metaworld, minigrid, scienceworld
from mindseye.worlds.crafter import Crafter
from mindseye.worlds.hold import HoldDone
from mindseye.worlds.pixels import Pixels
from mindseye.worlds.textworld import TextWorld
from mindseye.worlds.vectorise import SerialWorlds

_EXTRAS = {
    "minigrid": "grid",
    "ale_py": "atari",
    "vizdoom": "doom",
    "mujoco": "mujoco",
    "imageio": "mujoco",
    "pygame": "control",
    "Box2D": "control",
}
_OWN = ("grid/", "minicraft/", "tabletop/", "scenes/", "control/", "text/", "puzzles/")
_PREFIXES = {"MiniGrid": "minigrid", "BabyAI": "minigrid", "ALE/": "ale_py", "vizdoom": "vizdoom"}


def make(
    world: str | Callable[[], gymnasium.Env] | VectorEnv,
    num_worlds: int = 1,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    vectorise: Literal["serial", "async"] = "serial",
    **options: Any,
) -> VectorEnv:
    """Anything you can step, as `num_worlds` rows in `AutoresetMode.DISABLED`.

    Args:
        world: A Gymnasium id, "crafter", "metaworld/TASK", "control/DOMAIN-TASK", "textworld",
            "scienceworld/TASK", "alfworld/TASK", one of our own names (docs/worlds.md, such as
            "grid/ring-48" or "puzzles/sokoban"), a callable giving a `gymnasium.Env`, or a
            `VectorEnv` that does not reset by itself.
        num_worlds: Rows stepped together; ignored for a `VectorEnv`, which has its own.
        observation: "pixels" shows 64x64 uint8 frames (height, width, channel) instead of the
            world's own observation. MiniGrid also has "symbols" (its default) and "text", Crafter
            "text".
        max_steps: Truncate episodes after this many steps. MiniGrid is handed it as its own limit,
            which also scales its reward.
        vectorise: "serial" steps all rows in this process; "async" gives each its own process,
            which pays from about 10 microseconds per step.
        **options: Handed to the environment's constructor.

    Raises:
        WorldError: If the name is unknown (near matches are listed), the environment cannot be
            built, or a `VectorEnv` resets by itself.
        MissingExtra: If the package of a known family is not installed.
        ConfigError: If an option cannot be honoured.
    """
    if isinstance(world, VectorEnv):
        return _existing(world, observation, max_steps, options)
    if num_worlds < 1:
        raise ConfigError(f"make: expected num_worlds of at least 1, got {num_worlds}")
    if isinstance(world, str) and world.startswith(_OWN):
        return _own(world, num_worlds, observation, max_steps, options)
    factory = _factory(world, observation, max_steps, options)
    name = world if isinstance(world, str) else getattr(world, "__name__", "world")
    factories = [factory] * num_worlds
    if vectorise == "serial":
        return SerialWorlds(factories, name=name)
    if vectorise == "async":
        asynchronous = AsyncVectorEnv(factories, autoreset_mode=AutoresetMode.DISABLED)
        return HoldDone(asynchronous, name=name)
    raise ConfigError(f"make: no vectorise {vectorise!r}; choose serial or async")


def _own(
    name: str, num_worlds: int, observation: str | None, max_steps: int | None, options: dict
) -> VectorEnv:
    from mindseye.worlds import control_suite, grids, minicraft, puzzles, scenes, tabletop, text

    families = {
        "grid/": grids,
        "minicraft/": minicraft,
        "tabletop/": tabletop,
        "scenes/": scenes,
        "control/": control_suite,
        "text/": text,
        "puzzles/": puzzles,
    }
    build = families[name[: name.index("/") + 1]].build
    return build(name, num_worlds, observation=observation, max_steps=max_steps, **options)


def _existing(
    world: VectorEnv, observation: str | None, max_steps: int | None, options: dict
) -> VectorEnv:
    if observation is not None or max_steps is not None or options:
        raise ConfigError("make: a VectorEnv is taken as it is; build it with these options")
    mode = world.metadata.get("autoreset_mode")
    if mode is not AutoresetMode.DISABLED:
        raise WorldError(
            f"{type(world).__name__}: expected autoreset_mode DISABLED, got {mode}; build it with"
            " autoreset_mode=AutoresetMode.DISABLED so that true last observations survive"
        )
    if isinstance(world.unwrapped, gymnasium.vector.SyncVectorEnv | AsyncVectorEnv):
        return HoldDone(world, name=type(world).__name__)
    return world


def _factory(
    world: str | Callable[[], gymnasium.Env],
    observation: str | None,
    max_steps: int | None,
    options: dict,
) -> Callable[[], gymnasium.Env]:
    if isinstance(world, str):
        if world.startswith(("MiniGrid", "BabyAI")):
            return _minigrid(world, observation or "symbols", max_steps, options)
        if world == "crafter":
            face, limit = observation or "pixels", max_steps or 10_000
            return lambda: Crafter(observation=face, max_steps=limit, **options)
        if world == "textworld" or world.startswith((scienceworld.PREFIX, alfworld.PREFIX)):
            return _spoken(world, observation or "text", max_steps, options)
        if world.startswith(metaworld.PREFIX):
            frames = "rgb_array" if observation == "pixels" else None
            options, max_steps = {"render_mode": frames, "max_steps": max_steps, **options}, None
            world = partial(metaworld.build_task, world)
    if isinstance(world, str):
        build = _registered(world, observation, max_steps, options)
    else:
        build = _called(world, max_steps, options)
    if observation is None:
        return build
    if observation != "pixels":
        raise ConfigError(f"make: no observation {observation!r} for {world}; choose pixels")
    return lambda: Pixels(build())


def _spoken(
    name: str, observation: str, max_steps: int | None, options: dict
) -> Callable[[], gymnasium.Env]:
    if observation != "text":
        raise ConfigError(f"make: no observation {observation!r} for {name}; it has only text")
    if max_steps is not None:
        options = {**options, "max_steps": max_steps}
    if name == "textworld":
        return lambda: TextWorld(**options)
    family, _, task = name.partition("/")
    spoken = {"alfworld": alfworld.AlfWorld, "scienceworld": scienceworld.ScienceWorld}[family]
    return lambda: spoken(task, **options)


def _registered(
    name: str, observation: str | None, max_steps: int | None, options: dict
) -> Callable[[], gymnasium.Env]:
    spec = _spec(name)
    arguments = dict(options)
    if observation == "pixels":
        arguments.setdefault("render_mode", "rgb_array")
    if max_steps is not None:
        arguments["max_episode_steps"] = max_steps
    return lambda: _build(name, spec, arguments)


def _minigrid(
    name: str, observation: str, max_steps: int | None, options: dict
) -> Callable[[], gymnasium.Env]:
    minigrid.register_names()
    spec = _spec(name)
    arguments = dict(options)
    if max_steps is not None:
        arguments["max_steps"] = max_steps
    return lambda: minigrid.MiniGrid(_build(name, spec, arguments), observation)


def _called(
    factory: Callable[[], gymnasium.Env], max_steps: int | None, options: dict
) -> Callable[[], gymnasium.Env]:
    if max_steps is None:
        return lambda: factory(**options)
    return lambda: gymnasium.wrappers.TimeLimit(factory(**options), max_steps)


def _spec(name: str) -> EnvSpec:
    """Gymnasium's specification, without the per-step checks that our own vectoriser makes."""
    try:
        spec = deepcopy(gymnasium.spec(name))
    except gymnasium.error.Error as error:
        package = next((p for prefix, p in _PREFIXES.items() if name.startswith(prefix)), None)
        if package is not None and find_spec(package) is None:
            raise MissingExtra(package, _EXTRAS[package]) from error
        near = difflib.get_close_matches(name, _names(), n=5, cutoff=0.5)
        known = f"near matches: {', '.join(near)}" if near else "see gymnasium.pprint_registry()"
        raise WorldError(f"make: no world named {name!r}; {known}") from error
    spec.order_enforce, spec.disable_env_checker = False, True
    return spec


def _names() -> list[str]:
    """Every id Gymnasium knows now."""
    return sorted(gymnasium.registry)


def _build(name: str, spec: Any, arguments: dict) -> gymnasium.Env:
    try:
        return gymnasium.make(spec, **arguments)
    except (gymnasium.error.DependencyNotInstalled, ModuleNotFoundError) as error:
        package = _missing(error)
        if package is None:
            raise WorldError(f"make: {name} needs a package ({error}); install it") from error
        raise MissingExtra(package, _EXTRAS[package]) from error
    except (gymnasium.error.Error, TypeError, ValueError) as error:
        cause = str(error).splitlines()[0]
        raise WorldError(f"make: {name} cannot be built ({cause}); see its options") from error


def _missing(error: Exception) -> str | None:
    text = f"{error} {error.__cause__ or ''}".lower()
    return next((package for package in _EXTRAS if package.lower() in text), None)
