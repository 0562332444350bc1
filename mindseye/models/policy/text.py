"""A small policy that reads: it scores what can be said by how it fits the task and the page."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from mindseye.core.errors import SpecError
from mindseye.core.spaces import commands

_PIECES = re.compile(r"\w+")
_PARTS = re.compile(r"[.;:\n]")
_ROWS = 4096
_MOST_WORDS = 1 << 20
"""Read at once, padding included; a thousand long pages would not fit into memory."""
_PAD, _COMMAND = 0, 1
"""Rows of the embedding that are no words."""


@dataclass(frozen=True)
class TextChoices:
    """A distribution over what can be said in each of several texts."""

    listed: list[list[str]]
    log_probs: Float[Tensor, "texts most"]
    """Minus infinity where a text lists fewer."""

    def sample(self, generator: torch.Generator) -> list[str]:
        """One draw per text."""
        picked = torch.multinomial(self.log_probs.exp(), 1, generator=generator)[:, 0]
        return self._named(picked)

    def mode(self) -> list[str]:
        """The likeliest."""
        return self._named(self.log_probs.argmax(1))

    def log_prob(self, said: Sequence[str]) -> Float[Tensor, " texts"]:
        """Of one choice per text.

        Raises:
            SpecError: If it is not among those listed.
        """
        try:
            places = [row.index(one) for row, one in zip(self.listed, said, strict=True)]
        except ValueError as error:
            raise SpecError(
                f"text policy: {error}; only what is listed has a probability"
            ) from None
        return self.log_probs.gather(1, torch.tensor(places).unsqueeze(1)).squeeze(1)

    def entropy(self) -> Float[Tensor, " texts"]:
        """In nats."""
        share = self.log_probs.exp()
        return -(share * self.log_probs.masked_fill(share == 0, 0.0)).sum(1)

    def _named(self, picked: Tensor) -> list[str]:
        return [row[i] for row, i in zip(self.listed, picked.tolist(), strict=True)]


class TextPolicy(nn.Module):
    """Scores every listed command by comparing the task with the command and what is said of it.

    Of the page only those clauses are read that name what the command names ("click 12": "12 red
    cotton 35"), or all of it where none does. Any word has a row in the embedding, by its hash.

        policy = TextPolicy()
        policy([with_commands("Task: buy a red hat.", ["search red hat", "search hat"])]).mode()

    Args:
        units: Width.

    Source: attend, compare, aggregate after Parikh et al. (2016), arXiv 1606.01933. Differs: a word
        is read together with the one before it; one text is a task, the other a command.
    """

    def __init__(self, units: int = 48):
        super().__init__()
        self.embedding = nn.Embedding(_ROWS, units)
        nn.init.normal_(self.embedding.weight, std=units**-0.5)
        self.before = nn.Linear(units, units, bias=False)
        nn.init.normal_(self.before.weight, std=0.3 * units**-0.5)
        self.attend = nn.Linear(units, units, bias=False)
        self.compare = nn.Sequential(
            nn.Linear(3 * units, units), nn.ReLU(), nn.Linear(units, units)
        )
        self.score = nn.Sequential(nn.Linear(2 * units, units), nn.ReLU(), nn.Linear(units, 1))

    def forward(self, texts: Sequence[str]) -> TextChoices:
        """What to say in texts that list what can be said.

        Raises:
            SpecError: If one lists nothing.
        """
        unlike = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        read = [_read(text) for text in unlike]
        if empty := [text for text, (listed, _, _) in zip(unlike, read, strict=True) if not listed]:
            raise SpecError(f"text policy: no line 'You can: ...' in {empty[0]!r}")
        tasks = [task for listed, task, _ in read for _ in listed]
        scores = self._scores(tasks, [said for _, _, rows in read for said in rows])
        counts = [len(listed) for listed, _, _ in read]
        padded = nn.utils.rnn.pad_sequence(
            list(scores.split(counts)), batch_first=True, padding_value=float("-inf")
        )
        places = torch.tensor([unlike[text] for text in texts])
        listed = [read[place][0] for place in places.tolist()]
        return TextChoices(listed, padded.log_softmax(1)[places])

    def _scores(self, tasks: list[tuple[int, ...]], said: list[tuple[int, ...]]) -> Tensor:
        if len(said) * max(map(len, said)) <= _MOST_WORDS:
            return self._fit(tasks, said)
        order = sorted(range(len(said)), key=lambda i: len(said[i]))
        parts, begin = [], 0
        for end in range(1, len(order) + 1):
            if end == len(order) or (end + 1 - begin) * len(said[order[end]]) > _MOST_WORDS:
                rows = order[begin:end]
                some = [tasks[i] for i in rows], [said[i] for i in rows]
                # what was read is read again for the gradient, instead of being kept
                parts.append(checkpoint(self._fit, *some, use_reentrant=False))
                begin = end
        return torch.cat(parts)[torch.tensor(order).argsort()]

    def _fit(self, tasks: list[tuple[int, ...]], said: list[tuple[int, ...]]) -> Tensor:
        first, is_first = self._words(tasks)
        second, is_second = self._words(said)
        affinity = self.attend(first) @ self.attend(second).transpose(1, 2)
        affinity = affinity / first.shape[-1] ** 0.5
        shut = float("-inf")
        heard = affinity.masked_fill(~is_second[:, None], shut).softmax(2) @ second
        answered = affinity.transpose(1, 2).masked_fill(~is_first[:, None], shut).softmax(2) @ first
        parts = []
        for words, other, is_word in ((first, heard, is_first), (second, answered, is_second)):
            compared = self.compare(torch.cat([words, other, words * other], 2))
            parts.append((compared * is_word[..., None]).sum(1))
        return self.score(torch.cat(parts, 1)).squeeze(1)

    def _words(self, rows: list[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
        tokens = nn.utils.rnn.pad_sequence(
            [torch.tensor(row) for row in rows], batch_first=True, padding_value=_PAD
        )
        words = self.embedding(tokens)
        earlier = functional.pad(words, (0, 0, 1, 0))[:, :-1]
        return words + self.before(earlier), tokens != _PAD


@lru_cache(maxsize=1 << 16)
def _read(text: str) -> tuple[list[str], tuple[int, ...], list[tuple[int, ...]]]:
    """Commands, the first line's words, and for each command its words and those of its clauses."""
    listed = commands(text)
    head, *page = text.split("\n")[:-1] or [""]
    clauses = [_PIECES.findall(clause.lower()) for clause in _PARTS.split("\n".join(page))]
    rows = []
    for command in listed:
        words = _PIECES.findall(command.lower())
        named = set(words[1:])
        told = [clause for clause in clauses if named & set(clause)] or clauses
        rows.append(
            (_COMMAND, *map(_row, words), _COMMAND, *(_row(word) for part in told for word in part))
        )
    return listed, (_COMMAND, *map(_row, _PIECES.findall(head.lower()))), rows


@lru_cache(maxsize=1 << 16)
def _row(word: str) -> int:
    return 2 + zlib.crc32(word.encode()) % (_ROWS - 2)
