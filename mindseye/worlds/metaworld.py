"""Meta-World's arm: 50 tasks under names like "metaworld/button-press-v3"; extra `metaworld`.

Success is an event here: it pays 1 and terminates, everything else pays 0.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.errors import MissingExtra, WorldError

PREFIX = "metaworld/"
NUMBERS, ACTIONS, LIMIT = 39, 4, 500
"""Observed, acted with, and steps of an episode at most."""


def build_task(name: str, *, render_mode: str | None = None, max_steps: int | None = None) -> Any:
    """One arm at one task.

    Raises:
        MissingExtra: If Meta-World is not installed.
        WorldError: If there is no such task.
    """
    try:
        import metaworld
    except ImportError as error:
        raise MissingExtra("metaworld", "metaworld") from error
    task, known = name.removeprefix(PREFIX), metaworld.ALL_V3_ENVIRONMENTS  # pyright: ignore
    if task not in known:
        raise WorldError(f"make: no task {task!r} in Meta-World; choose from {sorted(known)}")
    env = MetaWorld(task, known[task], render_mode)
    return gymnasium.wrappers.TimeLimit(env, max_steps or LIMIT)


class MetaWorld(gymnasium.Env):
    """A task whose goal is drawn anew with every episode; numbers as observations."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, task: str, kind: Any, render_mode: str | None = None):
        self.task, self.render_mode = task, render_mode
        self.env = kind(render_mode=render_mode)
        # goals come from the seed of reset, are seen, and differ from episode to episode
        self.env._freeze_rand_vec, self.env.seeded_rand_vec = False, True
        self.env._set_task_called, self.env._partially_observable = True, False
        self.env.max_path_length = np.inf
        self.observation_space = spaces.Box(-np.inf, np.inf, (NUMBERS,), np.float32)
        self.action_space = spaces.Box(-1, 1, (ACTIONS,), np.float32)
        self.state = np.zeros(NUMBERS)
        """The last observation, float64: what a scripted expert reads, whatever is shown."""

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """Draw a goal and begin."""
        super().reset(seed=seed)
        if seed is not None:
            self.env.seed(seed)
        self.state, _ = self.env.reset()
        return self.state.astype(np.float32), {}

    def step(self, action: np.ndarray) -> tuple:
        """Pays 1 and terminates on success."""
        self.state, _, _, _, info = self.env.step(np.clip(action, -1, 1).astype(np.float32))
        done = bool(info["success"])
        return self.state.astype(np.float32), float(done), done, False, {}

    def render(self) -> Any:
        """A frame."""
        return self.env.render()

    def close(self) -> None:
        """Let go of the simulator."""
        self.env.close()
