"""What was tried before and what became of it, found again by likeness of situation and task.

Keys are made of state and task alone: what one knows *before* acting. Plan and outcome are what is
found there. Embedding all of it would compare questions with answers.

Source: MINDSTORES (Chari et al. 2025, arXiv 2501.19318): experience tuples (state, task, plan,
    outcome). Duplicates, balance of outcomes and the vote are ours.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float

from mindseye.core.checkpoint import write_atomic
from mindseye.core.errors import ConfigError, DataError
from mindseye.experience.embedding import Embed, HashedWords, canonical

LINES = "attempts.jsonl"
_ALIKE = 4
"""Power of the likeness in a vote: what is twice as like counts sixteen times."""
_DOUBT = 0.1
"""Weight of not knowing in a vote; an exact match weighs 1."""
_WIDE = 8
"""How many times more candidates an approximate index is asked for than are needed."""


@dataclass(frozen=True)
class Attempt:
    """One experience."""

    state: str
    """What was there before."""
    task: str
    plan: str
    outcome: str
    success: bool
    step: str = ""
    """Part of the plan that failed first."""
    reason: str = ""
    """Why it did."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Attempts that agree in this tell the same; the latest is kept.

        The same task failing at the same step for the same reason; or succeeding from alike states.
        """
        if self.success:
            return ("", self.task, canonical(self.state))
        return ("failed", self.task, self.step, self.reason)


_NOTHING = Attempt("", "", "", "", False)


@dataclass(frozen=True)
class Found:
    """An attempt, and how like its key is to what was asked, −1 to 1."""

    attempt: Attempt
    likeness: float


class VectorIndex(Protocol):
    """Finds candidates among very many vectors; see `usearch.UsearchIndex`."""

    def clear(self) -> None:
        """Forget all vectors."""
        ...

    def put(self, number: int, vector: np.ndarray) -> None:
        """Add or replace a vector."""
        ...

    def search(self, vectors: np.ndarray, k: int) -> list[list[int]]:
        """About the nearest numbers of each vector."""
        ...


class Memory:
    """Attempts by likeness; bounded, free of duplicates, balanced when asked.

        memory = Memory()
        memory.add([Attempt("you hold 2 wood", "craft pick", "craft pick", "done", True)])
        memory.nearest([("you hold 3 wood", "craft pick")], k=5)

    Likeness is the cosine of task and of state, in shares, with words weighed by how rare they are
    among the keys (TF-IDF). Search is exact unless an index is given.

    Args:
        embed: Texts to vectors, for states and for tasks.
        task_share: Of the task in the likeness, 0 to 1.
        capacity: Attempts at most; then the oldest of the more frequent outcome is forgotten.
        index: Candidates at scale; they are compared exactly afterwards.

    Raises:
        ConfigError: If the share or the capacity is impossible.
    """

    def __init__(
        self,
        *,
        embed: Embed | None = None,
        task_share: float = 0.7,
        capacity: int = 10_000,
        index: VectorIndex | None = None,
    ):
        if not 0 <= task_share <= 1 or capacity < 2:
            raise ConfigError("memory: expected a share from 0 to 1 and room for 2 or more")
        self.embed = embed or HashedWords()
        self.task_share, self.capacity, self.index = task_share, capacity, index
        self._attempts: list[Attempt] = []
        self._ages = np.zeros(0, np.int64)
        self._raw = np.zeros((0, 0), np.float32)
        self._place: dict[tuple[str, ...], int] = {}
        self._clock = 0
        self._ready: np.ndarray | None = None
        self._weights = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return len(self._attempts)

    @property
    def attempts(self) -> list[Attempt]:
        """All of them, the oldest first."""
        return [self._attempts[i] for i in self._by_age()]

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Remember; what tells the same as an earlier attempt takes its place."""
        fresh = list(attempts)
        if fresh:
            vectors = self._keys([(attempt.state, attempt.task) for attempt in fresh])
            for attempt, vector in zip(fresh, vectors, strict=True):
                self._put(attempt, vector)
            self._ready = None

    def nearest(
        self, queries: Sequence[tuple[str, str]], k: int, *, balanced: bool = False
    ) -> list[list[Found]]:
        """The attempts most like each (state, task), the most like first.

        Args:
            queries: States and tasks.
            k: Attempts for each, fewer if there are not as many.
            balanced: Half of them successes and half failures, as far as there are enough.
        """
        if not queries or not len(self):
            return [[] for _ in queries]
        likeness, wide = self._compared(queries), k * _WIDE
        among = None if self.index is None else self.index.search(self._keys(queries), wide)
        found = []
        for row, scores in enumerate(likeness):
            there = np.arange(len(self)) if among is None else np.array(among[row], np.int64)
            # of equally like ones the latest first
            order = there[np.lexsort((-self._ages[there], -scores[there].round(5)))].tolist()
            chosen = _some(order, k, self._is_good, balanced)
            found.append([Found(self._attempts[i], float(scores[i])) for i in chosen])
        return found

    def foresee(
        self, queries: Sequence[tuple[str, str]], k: int = 8
    ) -> Float[np.ndarray, " queries"]:
        """Probability that each (state, task) would be a success: a vote of the most like ones.

        One half where nothing alike is known.
        """
        votes = np.full(len(queries), 0.5)
        for row, found in enumerate(self.nearest(queries, k)):
            weights = np.array([max(0.0, f.likeness) ** _ALIKE for f in found])
            wins = np.array([f.attempt.success for f in found], float)
            votes[row] = (_DOUBT / 2 + weights @ wins) / (_DOUBT + weights.sum())
        return votes

    def save(self, folder: Path) -> None:
        """Write all attempts and their vectors; whole or not at all.

        Raises:
            DataError: If it cannot be written.
        """
        folder = Path(folder)
        buffer = io.BytesIO()
        np.save(buffer, self._raw[self._by_age()], allow_pickle=False)
        vectors = buffer.getvalue()
        # the vectors' name says what is in them: the list, written last, decides which ones count
        name = f"vectors-{_digest(vectors)[:16]}.npy"
        lines = "".join(f"{json.dumps(asdict(attempt))}\n" for attempt in self.attempts)
        head = {"vectors": name, "lines": _digest(lines.encode())}
        write_atomic(folder / name, vectors)
        write_atomic(folder / LINES, f"{json.dumps(head)}\n{lines}")
        for old in folder.glob("vectors-*.npy"):
            if old.name != name:
                old.unlink(missing_ok=True)

    def load(self, folder: Path) -> None:
        """Remember what was saved instead of what is known now.

        Raises:
            DataError: If a file is missing or damaged, or the vectors are of another embedding.
        """
        path = Path(folder) / LINES
        try:
            first, _, rest = path.read_bytes().partition(b"\n")
            head = json.loads(first)
            if _digest(rest) != head["lines"]:
                raise DataError(f"{path}: damaged: its checksum does not hold; restore it")
            attempts = [Attempt(**json.loads(line)) for line in rest.splitlines()]
            name = Path(str(head["vectors"])).name
        except OSError as error:
            raise DataError(f"{path}: cannot read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path}: damaged ({error!r}); restore it") from error
        vectors = _vectors(path.with_name(name))
        wide = self._keys([("", "")]).shape[1]
        if len(vectors) != len(attempts) or (attempts and vectors.shape[1] != wide):
            raise DataError(
                f"{path.with_name(name)}: expected shape ({len(attempts)}, {wide}), got "
                f"{vectors.shape}; load it with the embedding it was saved with"
            )
        self._attempts, self._place, self._ready = [], {}, None
        if self.index is not None:
            self.index.clear()
        for attempt, vector in zip(attempts, vectors, strict=True):
            self._put(attempt, vector)

    def _keys(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Vectors of states beside those of tasks, as they are embedded."""
        texts = [canonical(text) for pair in pairs for text in pair]
        vectors = np.asarray(self.embed(texts), np.float32)
        return vectors.reshape(len(pairs), -1)

    def _put(self, attempt: Attempt, vector: np.ndarray) -> None:
        place = self._place.get(attempt.identity)
        if place is None:
            place = self._room(len(vector)) if len(self) < self.capacity else self._forgotten()
        self._clock += 1
        self._attempts[place], self._ages[place] = attempt, self._clock
        self._raw[place], self._place[attempt.identity] = vector, place
        if self.index is not None:
            self.index.put(place, vector)

    def _room(self, dimensions: int) -> int:
        """One place more."""
        place = len(self)
        if place >= len(self._raw):
            size = max(64, 2 * place)
            ages, raw = np.zeros(size, np.int64), np.zeros((size, dimensions), np.float32)
            ages[:place] = self._ages[:place]
            raw[:place] = self._raw[:place].reshape(place, dimensions)
            self._ages, self._raw = ages, raw
        self._attempts.append(_NOTHING)
        return place

    def _forgotten(self) -> int:
        """The place of the oldest attempt with the more frequent outcome, free from now on."""
        good = [i for i in range(len(self)) if self._is_good(i)]
        bad = [i for i in range(len(self)) if not self._is_good(i)]
        oldest = min(max(good, bad, key=len), key=self._ages.__getitem__)
        del self._place[self._attempts[oldest].identity]
        return oldest

    def _by_age(self) -> list[int]:
        return self._ages[: len(self)].argsort().tolist()

    def _is_good(self, place: int) -> bool:
        return self._attempts[place].success

    def _compared(self, queries: Sequence[tuple[str, str]]) -> np.ndarray:
        """Likeness of queries and of every place in memory, shape (queries, places)."""
        if self._ready is None:
            raw = self._raw[: len(self)]
            # a dense embedding has no zeros, so all its dimensions weigh the same
            self._weights = 1 + np.log((1 + len(raw)) / (1 + (raw != 0).sum(0)))
            self._ready = self._weighed(raw)
        return self._weighed(self._keys(queries)) @ self._ready.T

    def _weighed(self, vectors: np.ndarray) -> np.ndarray:
        """Halves of state and task, each of the length its share asks for."""
        halves = (vectors * self._weights).reshape(len(vectors), 2, -1)
        length = np.linalg.norm(halves, axis=-1, keepdims=True)
        shares = np.sqrt([[1 - self.task_share], [self.task_share]])
        scaled = halves / np.where(length > 0, length, 1) * shares
        return scaled.reshape(len(vectors), -1).astype(np.float32)


def _some(order: Sequence[int], k: int, is_good, balanced: bool) -> list[int]:
    """The first k; balanced: half of each outcome where there are enough, in the given order."""
    if not balanced:
        return list(order[:k])
    good = [i for i in order if is_good(i)]
    bad = [i for i in order if not is_good(i)]
    wins = min(len(good), max(k - k // 2, k - len(bad)))
    taken = {*good[:wins], *bad[: k - wins]}
    return [i for i in order if i in taken]


def _vectors(path: Path) -> np.ndarray:
    try:
        content = path.read_bytes()
        if path.stem != f"vectors-{_digest(content)[:16]}":
            raise DataError(f"{path}: damaged: its checksum does not hold; restore it")
        return np.load(io.BytesIO(content), allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path}: cannot read ({error.strerror})") from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
