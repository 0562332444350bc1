"""A world model, stepped like any other world.

One model call per batch step; tensors inside, NumPy outside. The dream draws its starts and its
ends from its own seeded numbers, row by row; a model that samples does so from torch's global
generator, which `torch.manual_seed` seeds.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from mindseye.core import tree
from mindseye.core.errors import ConfigError, ModelError, SpecError, WorldError
from mindseye.core.protocols import Prediction, Snapshots, WorldModel
from mindseye.core.tree import Tree
from mindseye.worlds.border import action_reader, number, observation_writer
from mindseye.worlds.noise import uniform
from mindseye.worlds.starts import Starts, first_observations
from mindseye.worlds.vectorise import Seeds, Step, mask_rows, row_seeds

Randomise = Callable[[np.random.Generator, np.ndarray], None]


class DreamWorld(VectorEnv, Snapshots):
    """Any `WorldModel` as a world: in `AutoresetMode.DISABLED`, with snapshots.

        dream = DreamWorld(model, 64, starts=starts_from(replay, context=4), horizon=50)
        observation, _ = dream.reset(seed=0)
        observation, reward, terminated, truncated, infos = dream.step(actions)

    The first observation is a real one, the last of the context; the rest are predicted, rounded
    and clipped to members of the observation space. Rows that are done are skipped until reset.
    `infos["continuation"]` holds the predicted probability of going on, `infos["uncertainty"]` the
    model's doubt where it has any.

    Args:
        starts: Draws the contexts from which episodes begin; see `starts_from`. They may be
            replaced by `reset(options={"observations": batch})`, first observations of all rows.
        horizon: Steps after which an episode is truncated.
        max_uncertainty: Also truncate once the model doubts more than this;
            `infos["ended_by_doubt"]` says where.
        randomise: Called with (rng, reset rows as a mask) before those rows begin, to draw what
            holds for one episode: dropout masks, parameters.
        seed: For starts and ends until `reset` is given one.
        stochastic_end: Draw ends with the predicted probability; otherwise end where the
            continuation is below one half.

    Raises:
        ConfigError: If num_worlds or horizon is not positive.
    """

    def __init__(
        self,
        model: WorldModel,
        num_worlds: int,
        *,
        starts: Starts,
        horizon: int,
        max_uncertainty: float | None = None,
        randomise: Randomise | None = None,
        seed: int = 0,
        stochastic_end: bool = True,
    ):
        if num_worlds < 1 or horizon < 1:
            raise ConfigError(f"dream: expected rows and steps, got {num_worlds} and {horizon}")
        self.model, self.num_envs, self.horizon = model, num_worlds, horizon
        self.starts, self.randomise = starts, randomise
        self.max_uncertainty, self.stochastic_end = max_uncertainty, stochastic_end
        self.single_observation_space = model.observation_space
        self.single_action_space = model.action_space
        self.observation_space = batch_space(model.observation_space, num_worlds)
        self.action_space = batch_space(model.action_space, num_worlds)
        self.device = _device(model)
        self._write = observation_writer(model.observation_space)
        self._read = action_reader(model.action_space, num_worlds, self.device)
        self._is_image = _is_image(model.observation_space)
        self.render_mode = "rgb_array" if self._is_image else None
        self.metadata = {
            "autoreset_mode": AutoresetMode.DISABLED,
            "render_modes": ["rgb_array"] if self._is_image else [],
        }
        self._rng = np.random.default_rng(seed)
        self._state: Tree = None
        self._observation: Tree = None
        self._keys = np.zeros(num_worlds, np.uint64)
        self._steps = np.zeros(num_worlds, np.int64)
        self._terminated = np.zeros(num_worlds, np.bool_)
        self._truncated = np.zeros(num_worlds, np.bool_)
        self._held = np.zeros(num_worlds, np.bool_)
        self._any_held = False

    @torch.inference_mode()
    def reset(
        self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Tree, dict[str, Any]]:
        """Begin new dreams in all rows, or in those of `options["reset_mask"]`.

        Args:
            seed: Row i of an int seed starts and ends as `seed + i` says; a list seeds per row.
            options: `reset_mask`, and `observations`: a batch of first observations of all rows.
        """
        options = options or {}
        rows = np.asarray(mask_rows(options.get("reset_mask"), self.num_envs), np.int64)
        if self._state is None and len(rows) < self.num_envs:
            raise WorldError("dream: expected a full reset first, got a mask; reset all rows once")
        all_seeds = row_seeds(seed, self.num_envs)
        seeds = [all_seeds[row] for row in rows]
        if isinstance(seed, int | np.integer):
            self._rng = np.random.default_rng(seed)
        if len(rows) == 0:
            return tree.map_tree(_copy, self._observation), {}
        if self.randomise is not None:
            self.randomise(self._rng, np.isin(np.arange(self.num_envs), rows))
        given = options.get("observations")
        if given is None:
            context = self._draw(seeds)
        else:
            context = first_observations(tree.take(given, rows), self.single_action_space)
        state, observation = self._awake(context)
        self._keys[rows] = self._row_keys(seeds)
        self._put(rows, state, observation)
        return tree.map_tree(_copy, self._observation), {}

    @torch.inference_mode()
    def step(self, actions: Tree) -> Step:
        """Imagine one step in all rows.

        Raises:
            SpecError: If actions have another shape or type than the action space.
            ModelError: If a prediction is not finite; names row and step.
        """
        if self._state is None:
            raise WorldError("dream: never reset; reset it before the first step")
        self._state = self.model.imagine(self._state, self._read(actions))
        prediction = self.model.predict(self._state)
        try:
            observation = self._write(prediction.observation)
            rewards = number(prediction.reward, "reward").astype(np.float64)
            continuation = number(prediction.continuation, "continuation")
        except ModelError as error:
            raise ModelError(
                f"dream: at step {int(self._steps.max())} the predicted {error};"
                " train the model longer or clip what it predicts"
            ) from None
        if self.stochastic_end:
            terminated = uniform(self._keys, self._steps) >= continuation
        else:
            terminated = continuation < 0.5
        self._steps += 1
        truncated: np.ndarray = self._steps >= self.horizon
        infos: dict[str, Any] = {"continuation": continuation.copy()}
        if prediction.uncertainty is not None:
            infos["uncertainty"] = number(prediction.uncertainty, "uncertainty").copy()
        if self.max_uncertainty is not None:
            infos["ended_by_doubt"] = self._doubted(prediction) & ~terminated & ~self._held
            truncated |= infos["ended_by_doubt"]
        if self._any_held:
            observation = tree.where(self._held, self._observation, observation)
            rewards[self._held] = 0.0
            terminated = np.where(self._held, self._terminated, terminated)
            truncated = np.where(self._held, self._truncated, truncated)
        self._observation, self._terminated, self._truncated = observation, terminated, truncated
        self._held = terminated | truncated
        self._any_held = bool(self._held.any())
        return (
            tree.map_tree(_copy, observation),
            rewards,
            terminated.copy(),
            truncated.copy(),
            infos,
        )

    def save(self) -> dict[str, Any]:
        """This moment of all rows: the model's state and where each dream stands."""
        return {
            "state": self._state,
            "observation": self._observation,
            "keys": self._keys.copy(),
            "steps": self._steps.copy(),
            "terminated": self._terminated,
            "truncated": self._truncated,
        }

    @torch.inference_mode()
    def load(self, moment: dict[str, Any], which: np.ndarray) -> None:
        """Row i continues from row `which[i]` of a moment of any dream of the same model."""
        which = np.asarray(which)
        if which.shape != (self.num_envs,):
            raise SpecError(f"load: expected which ({self.num_envs},), got {which.shape}")
        taken: dict[str, Any] = tree.take(moment, which)
        self._state, self._observation = taken["state"], taken["observation"]
        self._keys, self._steps = taken["keys"], taken["steps"]
        self._terminated, self._truncated = taken["terminated"], taken["truncated"]
        self._held = self._terminated | self._truncated
        self._any_held = bool(self._held.any())

    def render(self) -> list[np.ndarray]:  # type: ignore[override]
        """The dreamed pictures, one per row.

        Raises:
            WorldError: If the model does not dream pictures.
        """
        if not self._is_image:
            raise WorldError(f"dream: {self.single_observation_space} is no picture; draw it")
        return list(self._observation)

    def _draw(self, seeds: list[int | None]) -> Mapping[str, Any]:
        if all(seed is None for seed in seeds):
            return self.starts(len(seeds), self._rng)
        drawn = [
            # Taking copies, and must: a store may reuse its buffers for the next row.
            tree.take(dict(self.starts(1, self._rng_of(seed))), np.zeros(1, np.int64))
            for seed in seeds
        ]
        return tree.concatenate(drawn)

    def _rng_of(self, seed: int | None) -> np.random.Generator:
        return self._rng if seed is None else np.random.default_rng(seed)

    def _row_keys(self, seeds: list[int | None]) -> np.ndarray:
        drawn = self._rng.integers(1 << 63, size=len(seeds)).tolist()
        keys = [key if seed is None else seed for key, seed in zip(drawn, seeds, strict=True)]
        return np.array([key % (1 << 64) for key in keys], np.uint64)

    def _awake(self, context: Mapping[str, Any]) -> tuple[Tree, Tree]:
        """State after observing a context, and its last observation."""
        parts = {name: context[name] for name in ("observation", "action", "is_first")}
        tensors = tree.to_tensor(parts, self.device)
        n, length = tensors["is_first"].shape[:2]
        state = self.model.initial(n)
        for t in range(length):
            now = tree.map_tree(lambda leaf, t=t: _at(leaf, t), tensors)
            state = self.model.observe(state, now["action"], now["observation"], now["is_first"])
        last = tree.map_tree(lambda leaf: _at(leaf, length - 1), parts["observation"])
        return state, self._write(last)

    def _put(self, rows: np.ndarray, state: Tree, observation: Tree) -> None:
        if len(rows) == self.num_envs:
            self._state, self._observation = state, observation
        else:
            self._state = tree.map_tree(lambda a, b: _replace(a, rows, b), self._state, state)
            self._observation = tree.map_tree(
                lambda a, b: _replace(a, rows, b), self._observation, observation
            )
        self._steps[rows] = 0
        # These may have been handed to a saved moment, so they are not written in place.
        self._held = self._held.copy()
        self._held[rows] = False
        self._terminated, self._truncated = (
            self._terminated & self._held,
            self._truncated & self._held,
        )
        self._any_held = bool(self._held.any())

    def _doubted(self, prediction: Prediction) -> np.ndarray:
        if prediction.uncertainty is None:
            raise ModelError(
                f"dream: max_uncertainty needs a model that knows its doubt, got"
                f" {type(self.model).__name__} which predicts none; use an ensemble or leave it out"
            )
        return prediction.uncertainty.cpu().numpy() > self.max_uncertainty


def _device(model: WorldModel) -> torch.device:
    for leaf in tree.leaves(model.initial(1)):
        if isinstance(leaf, torch.Tensor):
            return leaf.device
    return torch.device("cpu")


def _is_image(space: Any) -> bool:
    return space.dtype == np.uint8 and len(space.shape or ()) == 3 and space.shape[-1] in (1, 3)


def _copy(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _at(leaf: Any, t: int) -> Any:
    return [texts[t] for texts in leaf] if isinstance(leaf, list) else leaf[:, t]


def _replace(leaf: Any, rows: np.ndarray, new: Any) -> Any:
    """A copy of a leaf whose `rows` are taken from a shorter leaf."""
    if isinstance(leaf, torch.Tensor):
        return leaf.index_copy(0, torch.as_tensor(rows, device=leaf.device), new)
    copied = leaf.copy()
    if isinstance(leaf, list):
        for row, item in zip(rows, new, strict=True):
            copied[row] = item
    else:
        copied[rows] = new
    return copied
