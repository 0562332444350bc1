"""Our own small language model: trained from scratch on the texts of our own worlds.

It reads users' messages and earlier answers, not system messages: it was trained on exactly these
forms (`stages.lessons`) and needs no instructions. Its weights ship with the package.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mindseye.core.batch import Batch
from mindseye.core.checkpoint import load_tree, save_tree, write_atomic
from mindseye.core.errors import CheckpointError, ModelError
from mindseye.core.ledger import Ledger
from mindseye.core.protocols import Completion, LanguageModel, Messages
from mindseye.models.language.decoding import Choices, Free, Rule, Said, decode
from mindseye.models.language.network import WordTransformer
from mindseye.models.language.words import ANSWER, END, PAD, USER, Binding, Vocabulary

SHIPPED = Path(__file__).parent / "weights"
"""Trained by `mindseye fit-language`; its card tells how."""

_MOST_TOKENS = 1 << 15
"""Of one batch, padding included."""

Example = tuple[Messages, str]
"""A conversation and the answer to learn; earlier answers in the conversation are learned, too."""


class SmallLanguageModel(nn.Module, LanguageModel):
    """A causal transformer over words.

        model = load_small()
        model.complete([[{"role": "user", "content": text}]], choices=[["yes", "no"]])

    Args:
        vocabulary: What it can read and say.
        sizes: Of `WordTransformer`.
    """

    def __init__(self, vocabulary: Vocabulary, **sizes: int):
        super().__init__()
        self.vocabulary, self.sizes = vocabulary, dict(sizes)
        self.network = WordTransformer(vocabulary.size, vocabulary.num_slots, **sizes)
        self.ledger = Ledger()

    def batch(
        self, examples: Sequence[Example], rng: np.random.Generator, *, row: int = 0
    ) -> Batch:
        """Examples as arrays, several in a row of `row` words where they fit.

        `tokens` and `example` (rows, time): the words, and which example each belongs to, from 1; 0
        is padding. `mask` is 1 where an answer is learned. `weight` is one per example. Names are
        bound to slots drawn by `rng`.
        """
        encoded = [self._with_answer(messages, answer, rng) for messages, answer in examples]
        lengths = [len(tokens) for tokens, _ in encoded]
        rows = _packed(lengths, max(row, *lengths))
        time_ = max(sum(lengths[i] for i in members) for members in rows)
        tokens = np.full((len(rows), time_), PAD)
        mask, example = np.zeros((len(rows), time_), np.float32), np.zeros_like(tokens)
        for at, members in enumerate(rows):
            begin = 0
            for i in members:
                here = (at, slice(begin, begin + lengths[i]))
                tokens[here], mask[here], example[here] = encoded[i][0], encoded[i][1], i + 1
                begin += lengths[i]
        arrays = {"tokens": tokens, "mask": mask, "example": example}
        batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return {**batch, "weight": torch.ones(len(encoded))}

    def log_probs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Log-probabilities of what is learned, in a row, and the example each belongs to."""
        features = self.network(batch["tokens"][:, :-1], batch["example"][:, :-1])
        learned = batch["mask"][:, 1:] > 0
        scores = self.network.logits(features[learned]).float().log_softmax(-1)
        targets = batch["tokens"][:, 1:][learned]
        owner = batch["example"][:, 1:][learned] - 1
        return scores.gather(1, targets.unsqueeze(1)).squeeze(1), owner

    @torch.inference_mode()
    def score(self, examples: Sequence[Example]) -> np.ndarray:
        """Log-probability of every answer, shape (examples,)."""
        rng, found = np.random.default_rng(0), np.zeros(len(examples))
        for start in range(0, len(examples), 64):
            part = examples[start : start + 64]
            log_probs, owner = self.log_probs(self.batch(part, rng))
            found[start : start + 64] = np.bincount(owner.numpy(), log_probs.numpy(), len(part))
        return found

    def complete(
        self,
        prompts: Sequence[Messages],
        *,
        samples: int = 1,
        max_tokens: int = 64,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        seed: int | None = None,
        choices: Sequence[Sequence[str]] | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> list[list[Completion]]:
        """See `LanguageModel.complete`. Seconds, tokens and calls are added to the ledger."""
        began = time.monotonic()
        generator = torch.Generator(device=self._device)
        generator.manual_seed(0 if seed is None else seed)
        encoded = [self._prompt(messages) for messages in prompts for _ in range(samples)]
        if schema is not None:
            answers = self._fill(encoded, schema, max_tokens, temperature, generator)
        else:
            rules = self._rules(encoded, samples, choices, max_tokens, stop)
            answers = self._answers(encoded, rules, temperature, generator)
        self.ledger.add(
            calls=len(encoded),
            prompt_tokens=sum(len(tokens) for tokens, _ in encoded),
            completion_tokens=sum(len(answer.tokens) for answer in answers),
            seconds=time.monotonic() - began,
        )
        return [answers[i : i + samples] for i in range(0, len(answers), samples)]

    @property
    def _device(self) -> torch.device:
        return self.network.embedding.weight.device

    def _rules(
        self,
        encoded: Sequence[tuple[list[int], Binding]],
        samples: int,
        choices: Sequence[Sequence[str]] | None,
        max_tokens: int,
        stop: Sequence[str],
    ) -> list[Rule]:
        if choices is None:
            return [Free(self.vocabulary, b, max_tokens, stop) for _, b in encoded]
        if len(choices) * samples != len(encoded) or not all(choices):
            raise ModelError(
                f"small: expected a list of choices per prompt, got {len(choices)} for"
                f" {len(encoded) // samples}; give each prompt at least one"
            )
        return [
            Choices(self.vocabulary, binding, choices[i // samples])
            for i, (_, binding) in enumerate(encoded)
        ]

    @torch.inference_mode()
    def _answers(
        self,
        encoded: Sequence[tuple[list[int], Binding]],
        rules: Sequence[Rule],
        temperature: float,
        generator: torch.Generator,
    ) -> list[Completion]:
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i][0]))
        said: dict[int, Said] = {}
        while order:
            longest = len(encoded[order[-1]][0])
            rows, order = _split(order, max(1, _MOST_TOKENS // longest))
            tokens = [encoded[i][0] for i in rows]
            found = decode(self.network, tokens, [rules[i] for i in rows], temperature, generator)
            said.update(zip(rows, found, strict=True))
        return [
            Completion(
                rules[i].text(said[i].tokens), said[i].tokens, said[i].log_probs, said[i].end
            )
            for i in range(len(encoded))
        ]

    def _fill(
        self,
        encoded: Sequence[tuple[list[int], Binding]],
        schema: Mapping[str, Any],
        max_tokens: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[Completion]:
        """Answers as lines "name: value", each value held to its type; returned as JSON."""
        grown = [(list(tokens), binding) for tokens, binding in encoded]
        values: list[dict[str, Any]] = [{} for _ in encoded]
        spent: list[tuple[list[int], list[float]]] = [([], []) for _ in encoded]
        for name, kind in schema["properties"].items():
            for tokens, binding in grown:
                tokens += self.vocabulary.encode(f"{name.replace('_', ' ')}:", binding)
            rules = [_rule_of(kind, self.vocabulary, b, max_tokens) for _, b in grown]
            found = self._answers(grown, rules, temperature, generator)
            for row, completion in enumerate(found):
                values[row][name] = _value_of(kind, completion.text)
                grown[row][0].extend(token for token in completion.tokens if token != END)
                grown[row][0].extend(self.vocabulary.encode("\n", grown[row][1]))
                spent[row][0].extend(completion.tokens)
                spent[row][1].extend(completion.log_probs)
        return [
            Completion(json.dumps(value), tokens, log_probs)
            for value, (tokens, log_probs) in zip(values, spent, strict=True)
        ]

    def _prompt(self, messages: Messages) -> tuple[list[int], Binding]:
        binding = self.vocabulary.binding()
        return self._turns(messages, binding)[0], binding

    def _with_answer(
        self, messages: Messages, answer: str, rng: np.random.Generator
    ) -> tuple[list[int], list[float]]:
        binding = self.vocabulary.binding(rng)
        tokens, learned = self._turns(messages, binding)
        said = [*self.vocabulary.encode(answer, binding), END]
        return tokens + said, learned + [1.0] * len(said)

    def _turns(self, messages: Messages, binding: Binding) -> tuple[list[int], list[float]]:
        """Tokens up to where the answer begins, and which of them are earlier answers."""
        tokens: list[int] = []
        learned: list[float] = []
        for message in messages:
            if message["role"] == "system":
                continue
            words = self.vocabulary.encode(message["content"], binding)
            is_answer = message["role"] == "assistant"
            turn = [ANSWER, *words, END] if is_answer else [USER, *words]
            tokens += turn
            learned += [float(is_answer and i > 0) for i in range(len(turn))]
        return [*tokens, ANSWER], [*learned, 0.0]


def _rule_of(kind: Mapping, vocabulary: Vocabulary, binding: Binding, max_tokens: int) -> Rule:
    if "enum" in kind:
        return Choices(vocabulary, binding, [str(value) for value in kind["enum"]])
    if kind["type"] == "boolean":
        return Choices(vocabulary, binding, ["yes", "no"])
    if kind["type"] == "integer":
        low, high = kind.get("minimum", 0), kind.get("maximum", 99)
        return Choices(vocabulary, binding, [str(value) for value in range(low, high + 1)])
    if kind["type"] == "string":
        return Free(vocabulary, binding, max_tokens, ("\n",))
    raise ModelError(f"small: no answers of type {kind['type']!r}; use string, integer or boolean")


def _value_of(kind: Mapping, text: str) -> Any:
    if "enum" in kind:
        return next(value for value in kind["enum"] if str(value) == text)
    return {"boolean": lambda: text == "yes", "integer": lambda: int(text)}.get(
        kind["type"], lambda: text
    )()


def _packed(lengths: Sequence[int], row: int) -> list[list[int]]:
    """Which texts share a row: the longest first, each where it just fits."""
    rows: list[list[int]] = []
    room: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        fits = [at for at, left in enumerate(room) if left >= lengths[i]]
        if fits:
            at = min(fits, key=lambda at: room[at])
            rows[at].append(i)
            room[at] -= lengths[i]
        else:
            rows.append([i])
            room.append(row - lengths[i])
    return rows


def _split(order: list[int], count: int) -> tuple[list[int], list[int]]:
    return order[-count:], order[:-count]


def save_small(folder: Path, model: SmallLanguageModel, card: Mapping[str, Any]) -> None:
    """Write weights in half precision, the vocabulary and how they came to be."""
    half = {name: value.half() for name, value in model.network.state_dict().items()}
    save_tree(Path(folder) / "weights.safetensors", half)
    told = {
        "kind": "language model",
        "words": model.vocabulary.words,
        "num_slots": model.vocabulary.num_slots,
        "sizes": model.sizes,
        **card,
    }
    write_atomic(Path(folder) / "card.json", json.dumps(told, indent=1))


def load_small(folder: Path | None = None) -> SmallLanguageModel:
    """Read a small model; the shipped one unless a folder is given.

    Raises:
        CheckpointError: If the folder holds none, or is damaged.
    """
    folder = SHIPPED if folder is None else Path(folder)
    try:
        card = json.loads((folder / "card.json").read_text())
        vocabulary = Vocabulary(card["words"], card["num_slots"])
        model = SmallLanguageModel(vocabulary, **card["sizes"])
    except OSError as error:
        raise CheckpointError(
            f"{folder}: no language model here; make one with mindseye fit-language"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder}/card.json: damaged ({error!r}); fit it again") from error
    weights: dict[str, Tensor] = load_tree(folder / "weights.safetensors")
    try:
        model.network.load_state_dict({name: value.float() for name, value in weights.items()})
    except (RuntimeError, AttributeError) as error:
        cause = str(error).strip().splitlines()[-1].strip()
        raise CheckpointError(f"{folder}: weights of another architecture ({cause})") from error
    return model.eval()


def texts_of(examples: Iterable[Example]) -> Iterable[str]:
    """All that is read and said in examples, one text each: what a vocabulary is made of."""
    for messages, answer in examples:
        said = [m["content"] for m in messages if m["role"] != "system"]
        yield "\n".join([*said, answer])
