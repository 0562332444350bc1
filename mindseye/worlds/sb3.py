"""Stable-Baselines3: our worlds as its VecEnv, so that its algorithms train in them unmodified."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from mindseye.core import tree
from mindseye.core.errors import MissingExtra, SpecError, WorldError
from mindseye.core.tree import Tree


def as_sb3(world: VectorEnv) -> Any:
    """A `stable_baselines3.common.vec_env.VecEnv` over a world.

    Ended rows are reset in the same step; their true last observation is in
    `infos[row]["terminal_observation"]`, and `infos[row]["TimeLimit.truncated"]` says whether
    they were only cut, so that values bootstrap correctly. Images stay (height, width, channel).

        PPO("MlpPolicy", as_sb3(flatten_observations(dream))).learn(10_000)

    Args:
        world: In `AutoresetMode.DISABLED`, with spaces that Stable-Baselines3 takes; see
            `flatten_observations` for those it does not.

    Raises:
        MissingExtra: If stable_baselines3 is not installed.
        WorldError: If the world resets by itself.
    """
    try:
        from stable_baselines3.common.vec_env import VecEnv
    except ImportError as error:
        raise MissingExtra("stable_baselines3", "peers") from error
    if world.metadata.get("autoreset_mode") is not AutoresetMode.DISABLED:
        raise WorldError(f"as_sb3: {world} resets by itself; hand over a world from make")

    class Sb3World(VecEnv):
        """A world under Stable-Baselines3's interface."""

        def __init__(self) -> None:
            # VecEnv's constructor asks for the render mode through get_attr.
            super().__init__(
                world.num_envs, world.single_observation_space, world.single_action_space
            )
            self._actions: Any = None

        def reset(self) -> Any:
            seeds = self._seeds if any(s is not None for s in self._seeds) else None
            observation, infos = world.reset(seed=seeds, options=self._shared_options())  # type: ignore[arg-type]
            self.reset_infos = _rows(infos, self.num_envs)
            self._reset_seeds()
            self._reset_options()
            return observation

        def step_async(self, actions: np.ndarray) -> None:
            self._actions = actions

        def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict]]:
            observation, rewards, terminated, truncated, infos = world.step(self._actions)
            ended = terminated | truncated
            listed = _rows(infos, self.num_envs)
            if ended.any():
                for row in np.flatnonzero(ended):
                    listed[row]["terminal_observation"] = tree.take(observation, int(row))
                    cut = bool(truncated[row] and not terminated[row])
                    listed[row]["TimeLimit.truncated"] = cut
                observation, reset_infos = world.reset(options={"reset_mask": ended.copy()})
                reset_rows = _rows(reset_infos, self.num_envs)
                for row in np.flatnonzero(ended):
                    self.reset_infos[row] = reset_rows[row]
            return observation, rewards.astype(np.float32), ended, listed

        def close(self) -> None:
            world.close()

        def get_images(self) -> Sequence[np.ndarray | None]:
            return list(world.render() or [None] * self.num_envs)  # type: ignore[arg-type]

        def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
            return [getattr(world, attr_name)] * len(list(self._get_indices(indices)))

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
            raise SpecError("as_sb3: rows share one world; set its attributes on the world itself")

        def env_method(
            self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
        ) -> list[Any]:
            raise SpecError("as_sb3: rows share one world; call its methods on the world itself")

        def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
            return [False] * len(list(self._get_indices(indices)))

        def _shared_options(self) -> dict | None:
            first = self._options[0]
            if any(options != first for options in self._options):
                raise SpecError(
                    "as_sb3: options must be the same for all rows; reset with one dict"
                )
            return first or None

    return Sb3World()


def _rows(infos: dict[str, Any], num_worlds: int) -> list[dict[str, Tree]]:
    """One dict per row, as Stable-Baselines3 wants them."""
    listed = [dict(info) for info in infos.get("infos", [{}] * num_worlds)]
    for key, value in infos.items():
        if key != "infos" and not key.startswith("_"):
            for row in range(num_worlds):
                listed[row][key] = value[row]
    return listed
