"""Foreign vectorised environments made to skip rows that are done, as all our worlds do."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from mindseye.core import tree
from mindseye.core.errors import WorldError
from mindseye.core.tree import Tree
from mindseye.worlds.vectorise import Seeds, Step, mask_rows, row_seeds


class HoldDone(VectorWrapper):
    """Rows that are done keep their observation, with reward 0, until they are reset.

    Gymnasium's own vectorisers refuse to step such rows; underneath, they are reset and stepped
    along, and what they return is dropped.

    Args:
        env: Any `VectorEnv` in `AutoresetMode.DISABLED`.
        name: What error messages call this world.
    """

    def __init__(self, env: VectorEnv, *, name: str = "world"):
        super().__init__(env)
        self.name = name
        self._held = np.zeros(self.num_envs, np.bool_)
        self._stale = self._held.copy()
        self._last: tuple | None = None

    def reset(
        self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """Begin new episodes in all rows, or in those of `options["reset_mask"]`."""
        options = dict(options or {})
        rows = mask_rows(options.get("reset_mask"), self.num_envs)
        observation, infos = self.env.reset(seed=row_seeds(seed, self.num_envs), options=options)  # type: ignore[arg-type]
        if self._last is not None:
            self._held[rows] = self._stale[rows] = False
            if self._held.any():
                observation = tree.where(self._held, self._last[0], observation)
        flags = np.zeros(self.num_envs, np.bool_)
        terminated, truncated = self._last[1:] if self._last is not None else (flags, flags.copy())
        terminated[rows] = truncated[rows] = False
        self._last = (observation, terminated, truncated)
        return observation, infos

    def step(self, actions: Tree) -> Step:
        """Take one action per row; rows already done are skipped.

        Raises:
            WorldError: If the world fails or pays a reward that is not finite.
        """
        if self._last is None:
            raise WorldError(f"{self.name}: never reset; reset it before the first step")
        observation, rewards, terminated, truncated, infos = self._stepped(actions)
        self._stale = terminated | truncated
        if self._held.any():
            observation = tree.where(self._held, self._last[0], observation)
            rewards = np.where(self._held, 0.0, rewards)
            terminated = np.where(self._held, self._last[1], terminated)
            truncated = np.where(self._held, self._last[2], truncated)
        if not np.isfinite(rewards).all():
            row = int(np.flatnonzero(~np.isfinite(rewards))[0])
            raise WorldError(f"{self.name}: row {row} paid {rewards[row]}; rewards must be finite")
        self._held = terminated | truncated
        self._last = (observation, terminated.copy(), truncated.copy())
        return observation, rewards, terminated, truncated, infos

    def _stepped(self, actions: Tree) -> Step:
        try:
            if self._stale.any():
                # The inner vectoriser removes the mask from this dict.
                self.env.reset(options={"reset_mask": self._stale.copy()})
            return self.env.step(actions)
        except Exception as error:
            cause = f"{type(error).__name__}: {error}".splitlines()[0]
            raise WorldError(f"{self.name}: failed ({cause}); mend the world") from error
