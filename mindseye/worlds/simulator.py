"""The true simulator as a world model, so that planners made for dreams search in reality."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from mindseye.core import tree
from mindseye.core.errors import ModelError, SpecError
from mindseye.core.protocols import Prediction, Snapshots, WorldModel
from mindseye.core.tree import Tree
from mindseye.worlds.snapshot import branchable


class SimulatorModel(WorldModel):
    """A `WorldModel` whose imagination is the real thing, branched.

        live = branchable(make("CartPole-v1", 4))
        model = SimulatorModel(live, lambda rows: make("CartPole-v1", rows))
        agent = ...  # any planner, handed `model`, acting in `live`

    `observe` reads the moment at which the live world stands, and leaves it there; `imagine` steps
    copies. A state's `moment` is a list with one (moment, row) pair per row. Rows that ended stay
    where they are and pay nothing more.

    Args:
        live: The world the agent acts in, a `VectorEnv` with snapshots.
        factory: Builds a world like it with that many rows, to search in.

    Raises:
        SpecError: If the live world has no snapshots.
    """

    def __init__(self, live: Any, factory: Callable[[int], VectorEnv]):
        if not isinstance(live, Snapshots):
            raise SpecError(f"SimulatorModel: {live} cannot branch; hand over branchable(world)")
        self.live: Any = live
        self.factory = factory
        self.observation_space = self.live.single_observation_space
        self.action_space = self.live.single_action_space
        self.steps_used = 0
        """Steps of the true simulator spent in imagination so far."""
        self._worlds: dict[int, Any] = {}

    def initial(self, batch_size: int) -> Tree:
        """No moment yet: observe first."""
        return _state([None] * batch_size, None, torch.zeros(batch_size), torch.ones(batch_size))

    def observe(self, state: Tree, action: Tree, observation: Tree, is_first: Tensor) -> Tree:
        """The live world's moment, which these observations must come from.

        Raises:
            SpecError: If there are not as many observations as the live world has rows.
        """
        rows = tree.batch_size(observation)
        if rows != self.live.num_envs:
            raise SpecError(
                f"SimulatorModel: expected {self.live.num_envs} observations of the live world,"
                f" got {rows}; observe all of its rows together"
            )
        moment = self.live.save()
        pairs = [(moment, row) for row in range(rows)]
        return _state(pairs, tree.to_tensor(observation), torch.zeros(rows), torch.ones(rows))

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Step copies of the simulator from each row's moment.

        Raises:
            ModelError: If a row was never observed.
        """
        pairs = state["moment"]
        if any(pair is None for pair in pairs):
            raise ModelError("SimulatorModel: nothing was observed yet; call observe first")
        actions = tree.to_numpy(action)
        groups = _by_moment(pairs)
        parts = [self._branch(pairs, rows, actions) for rows in groups]
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate(groups), kind="stable")
        return tree.take(tree.concatenate(parts), order)

    def predict(self, state: Tree) -> Prediction:
        """What the simulator showed, paid and decided; it has no doubts."""
        reward = state["reward"]
        return Prediction(
            state["observation"], reward, state["continuation"], torch.zeros_like(reward)
        )

    def _branch(self, pairs: list, rows: np.ndarray, actions: Tree) -> Tree:
        world = self._worlds.get(len(rows))
        if world is None:
            world = self._worlds[len(rows)] = branchable(self.factory(len(rows)))
            world.reset(seed=0)
        assert isinstance(world, VectorEnv)
        assert isinstance(world, Snapshots)
        world.load(pairs[rows[0]][0], np.array([pairs[row][1] for row in rows]))
        observation, rewards, terminated, _, _ = world.step(tree.take(actions, rows))
        self.steps_used += len(rows)
        moment = world.save()
        return _state(
            [(moment, row) for row in range(len(rows))],
            tree.to_tensor(observation),
            torch.as_tensor(rewards, dtype=torch.float32),
            1.0 - torch.as_tensor(terminated, dtype=torch.float32),
        )


def _state(moment: list, observation: Tree, reward: Tensor, continuation: Tensor) -> Tree:
    return {
        "moment": moment,
        "observation": observation,
        "reward": reward,
        "continuation": continuation,
    }


def _by_moment(pairs: list) -> list[np.ndarray]:
    """Rows grouped by the moment they branch from."""
    groups: dict[int, list[int]] = {}
    for row, (moment, _) in enumerate(pairs):
        groups.setdefault(id(moment), []).append(row)
    return [np.array(rows) for rows in groups.values()]
