"""The shortest way to a reward, found by trying everything in a small deterministic world."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from mindseye.core.errors import WorldError
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules, State, take_rows


class Solution:
    """Distances to the nearest reward, from the given states and all they lead to.

    Args:
        rules: Deterministic, with discrete actions.
        states: To begin from.
        ignore: Fields of the state that do not decide what happens.
        most: States to look at before giving up.

    Raises:
        WorldError: If more states than that can be reached.
    """

    def __init__(
        self,
        rules: Rules,
        states: State,
        *,
        ignore: Sequence[str] = ("steps",),
        most: int = 200_000,
    ):
        self._ignore = ignore
        self._number: dict[bytes, int] = {}
        fresh = self._unseen(states)
        following: list[np.ndarray] = []
        pays: list[np.ndarray] = []
        actions = int(rules.action_space.n)  # type: ignore[union-attr]
        while fresh is not None:
            count = len(_first(fresh))
            rows = np.repeat(np.arange(count), actions)
            draws = Draws(np.zeros(len(rows), np.uint64), np.zeros(len(rows), np.int64))
            chosen = np.tile(np.arange(actions), count)
            after, reward, ended = rules.transition(take_rows(fresh, rows), chosen, draws)
            fresh = self._unseen(after)
            if len(self._number) > most:
                raise WorldError(f"solve: more than {most} states can be reached; shrink the world")
            stuck = ended & (reward <= 0)
            next_state = np.where(stuck, -1, self.numbers(after))
            following.append(next_state.reshape(count, actions))
            pays.append((reward > 0).reshape(count, actions))
        self._solve(np.concatenate(following), np.concatenate(pays))

    def numbers(self, states: State) -> np.ndarray:
        """Which known state each row is, shape (rows,)."""
        return np.array([self._number[key] for key in self._keys(states)], np.int64)

    def _solve(self, following: np.ndarray, pays: np.ndarray) -> None:
        # the last entry stands for ends that paid nothing
        distance = np.full(len(following) + 1, np.inf)
        while True:
            left = 1 + np.where(pays, 0.0, distance[following])
            nearest = left.min(1)
            if np.array_equal(nearest, distance[:-1]):
                break
            distance[:-1] = nearest
        self.distance = nearest
        """Steps to the nearest reward per known state; infinite where there is none."""
        self.action = left.argmin(1)
        """First action of a shortest way, per known state."""

    def _unseen(self, states: State) -> State | None:
        rows = []
        for row, key in enumerate(self._keys(states)):
            if key not in self._number:
                self._number[key] = len(self._number)
                rows.append(row)
        return take_rows(states, np.array(rows)) if rows else None

    def _keys(self, states: State) -> list[bytes]:
        parts = [
            np.ascontiguousarray(getattr(states, field.name)).reshape(len(_first(states)), -1)
            for field in fields(states)
            if field.name not in self._ignore
        ]
        rows = np.concatenate([part.view(np.uint8) for part in parts], 1)
        return [row.tobytes() for row in rows]


def _first(states: State) -> np.ndarray:
    return getattr(states, fields(states)[0].name)
