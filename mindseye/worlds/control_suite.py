"""DeepMind's control suite under names like "control/point_mass-easy"; extra `suite`.

All rows share one model and are told apart by their states alone, so moments can be saved, rows put
anywhere, and thousands of them stepped. Tasks that draw their model anew with every episode (a
target's place, the length of a limb) are refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from mindseye.core.errors import ConfigError, MissingExtra, WorldError
from mindseye.core.tree import Tree
from mindseye.worlds.mujoco_view import MujocoView, mujoco, no_graphics
from mindseye.worlds.rules.placing import Placeable
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.world import RulesWorld

PREFIX = "control/"
LIMIT, LARGE = 1_000, 128
"""Steps of an episode in this suite; pixels per side of pictures for people."""


@dataclass(frozen=True)
class ControlState:
    """Rows of a world of the suite."""

    physics: np.ndarray
    """float64 (rows, numbers): time, positions, velocities, activations."""
    action: np.ndarray
    """float64 (rows, actions): the last one, which some rewards depend on."""


def build(
    name: str,
    num_worlds: int,
    *,
    observation: str | None = None,
    max_steps: int | None = None,
    size: int = 64,
    repeat: int = 1,
) -> RulesWorld:
    """The task of that name, many times over.

    Args:
        name: "control/DOMAIN-TASK".
        num_worlds: Rows of the batch.
        observation: "state" (the default), or "pixels" of the first camera.
        max_steps: Steps until an episode is truncated; None: 1,000 of the suite's own.
        size: Pixels per side of pictures.
        repeat: Steps of the task, under the same command, that make one step of the world; the
            reward is that of the last.

    Raises:
        MissingExtra: If the suite is not installed.
        WorldError: If there is no such task, it draws its model anew, or nothing can be drawn here.
        ConfigError: If an option has an impossible value.
    """
    rules = ControlSuite(name, observation=observation or "state", size=size, repeat=repeat)
    return RulesWorld(rules, num_worlds, max_steps=max_steps)


class ControlSuite(Placeable):
    """One task of the suite as rules; arguments and errors as of `build`."""

    def __init__(self, name: str, *, observation: str = "state", size: int = 64, repeat: int = 1):
        if observation not in ("state", "pixels"):
            raise ConfigError(f"{name}: no observation {observation!r}; choose state or pixels")
        if repeat < 1 or size < 16:
            raise ConfigError(
                f"{name}: expected repeat from 1 and size from 16, got {repeat, size}"
            )
        env = _load(name)
        self._task, self._physics = env.task, env.physics
        self._model, self._data = env.physics.model.ptr, env.physics.data.ptr
        self._substeps = round(env.control_timestep() / self._model.opt.timestep) * repeat
        self._refuse_changing_models(name)
        self.max_steps = -(-LIMIT // repeat)
        kinds = (("position", self._model.nq), ("velocity", self._model.nv))
        self.numbers = tuple(f"{kind}_{i}" for kind, count in kinds for i in range(count))
        low, high = env.action_spec().minimum, env.action_spec().maximum
        self.action_space = Box(low.astype(np.float32), high.astype(np.float32))
        self.observation_space = Box(-np.inf, np.inf, self._read().shape, np.float32)
        self._view: MujocoView | None = None
        if observation == "pixels":
            self._view = MujocoView(self._model, size=size)
            self.observation_space = Box(0, 255, (size, size, 3), np.uint8)

    def start(self, draws: Draws) -> ControlState:
        """As the task begins its episodes."""
        rows = [self._begin(int(seed)) for seed in draws.integers(2**31, 1)[:, 0]]
        return ControlState(np.stack(rows), np.zeros((len(rows), self._model.nu)))

    def transition(
        self, state: ControlState, action: np.ndarray, draws: Draws
    ) -> tuple[ControlState, np.ndarray, np.ndarray]:
        """MuJoCo's own; a task that ends with discount 0 terminates."""
        action = np.asarray(action, np.float64)
        states, _ = mujoco().rollout.rollout(
            self._model, self._data, state.physics, action[:, None], nstep=self._substeps
        )
        after = ControlState(states[:, -1].copy(), action)
        told = [(self._task.get_reward(p), self._task.get_termination(p)) for p in self._at(after)]
        reward = np.array([paid for paid, _ in told], np.float32)
        return after, reward, np.array([discount == 0 for _, discount in told])

    def observe(self, state: ControlState) -> Tree:
        """Numbers or pictures."""
        if self._view is not None:
            return self._shown(self._view, state)
        return np.stack([self._read() for _ in self._at(state)])

    def measure(self, state: ControlState) -> dict[str, np.ndarray]:
        """Nothing."""
        return {}

    def picture(self, state: ControlState) -> np.ndarray:
        """128 pixels wide and high."""
        return self._shown(self._large, state)

    def vector(self, state: ControlState) -> np.ndarray:
        """Positions, then velocities, in MuJoCo's units."""
        return state.physics[:, 1 : 1 + len(self.numbers)].copy()

    def from_vector(self, vector: np.ndarray) -> ControlState:
        """At time 0, with no muscle tense and nothing commanded."""
        physics = np.zeros((len(vector), 1 + len(self.numbers) + self._model.na))
        physics[:, 1 : 1 + len(self.numbers)] = vector
        return ControlState(physics, np.zeros((len(vector), self._model.nu)))

    @cached_property
    def _large(self) -> MujocoView:
        return MujocoView(self._model, size=LARGE)

    def _shown(self, view: MujocoView, state: ControlState) -> np.ndarray:
        return np.stack([view.frame(self._data) for _ in self._at(state)])

    def _at(self, state: ControlState) -> Iterator[Any]:
        """The physics, put where one row after the other is."""
        library = mujoco()
        kind = library.mjtState.mjSTATE_FULLPHYSICS
        for physics, action in zip(state.physics, state.action, strict=True):
            library.mj_setState(self._model, self._data, physics, kind)
            self._data.ctrl[:], self._data.qacc_warmstart[:] = action, 0
            library.mj_forward(self._model, self._data)
            yield self._physics

    def _read(self) -> np.ndarray:
        parts = self._task.get_observation(self._physics).values()
        return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)

    def _begin(self, seed: int) -> np.ndarray:
        library = mujoco()
        self._task.random.seed(seed)
        with self._physics.reset_context():
            self._task.initialize_episode(self._physics)
        kind = library.mjtState.mjSTATE_FULLPHYSICS
        physics = np.empty(library.mj_stateSize(self._model, kind))
        library.mj_getState(self._model, self._data, physics, kind)
        return physics

    def _refuse_changing_models(self, name: str) -> None:
        library = mujoco()
        looks = []
        for seed in (0, 1):
            self._begin(seed)
            look = np.zeros(library.mj_sizeModel(self._model), np.uint8)
            library.mj_saveModel(self._model, None, look)
            looks.append(look)
        if not np.array_equal(*looks):
            raise WorldError(
                f"{name}: draws its model anew for every episode, but rows share one; choose"
                " another task, such as 'control/point_mass-easy'"
            )


def _load(name: str) -> Any:
    mujoco()
    try:
        from dm_control import suite
    except ModuleNotFoundError as error:
        raise MissingExtra("dm_control", "suite") from error
    except (AttributeError, ImportError, OSError, RuntimeError) as error:
        raise no_graphics(error) from error
    known = {f"{PREFIX}{domain}-{task}": (domain, task) for domain, task in suite.ALL_TASKS}
    if name not in known:
        raise WorldError(f"make: no task {name!r} in the control suite; choose from {list(known)}")
    return suite.load(*known[name], task_kwargs={"random": 0})
