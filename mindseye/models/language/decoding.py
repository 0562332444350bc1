"""Saying words one after the other, many texts at once, within what is allowed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from mindseye.models.language.network import WordTransformer
from mindseye.models.language.words import END, PAD, Binding, Vocabulary


class Rule(Protocol):
    """What may be said next in one text."""

    most: int
    """Tokens at the most, the end included."""

    def allowed(self, said: Sequence[int]) -> Sequence[int]:
        """Tokens that may follow; the end is one of them."""
        ...

    def is_over(self, said: Sequence[int]) -> bool:
        """Whether the text may stop here without saying so."""
        ...

    def text(self, said: Sequence[int]) -> str:
        """What tokens say."""
        ...


class Free(Rule):
    """Any words: known ones, and names that occur in the prompt.

    Args:
        vocabulary, binding: Of the conversation.
        most: Tokens.
        stop: Texts at which to stop; they are cut off.
    """

    def __init__(self, vocabulary: Vocabulary, binding: Binding, most: int, stop: Sequence[str]):
        self.vocabulary, self.binding, self.most, self.stop = vocabulary, binding, most, tuple(stop)
        self._allowed = [END, *range(END + 2, vocabulary.first_slot), *binding.word_of]

    def allowed(self, said: Sequence[int]) -> Sequence[int]:
        """The same at all times."""
        return self._allowed

    def is_over(self, said: Sequence[int]) -> bool:
        """Whether a stop was said."""
        if not self.stop:
            return False
        text = self._plain(said)
        return any(mark in text for mark in self.stop)

    def text(self, said: Sequence[int]) -> str:
        """Up to the first stop."""
        text = self._plain(said)
        for mark in self.stop:
            text = text.split(mark, 1)[0]
        return text.strip()

    def _plain(self, said: Sequence[int]) -> str:
        return self.vocabulary.decode(said, self.binding)


class Choices(Rule):
    """One of a list of texts, verbatim."""

    def __init__(self, vocabulary: Vocabulary, binding: Binding, choices: Sequence[str]):
        self._paths: dict[tuple[int, ...], str] = {}
        self._next: dict[tuple[int, ...], list[int]] = {}
        for choice in choices:
            path = (*vocabulary.encode(choice, binding), END)
            self._paths.setdefault(path, choice)
            for at, token in enumerate(path):
                after = self._next.setdefault(path[:at], [])
                if token not in after:
                    after.append(token)
        self.most = max(map(len, self._paths))

    def allowed(self, said: Sequence[int]) -> Sequence[int]:
        """What continues at least one of the choices."""
        return self._next[tuple(said)]

    def is_over(self, said: Sequence[int]) -> bool:
        """Never before the end is said."""
        return False

    def text(self, said: Sequence[int]) -> str:
        """The choice that was made."""
        return self._paths[tuple(said)]


@dataclass
class Said:
    """One text as it grows."""

    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    end: str = "max_tokens"


def decode(
    network: WordTransformer,
    prompts: Sequence[Sequence[int]],
    rules: Sequence[Rule],
    temperature: float,
    generator: torch.Generator,
) -> list[Said]:
    """Continue every prompt until it ends.

    Args:
        network: Scores words.
        prompts: Tokens; shorter ones are padded on the left.
        rules: One per prompt.
        temperature: 0 takes the likeliest word.
        generator: Draws words.
    """
    device = network.embedding.weight.device
    longest = max(map(len, prompts))
    tokens = torch.full((len(prompts), longest), PAD)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = torch.tensor(prompt)
    tokens = tokens.to(device)
    segment = (tokens != PAD).long()
    scores, cache = network.read(tokens, segment, room=max(rule.most for rule in rules))
    said = [Said() for _ in prompts]
    live = list(range(len(prompts)))
    while live:
        picked, log_probs = _pick(scores, [rules[i].allowed(said[i].tokens) for i in live],
                                  temperature, generator)  # fmt: skip
        going = []
        for at, i in enumerate(live):
            said[i].tokens.append(picked[at])
            said[i].log_probs.append(log_probs[at])
            if picked[at] == END or rules[i].is_over(said[i].tokens):
                said[i].end = "stop"
            elif len(said[i].tokens) < rules[i].most:
                going.append(at)
        if not going:
            return said
        if len(going) < len(live):
            cache = cache.rows(torch.tensor(going, device=device))
        live = [live[at] for at in going]
        last = torch.tensor([said[i].tokens[-1] for i in live], device=device)
        scores, cache = network.say(last, cache)
    return said


def _pick(
    scores: Tensor, allowed: Sequence[Sequence[int]], temperature: float, generator
) -> tuple[list[int], list[float]]:
    """A token per row among those allowed, and its log-probability among them."""
    barred = torch.full_like(scores, float("-inf"))
    row = torch.tensor([i for i, tokens in enumerate(allowed) for _ in tokens])
    column = torch.tensor([token for tokens in allowed for token in tokens])
    barred[row, column] = scores[row, column]
    log_probs = (barred.float() / (temperature or 1.0)).log_softmax(-1)
    if temperature == 0:
        picked = log_probs.argmax(-1)
    else:
        picked = torch.multinomial(log_probs.exp(), 1, generator=generator).squeeze(1)
    return picked.tolist(), log_probs.gather(1, picked.unsqueeze(1)).squeeze(1).tolist()
