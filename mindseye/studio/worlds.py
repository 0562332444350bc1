"""Stepping many visitors' moments as one batch, and waking dreams and realities."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from mindseye.core import tree
from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.evaluation.distance import distance
from mindseye.studio import moments
from mindseye.studio.protocol import batched_actions
from mindseye.studio.stage import Stage
from mindseye.studio.visits import Side, copied
from mindseye.worlds.starts import first_observations

_EIGHT = 8
_LARGEST = 64
"""Rows of a batch at most; more are several batches."""


class Rows:
    """Worlds alike, of several numbers of rows, in which moments of any visitors go on together.

    Args:
        build: A world with snapshots, of so many rows.
    """

    def __init__(self, build: Callable[[int], Any]):
        self.build = build
        self._worlds: dict[int, Any] = {}

    def world(self, rows: int) -> Any:
        """That of so many rows."""
        if rows not in self._worlds:
            self._worlds[rows] = self.build(rows)
        return self._worlds[rows]

    def step(self, sides: Sequence[Side], actions: Sequence[Tree]) -> list[Side]:
        """Every side one step further; those that are over stay as they are, without reward."""
        after: list[Side] = [replace(side, reward=0.0) for side in sides]
        going = [i for i, side in enumerate(sides) if not side.is_over]
        for begin in range(0, len(going), _LARGEST):
            part = going[begin : begin + _LARGEST]
            stepped = self._step([sides[i] for i in part], [actions[i] for i in part])
            for index, side in zip(part, stepped, strict=True):
                after[index] = side
        return after

    def _step(self, sides: Sequence[Side], actions: Sequence[Tree]) -> list[Side]:
        count = len(sides)
        rows = _rounded(count)
        world = self.world(rows)
        which = np.minimum(np.arange(rows), count - 1)
        world.load(moments.joined([side.moment for side in sides]), which)
        taken = [actions[i] for i in which]
        batch = batched_actions(world.single_action_space, taken)
        observations, rewards, terminated, truncated, infos = world.step(batch)
        moment = world.save()
        apart = moments.rows(moment, count)
        size = (moments.weight(moment) + moments.weight(observations)) // rows
        doubts, going = infos.get("uncertainty"), infos.get("continuation")
        return [
            Side(
                moment=apart[i],
                observation=copied(tree.take(observations, i)),
                reward=float(rewards[i]),
                total=side.total + float(rewards[i]),
                continuation=None if going is None else float(going[i]),
                terminated=bool(terminated[i]),
                truncated=bool(truncated[i]),
                uncertainty=None if doubts is None else float(doubts[i]),
                bytes=size,
            )
            for i, side in enumerate(sides)
        ]


def _rounded(count: int) -> int:
    """A power of two, or a multiple of eight: few worlds, and few rows for nothing."""
    return 1 << (count - 1).bit_length() if count <= _EIGHT else -(-count // _EIGHT) * _EIGHT


class Company:
    """The dream and the real world of a stage, in as many rows as are wanted."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.dream = Rows(stage.dream)
        self.real = None if stage.real is None else Rows(stage.real)
        self._own_starts = self.dream.world(1).starts

    def begin(self, seed: int) -> tuple[Side, Side | None]:
        """A dream of the real world's beginning; where there is none, of the dream's own."""
        if self.real is None:
            return self._dream(self._own_starts, seed), None
        world = self.real.world(1)
        observations, _ = world.reset(seed=[seed])
        real = _first(world, observations)
        context = first_observations(observations, self.stage.action_space)
        return self._dream(lambda n, rng: context, seed), real

    def begin_at(self, number: int, step: int, seed: int) -> tuple[Side, Side | None, str]:
        """A dream of a recorded moment, and reality where it can be had again.

        Returns:
            Dream, reality, and why there is no reality.

        Raises:
            SpecError: If there is no such moment.
        """
        replay = self.stage.episodes
        if replay is None:
            raise SpecError("start: there are no recorded episodes; begin from a seed")
        if number >= replay.num_episodes:
            raise SpecError(f"start: there are {replay.num_episodes} episodes, numbered from 0")
        episode = replay.episode(number)
        if step > len(episode) - episode.terminated:
            raise SpecError(f"start: episode {number} has moments 0 to {len(episode)} at most")
        first = max(0, step + 1 - self.stage.context)
        seen = tree.take(episode.observations, slice(first, step + 1))
        acted = tree.take(episode.actions, slice(max(first - 1, 0), step))
        blank = tree.map_tree(_blank, tree.take(episode.actions, slice(0, 1)))
        acted = acted if first else tree.concatenate([blank, acted])
        context = {
            "observation": tree.map_tree(_alone, seen),
            "action": tree.map_tree(_alone, acted),
            "is_first": (np.arange(first, step + 1) == first)[None],
        }
        real, why = self._again(episode, number, step)
        return self._dream(lambda n, rng: context, seed), real, why

    def _again(self, episode: Any, number: int, step: int) -> tuple[Side | None, str]:
        """Reality at a recorded moment, by acting as was acted; believed only if it looks so."""
        seed = self.stage.seed_of(number)
        if self.real is None:
            return None, self.stage.why_no_real
        if seed is None:
            return None, "Nobody recorded from which seed this episode began."
        world = self.real.world(1)
        observations, _ = world.reset(seed=[seed])
        same = distance(observations, tree.take(episode.observations, slice(0, 1)))[0] == 0
        for t in range(step):
            if not same:
                break
            observations, *_ = world.step(tree.take(episode.actions, slice(t, t + 1)))
            recorded = tree.take(episode.observations, slice(t + 1, t + 2))
            same = distance(observations, recorded)[0] == 0
        if not same:
            return None, "The real world, played again, does not come out as it was recorded."
        return _first(world, observations), ""

    def _dream(self, starts: Callable, seed: int) -> Side:
        world = self.dream.world(1)
        world.starts = starts
        # models that sample do so from torch's generator: equal seeds begin alike
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            observations, _ = world.reset(seed=[seed])
        return replace(_first(world, observations), continuation=1.0)

    def apart(self, dreams: Sequence[Side], reals: Sequence[Side | None]) -> list[float | None]:
        """How far apart dreams and realities look, in [0, 1]; 1 once only one of them goes on."""
        found: list[float | None] = [None] * len(dreams)
        pairs = [(i, d, r) for i, (d, r) in enumerate(zip(dreams, reals, strict=True)) if r]
        if not pairs:
            return found
        seen = (
            tree.stack([dream.observation for _, dream, _ in pairs]),
            tree.stack([real.observation for _, _, real in pairs]),
        )
        for (i, dream, real), far in zip(pairs, distance(*seen).tolist(), strict=True):
            found[i] = 1.0 if dream.is_over != real.is_over else min(1.0, far / self.stage.unit)
        return found


def _first(world: Any, observations: Tree) -> Side:
    moment = world.save()
    size = moments.weight(moment) + moments.weight(observations)
    return Side(moment, copied(tree.take(observations, 0)), bytes=size)


def _blank(leaf: Any) -> Any:
    return [""] * len(leaf) if isinstance(leaf, list) else np.zeros_like(leaf)


def _alone(leaf: Any) -> Any:
    return [leaf] if isinstance(leaf, list) else np.asarray(leaf)[None]
