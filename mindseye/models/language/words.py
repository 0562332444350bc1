"""Texts as words: a fixed vocabulary, and slots for words that mean nothing but themselves.

A word outside the vocabulary, such as an invented name, is bound to one of a number of
interchangeable slots for the length of a conversation. The model learns what slots do, never what a
name means: only the text can tell it, and any name in any script can be read and said again.

Source: anonymised entities of Hermann et al. (2015), arXiv 1506.03340, section 2.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from mindseye.core.errors import ConfigError

PAD, USER, ANSWER, END, UNKNOWN = range(5)
_SPECIAL = ("<pad>", "<user>", "<answer>", "<end>", "<unknown>")
_PIECES = re.compile(r"\n|\d{1,3}|[^\W\d]+(?:['’_-][^\W\d]+)*|[^\s\w]|_")
_NO_SPACE_BEFORE = frozenset(".,;:!?)]%")
_NO_SPACE_AFTER = frozenset("([$#")


def pieces(text: str) -> list[str]:
    """Words, numbers of up to three digits, single marks and line breaks; spaces are dropped."""
    return _PIECES.findall(text)


def joined(parts: Sequence[str]) -> str:
    """A text of pieces, spaced as English is."""
    out: list[str] = []
    for part in parts:
        tight = not out or part == "\n" or out[-1] == "\n" or part in _NO_SPACE_BEFORE
        if not tight and out[-1][-1] not in _NO_SPACE_AFTER:
            out.append(" ")
        out.append(part)
    return "".join(out)


class Binding:
    """Which slot stands for which unknown word, in one conversation."""

    def __init__(self, slots: Sequence[int]):
        self._free = list(reversed(slots))
        self.slot_of: dict[str, int] = {}
        self.word_of: dict[int, str] = {}

    def slot(self, word: str) -> int:
        """The word's slot, a new one at first; `UNKNOWN` once all are taken."""
        if word not in self.slot_of:
            if not self._free:
                return UNKNOWN
            slot = self._free.pop()
            self.slot_of[word], self.word_of[slot] = slot, word
        return self.slot_of[word]


def _is_sign(word: str) -> bool:
    return len(word) == 1 and word.isupper()


class Vocabulary:
    """Words and their numbers: special marks, then known words, then slots.

    Args:
        words: Known ones, in an order that is kept.
        num_slots: How many unknown words a conversation may hold.
    """

    def __init__(self, words: Sequence[str], num_slots: int = 64):
        if len(set(words)) != len(words) or num_slots < 1:
            raise ConfigError(f"vocabulary: expected different words, slots; got {num_slots} slots")
        self.words, self.num_slots = list(words), num_slots
        # a capital alone stands for something, as names do
        self._number = {w: i + len(_SPECIAL) for i, w in enumerate(words) if not _is_sign(w)}
        self.first_slot = len(_SPECIAL) + len(words)
        self.size = self.first_slot + num_slots

    @staticmethod
    def of(texts: Iterable[str], *, share: float, num_slots: int = 64) -> "Vocabulary":
        """Words in at least `share` of the texts; rarer ones, and capitals alone, are names."""
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            counts.update(set(pieces(text)))
            total += 1
        often = (word for word, count in counts.items() if count >= share * total)
        known = sorted(word for word in often if not _is_sign(word))
        return Vocabulary(known, num_slots)

    def binding(self, rng: np.random.Generator | None = None) -> Binding:
        """Fresh slots: in order, or drawn, as in training, so that all slots are learned alike."""
        slots = np.arange(self.first_slot, self.size)
        return Binding((slots if rng is None else rng.permutation(slots)).tolist())

    def encode(self, text: str, binding: Binding) -> list[int]:
        """Numbers of a text's pieces; unknown ones are bound."""
        known = self._number
        return [known[p] if p in known else binding.slot(p) for p in pieces(text)]

    def decode(self, tokens: Iterable[int], binding: Binding) -> str:
        """The text of tokens; special marks and slots that are not bound say nothing."""
        said = []
        for token in tokens:
            if len(_SPECIAL) <= token < self.first_slot:
                said.append(self.words[token - len(_SPECIAL)])
            elif token in binding.word_of:
                said.append(binding.word_of[token])
        return joined(said)
