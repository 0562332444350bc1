"""Several stores as one: real, imagined and written experience in fixed proportions."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from mindseye.core.batch import Batch
from mindseye.core.episode import Episode
from mindseye.core.errors import ConfigError, DataError
from mindseye.core.protocols import Experience
from mindseye.core.tree import Tree, map_tree


class Mixture(Experience):
    """A weighted union of stores.

        mixture = Mixture({"real": (replay, 1.0), "imagined": (dreams, 3.0)})
        batch = mixture.sample(16, 64, rng)  # 4 real, 12 imagined: see batch["origin"]

    Each store gives its share of a batch, rounded down; what is left over is drawn by `rng` in
    proportion to the remainders. A store that is empty leaves its share to the others.

    Args:
        stores: By name, each with a weight above 0 in any unit. `add` sends an episode to the store
            named like the kind of its origin.

    Raises:
        ConfigError: If there is no store, or a weight is not above 0.
    """

    def __init__(self, stores: Mapping[str, tuple[Experience, float]]):
        bad = {name: weight for name, (_, weight) in stores.items() if not 0 < weight < np.inf}
        if bad or not stores:
            raise ConfigError(f"Mixture: expected stores with weights above 0, got {bad or 'none'}")
        self.stores = {name: store for name, (store, _) in stores.items()}
        self.weights = {name: weight for name, (_, weight) in stores.items()}

    def add(self, episodes: Iterable[Episode]) -> None:
        """Send each episode to the store named like its origin.

        Raises:
            DataError: If no store has that name; nothing is added then.
        """
        sorted_: dict[str, list[Episode]] = {}
        for episode in episodes:
            sorted_.setdefault(episode.origin.kind, []).append(episode)
        strangers = set(sorted_) - set(self.stores)
        if strangers:
            raise DataError(
                f"Mixture: no store named {sorted(strangers)}, has {sorted(self.stores)}; "
                "name stores by the kind of origin they take"
            )
        for kind, group in sorted_.items():
            self.stores[kind].add(group)

    def sample(self, batch_size: int, length: int, rng: np.random.Generator) -> Batch:
        """Segments of all stores, in the order of the stores; fields that all parts have.

        Returns:
            Fresh tensors.

        Raises:
            DataError: If all stores are empty, or their leaves do not match.
        """
        room: Batch = {}
        begin = 0
        for name, count in self.counts(batch_size, rng).items():
            if not count:
                continue
            part = self.stores[name].sample(count, length, rng)
            # `index` means rows of one store; here it would mislead.
            part = {field: tree for field, tree in part.items() if field != "index"}
            if not room:
                room = {field: map_tree(_room(batch_size), tree) for field, tree in part.items()}
            room = {field: tree for field, tree in room.items() if field in part}
            try:
                for field, tree in room.items():
                    map_tree(_place(begin, begin + count), tree, part[field])
            except (RuntimeError, KeyError, IndexError, TypeError) as error:
                raise DataError(
                    f"Mixture: the batch of {name!r} does not match the others ({error}); "
                    "mix stores of the same spaces"
                ) from error
            begin += count
        return room

    def counts(self, batch_size: int, rng: np.random.Generator) -> dict[str, int]:
        """How many segments each store gives to a batch.

        Raises:
            DataError: If all stores are empty.
        """
        names = [name for name, store in self.stores.items() if len(store)]
        if not names:
            raise DataError(f"Mixture: all of {sorted(self.stores)} are empty; add episodes")
        weights = np.array([self.weights[name] for name in names])
        shares = weights / weights.sum() * batch_size
        # Shares that are whole but for rounding stay whole.
        counts = np.floor(shares + 1e-9).astype(int)
        left = batch_size - int(counts.sum())
        if left:
            rest = np.maximum(shares - counts, 0.0)
            extra = rng.choice(len(names), left, replace=False, p=rest / rest.sum())
            counts[extra] += 1
        return dict(zip(names, counts.tolist(), strict=True))

    def __iter__(self) -> Iterator[Episode]:
        for store in self.stores.values():
            yield from store

    def __len__(self) -> int:
        return sum(len(store) for store in self.stores.values())


def _room(batch_size: int):
    def make(leaf):
        if isinstance(leaf, list):
            return [[] for _ in range(batch_size)]
        return leaf.new_empty((batch_size, *leaf.shape[1:]))

    return make


def _place(begin: int, end: int):
    def put(room: Tree, leaf: Tree) -> None:
        # Assigning would broadcast and cast in silence.
        if not isinstance(room, list) and (room.shape[1:], room.dtype) != (
            leaf.shape[1:],
            leaf.dtype,
        ):
            raise TypeError(f"{room.dtype} {room.shape[1:]} beside {leaf.dtype} {leaf.shape[1:]}")
        room[begin:end] = leaf

    return put
