"""Frames as observations."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mindseye.core.errors import WorldError

SIZE = 64


class Pixels(gymnasium.Wrapper):
    """Shows an environment's rendered frames as its observations, uint8 (64, 64, 3).

    Args:
        env: An environment built with `render_mode="rgb_array"`.

    Raises:
        WorldError: If it renders nothing.
    """

    def __init__(self, env: gymnasium.Env):
        super().__init__(env)
        if env.render_mode != "rgb_array":
            raise WorldError(
                f"{env}: expected render_mode rgb_array, got {env.render_mode};"
                " build it so that it renders frames"
            )
        self.observation_space = spaces.Box(0, 255, (SIZE, SIZE, 3), np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """First frame."""
        _, info = self.env.reset(seed=seed, options=options)
        return self._frame(), info

    def step(self, action: Any) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        """Next frame."""
        _, reward, terminated, truncated, info = self.env.step(action)
        return self._frame(), reward, terminated, truncated, info

    def _frame(self) -> np.ndarray:
        from PIL import Image

        frame: Any = self.env.render()
        if frame.shape == (SIZE, SIZE, 3):
            return frame
        return np.asarray(Image.fromarray(frame).resize((SIZE, SIZE), Image.Resampling.BOX))
