"""What a small world must say of itself, and rows of its state.

A state is a frozen dataclass whose fields are arrays with the rows in front. Rules never change a
state they were given; they make another one, which may share the fields that did not change.
"""

from dataclasses import fields
from typing import Any, Protocol

import gymnasium
import numpy as np

from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.worlds.rules.randomness import Draws

State = Any


class Rules(Protocol):
    """A world as functions of its state. All arrays have one row per parallel world."""

    observation_space: gymnasium.Space
    """Of one world."""
    action_space: gymnasium.spaces.Discrete | gymnasium.spaces.Box | Words
    """Choices from 0, a bounded vector, or what is said."""
    max_steps: int | None
    """Steps until an episode is truncated; None: never."""

    def start(self, draws: Draws) -> State:
        """First states of as many episodes as there are rows in `draws`."""
        ...

    def transition(
        self, state: State, action: np.ndarray | list[str], draws: Draws
    ) -> tuple[State, np.ndarray, np.ndarray]:
        """Next state, reward (float32) and terminated (bool); pure.

        Worlds that are spoken to are handed a list of texts, one per row.
        """
        ...

    def observe(self, state: State) -> Tree:
        """Observations in arrays of their own, which the caller may keep."""
        ...

    def measure(self, state: State) -> dict[str, np.ndarray]:
        """What a step reports beside its reward, such as a cost; often nothing."""
        ...

    def picture(self, state: State) -> np.ndarray:
        """Images for people, uint8, shape (rows, height, width, 3)."""
        ...


def take_rows(state: State, which: np.ndarray) -> State:
    """A copy of some rows; `which` is a mask or positions, which may repeat."""
    return type(state)(*(getattr(state, field.name)[which] for field in fields(state)))


def put_rows(state: State, which: np.ndarray, rows: State) -> None:
    """Overwrite the rows where `which` is true, in place."""
    places = np.flatnonzero(which)
    for field in fields(state):
        getattr(state, field.name)[places] = getattr(rows, field.name)
