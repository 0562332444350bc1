"""Worlds put where one wants them: true states as vectors, read, set and shown."""

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree
from mindseye.worlds.rules.rules import Rules, State
from mindseye.worlds.rules.world import RulesWorld


@runtime_checkable
class Placeable(Rules, Protocol):
    """Rules whose states are described by vectors; where the agent is comes first."""

    numbers: tuple[str, ...]
    """Names of what a vector tells."""

    def vector(self, state: State) -> np.ndarray:
        """float64 (rows, numbers)."""
        ...

    def from_vector(self, vector: np.ndarray) -> State:
        """As `vector` wrote it, the episode just begun."""
        ...


def state_of(world: RulesWorld) -> np.ndarray:
    """The true state of every row, whatever the world shows: float64 (rows, numbers).

    The names of the numbers are `world.rules.numbers`.

    Raises:
        SpecError: If the world's rules are not `Placeable`.
    """
    return _placeable(world).vector(world.save().state)


def place(world: RulesWorld, vectors: np.ndarray) -> Tree:
    """Put every row of a started world where its vector says, with no step used up.

    Args:
        world: Reset before; its rows keep their seeds.
        vectors: As `state_of` returns them, shape (rows, numbers).

    Returns:
        Observations.

    Raises:
        SpecError: If the vectors do not fit, or the world's rules are not `Placeable`.
    """
    rules = _placeable(world)
    vectors = _checked(rules, vectors)
    if len(vectors) != world.num_envs:
        raise SpecError(f"place: expected {world.num_envs} vectors, got {len(vectors)}")
    world.reset()
    moment = world.save()
    state = rules.from_vector(vectors)
    world.load(replace(moment, state=state), np.arange(world.num_envs))
    return rules.observe(state)


def show(world: RulesWorld, vectors: np.ndarray) -> Tree:
    """What a world would show if it stood as `vectors` (any rows, numbers) say.

    Raises:
        SpecError: If the vectors do not fit, or the world's rules are not `Placeable`.
    """
    rules = _placeable(world)
    return rules.observe(rules.from_vector(_checked(rules, vectors)))


def _placeable(world: RulesWorld) -> Placeable:
    if not isinstance(world.rules, Placeable):
        raise SpecError(
            f"place: {type(world.rules).__name__} has no vectors; make 'tabletop/...' or"
            " 'control/...'"
        )
    return world.rules


def _checked(rules: Placeable, vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    if vectors.ndim != 2 or vectors.shape[1] != len(rules.numbers):
        raise SpecError(
            f"place: expected vectors (rows, {len(rules.numbers)}) of {rules.numbers},"
            f" got {vectors.shape}"
        )
    return vectors
