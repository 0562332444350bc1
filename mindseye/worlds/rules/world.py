"""`RulesWorld`, which makes a batch of parallel worlds out of `Rules`.

Surprising: finished rows do not restart by themselves. Until they are reset they stand still: the
last observation again, reward 0, the same `terminated` and `truncated`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from mindseye.core.errors import ConfigError, WorldError
from mindseye.core.protocols import Snapshots
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.worlds.rules.randomness import Draws, episode_keys, row_keys
from mindseye.worlds.rules.rules import Rules, State, put_rows, take_rows


@dataclass(frozen=True)
class Rows:
    """Where every row stands in its seed and its episode; arrays of shape (rows,)."""

    keys: np.ndarray
    """uint64, from the seed."""
    episodes: np.ndarray
    """int64, episodes since the seed was given."""
    episode_keys: np.ndarray
    """uint64, from the two above."""
    steps: np.ndarray
    """int64, steps of the running episode."""
    terminated: np.ndarray
    truncated: np.ndarray
    started: np.ndarray


@dataclass(frozen=True)
class Moment:
    """One moment of all sub-worlds, random numbers to come included."""

    state: State
    rows: Rows


class RulesWorld(gymnasium.vector.VectorEnv, Snapshots):
    """A batch of small worlds, stepped together. It never resets unless asked.

    Each row depends only on its own seed: row i of `reset(seed=s)` on (s, i), and row i of
    `reset(seed=[...])` on the i-th number alone. `reset(seed=s)` of a single world equals
    `reset(seed=[s])`. A loaded moment replays the same luck if the actions are the same.

        world = RulesWorld(Ring(), num_worlds=2)
        observation, _ = world.reset(seed=[3, 5])
        observation, reward, terminated, truncated, _ = world.step(np.array([1, 0]))
        world.reset(options={"reset_mask": terminated | truncated})

    Args:
        rules: What happens.
        num_worlds: Rows.
        max_steps: Truncates episodes; replaces the rules' own limit.
    """

    render_mode = "rgb_array"

    def __init__(self, rules: Rules, num_worlds: int, *, max_steps: int | None = None):
        if num_worlds < 1:
            raise ConfigError(f"num_worlds: expected at least 1, got {num_worlds}")
        if max_steps is not None and max_steps < 1:
            raise ConfigError(f"max_steps: expected at least 1, got {max_steps}")
        self.metadata = {
            "autoreset_mode": AutoresetMode.DISABLED,
            "render_modes": ["rgb_array"],
            "render_fps": 10,
        }
        self.rules, self.num_envs = rules, num_worlds
        self.max_steps = rules.max_steps if max_steps is None else max_steps
        self.single_observation_space = rules.observation_space
        self.single_action_space = rules.action_space
        self.observation_space = batch_space(rules.observation_space, num_worlds)
        self.action_space = batch_space(rules.action_space, num_worlds)
        zeros = np.zeros(num_worlds, np.int64)
        keys, flags = zeros.astype(np.uint64), zeros.astype(bool)
        self._rows = Rows(keys, zeros, keys.copy(), zeros.copy(), flags, flags.copy(), flags.copy())
        self._state: State = None

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | np.ndarray | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> tuple[Tree, dict[str, Any]]:
        """Start episodes in all rows, or in those where `options["reset_mask"]` is true.

        Args:
            seed: One number for the batch, one per row (None keeps that row's stream), or None to
                go on with the rows' streams.
            options: Only `reset_mask`, bool, shape (num_envs,). Left as it is.

        Raises:
            WorldError: If the mask or the seeds do not fit, or a row was never started.
        """
        mask = self._mask(options)
        self._reseed(seed, mask)
        rows = self._rows
        rows.episode_keys[mask] = episode_keys(rows.keys[mask], rows.episodes[mask])
        rows.steps[mask], rows.terminated[mask], rows.truncated[mask] = 0, False, False
        if mask.any():
            first = self.rules.start(Draws(rows.episode_keys[mask], rows.steps[mask]))
            if mask.all():
                self._state = first
            else:
                put_rows(self._state, mask, first)
        return self.rules.observe(self._state), {}

    def step(
        self, actions: np.ndarray | Sequence[str]
    ) -> tuple[Tree, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One action per row; finished rows stand still. Vectors are clipped to their bounds.

        Raises:
            WorldError: If a row was never reset, no such choice exists, a number is infinite, or
                there is not one text per row where the world is spoken to.
        """
        actions = self._checked(actions)
        rows, before = self._rows, self._state
        still = rows.terminated | rows.truncated
        rows.steps[:] += ~still
        draws = Draws(rows.episode_keys, rows.steps)
        self._state, reward, terminated = self.rules.transition(before, actions, draws)
        infos: dict[str, Any] = self.rules.measure(self._state)
        if still.any():
            put_rows(self._state, still, take_rows(before, still))
            reward, terminated = np.where(still, 0, reward), np.where(still, False, terminated)
            infos = {name: np.where(still, 0, value) for name, value in infos.items()}
        rows.terminated[:] |= terminated
        if self.max_steps is not None:
            rows.truncated[:] = (rows.steps >= self.max_steps) & ~rows.terminated
        for name in list(infos):
            infos["_" + name] = ~still
        observation = self.rules.observe(self._state)
        reward = reward.astype(np.float32, copy=False)
        return observation, reward, rows.terminated.copy(), rows.truncated.copy(), infos

    def render(self) -> tuple[np.ndarray, ...]:
        """One uint8 image of shape (height, width, 3) per row."""
        if self._state is None:
            raise WorldError("render: nothing to see yet; call reset first")
        return tuple(self.rules.picture(self._state))

    def save(self) -> Moment:
        """One moment of all sub-worlds; a copy."""
        if self._state is None:
            raise WorldError("save: there is no moment yet; call reset first")
        everything = np.arange(self.num_envs)
        return Moment(take_rows(self._state, everything), take_rows(self._rows, everything))

    def load(self, moment: Moment, which: np.ndarray) -> None:
        """Return to a moment of this or a like world; sub-world i takes row `which[i]` of it."""
        which = np.asarray(which)
        size = len(moment.rows.keys)
        if which.shape != (self.num_envs,) or which.dtype.kind not in "iu":
            raise WorldError(
                f"load: expected {self.num_envs} row numbers, got {which.dtype} {which.shape}"
            )
        if which.min() < 0 or which.max() >= size:
            raise WorldError(f"load: row numbers must lie in [0, {size}), got {which.tolist()}")
        self._state = take_rows(moment.state, which)
        self._rows = take_rows(moment.rows, which)

    def _mask(self, options: Mapping[str, Any] | None) -> np.ndarray:
        options = {} if options is None else options
        unknown = sorted(set(options) - {"reset_mask"})
        if unknown:
            raise WorldError(f"reset: unknown options {unknown}; only 'reset_mask' is understood")
        mask = np.asarray(options.get("reset_mask", np.ones(self.num_envs, bool)))
        if mask.shape != (self.num_envs,) or mask.dtype != bool:
            raise WorldError(
                f"reset: expected a bool reset_mask of shape ({self.num_envs},), "
                f"got {mask.dtype} {mask.shape}"
            )
        if not (mask | self._rows.started).all():
            raise WorldError("reset: some rows were never started; reset all of them first")
        return mask

    def _reseed(self, seed: int | Sequence[int | None] | np.ndarray | None, mask: np.ndarray):
        rows = self._rows
        fresh = mask & ~rows.started
        rows.episodes[mask] += 1
        if seed is None and fresh.any():
            seed = int(self.np_random.integers(2**63))
        if isinstance(seed, int | np.integer):
            keys = row_keys(np.full(self.num_envs, seed), np.arange(self.num_envs))
            rows.keys[mask], rows.episodes[mask] = keys[mask], 0
        elif seed is not None:
            if len(seed) != self.num_envs:
                raise WorldError(f"reset: expected {self.num_envs} seeds, got {len(seed)}")
            given = mask & np.array([number is not None for number in seed])
            if (fresh & ~given).any():
                raise WorldError("reset: a row without a stream got seed None; give it a number")
            numbers = np.array([0 if number is None else int(number) for number in seed])
            keys = row_keys(numbers, np.zeros(self.num_envs, np.int64))
            rows.keys[given], rows.episodes[given] = keys[given], 0
        rows.started[mask] = True

    def _checked(self, actions: np.ndarray | Sequence[str]) -> np.ndarray | list[str]:
        if self._state is None:
            raise WorldError("step: nothing to step yet; call reset first")
        space = self.rules.action_space
        if isinstance(space, Words):
            return self._checked_texts(actions)
        actions = np.asarray(actions)
        if isinstance(space, Box):
            return self._checked_numbers(actions, space)
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise WorldError(
                f"step: expected integer actions of shape ({self.num_envs},), "
                f"got {actions.dtype} {actions.shape}; does the agent return a batch?"
            )
        if actions.min() < 0 or actions.max() >= space.n:
            raise WorldError(
                f"step: actions must lie in [0, {space.n}), got {actions.min()} to {actions.max()}"
            )
        return actions

    def _checked_texts(self, actions: np.ndarray | Sequence[str]) -> list[str]:
        texts = [] if isinstance(actions, str) else list(actions)
        if len(texts) != self.num_envs or not all(isinstance(text, str) for text in texts):
            raise WorldError(
                f"step: expected {self.num_envs} texts, got {type(actions).__name__} of"
                f" {len(actions)}; does the agent return a list with one text per row?"
            )
        return texts

    def _checked_numbers(self, actions: np.ndarray, space: Box) -> np.ndarray:
        shape = (self.num_envs, *space.shape)
        if actions.shape != shape or actions.dtype.kind not in "iuf":
            raise WorldError(
                f"step: expected actions of shape {shape}, got {actions.dtype} {actions.shape}; "
                "does the agent return a batch?"
            )
        if not np.isfinite(actions).all():
            raise WorldError("step: an action is not finite; look at the agent that sent it")
        return np.clip(actions, space.low, space.high)
