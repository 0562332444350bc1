"""Branching: save a moment of a world, return to it, as often and in as many rows as needed.

Worlds that can do it themselves are left alone. Python environments are copied, and those that
cannot be copied are played again from their seed. `simulator.py` makes such a world a model.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from mindseye.core.errors import SpecError, WorldError
from mindseye.core.protocols import Snapshots
from mindseye.core.tree import Tree
from mindseye.worlds.vectorise import Row, Seeds, SerialWorlds, Step, mask_rows, row_seeds


def branchable(world: VectorEnv) -> VectorEnv:
    """The same world with `save` and `load` (the `Snapshots` protocol).

    Raises:
        WorldError: If the world neither branches by itself nor steps Python environments in this
            process.
    """
    if isinstance(world, Snapshots):
        return world
    if not isinstance(world, SerialWorlds):
        raise WorldError(f"branchable: cannot branch {world}; make it with vectorise='serial'")
    try:
        deepcopy(world.envs[0])
    except (TypeError, ValueError, NotImplementedError, AttributeError):
        return ReplayedWorlds(world)
    return CopiedWorlds(world)


class CopiedWorlds(VectorWrapper, Snapshots):
    """Branches by copying Python environments, once per row and step at most.

    A saved moment shares the environments until the next step needs its own.
    """

    def __init__(self, env: SerialWorlds):
        super().__init__(env)
        self.world = env
        self._shared = False

    def reset(
        self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """As the world's own."""
        self._own()
        return self.world.reset(seed=seed, options=options)

    def step(self, actions: Tree) -> Step:
        """As the world's own."""
        self._own()
        return self.world.step(actions)

    def save(self) -> list[Row]:
        """This moment of all rows."""
        self._shared = True
        return [self.world.row(index) for index in range(self.num_envs)]

    def load(self, moment: list[Row], which: np.ndarray) -> None:
        """Row i goes on from row `which[i]` of a moment of any world built alike."""
        for index, source in enumerate(_checked(which, self.num_envs)):
            self.world.put(index, moment[source])
        self._shared = True

    def _own(self) -> None:
        if not self._shared:
            return
        for index in range(self.num_envs):
            row = self.world.row(index)
            try:
                self.world.put(index, replace(row, env=deepcopy(row.env)))
            except (TypeError, ValueError) as error:
                raise WorldError(
                    f"{self.world.name}: row {index} cannot be copied any more ({error});"
                    " do not render it, or use ReplayedWorlds"
                ) from error
        self._shared = False


@dataclass(frozen=True)
class History:
    """How a row came to where it stands."""

    seed: int
    options: Mapping[str, Any]
    actions: tuple = ()


class ReplayedWorlds(VectorWrapper, Snapshots):
    """Branches by playing an episode again from its seed; exact, and as slow as it sounds.

    Resets without a seed are given one, so that they can be repeated.
    """

    def __init__(self, env: SerialWorlds, *, seed: int = 0):
        super().__init__(env)
        self.world = env
        self._rng = np.random.default_rng(seed)
        self._histories: list[History] = [History(0, {})] * self.num_envs

    def reset(
        self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """As the world's own, always seeded."""
        drawn = self._rng.integers(1 << 31, size=self.num_envs).tolist()
        given = row_seeds(seed, self.num_envs)
        seeds = [d if s is None else s for d, s in zip(drawn, given, strict=True)]
        rest = {k: v for k, v in (options or {}).items() if k != "reset_mask"}
        for row in mask_rows((options or {}).get("reset_mask"), self.num_envs):
            self._histories[row] = History(seeds[row], rest)
        return self.world.reset(seed=seeds, options=options)

    def step(self, actions: Tree) -> Step:
        """As the world's own, remembered."""
        before = [self.world.row(index).steps for index in range(self.num_envs)]
        result = self.world.step(actions)
        for index, action in enumerate(self.world.split(actions)):
            if self.world.row(index).steps > before[index]:
                history = self._histories[index]
                taken = (*history.actions, deepcopy(action))
                self._histories[index] = replace(history, actions=taken)
        return result

    def save(self) -> list[History]:
        """How all rows came here."""
        return list(self._histories)

    def load(self, moment: list[History], which: np.ndarray) -> None:
        """Row i goes on from row `which[i]` of a moment, played again."""
        for index, source in enumerate(_checked(which, self.num_envs)):
            history = moment[source]
            env = self.world.envs[index]
            observation, _ = env.reset(seed=history.seed, options=dict(history.options) or None)
            terminated = truncated = False
            for action in history.actions:
                observation, _, terminated, truncated, _ = env.step(deepcopy(action))
            steps = len(history.actions)
            self.world.put(index, Row(env, observation, bool(terminated), bool(truncated), steps))
            self._histories[index] = history


def _checked(which: np.ndarray, num_worlds: int) -> list[int]:
    if np.shape(which) != (num_worlds,):
        raise SpecError(f"load: expected which ({num_worlds},), got {np.shape(which)}")
    return np.asarray(which).tolist()
