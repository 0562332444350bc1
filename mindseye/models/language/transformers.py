"""A local causal language model through the transformers library."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mindseye.core.errors import MissingExtra, ModelError
from mindseye.core.ledger import Ledger
from mindseye.core.protocols import Completion, LanguageModel, Messages
from mindseye.models.language.structured import (
    closed,
    parser,
    with_complaint,
    with_instructions,
)


class TransformersLanguageModel(LanguageModel):
    """A folder that `save_pretrained` wrote, tokenizer included. Nothing is downloaded.

    Choices are not generated but scored: the likeliest is taken, or one drawn by likelihood.

    Args:
        path: The folder.
        device: Where it runs.
        batch_size: Conversations at a time.
        repairs: Times an answer that does not fit the schema is asked for again.

    Raises:
        MissingExtra: If transformers is not installed.
        ModelError: If the folder holds no causal language model.
    """

    def __init__(self, path: Path, *, device: str = "cpu", batch_size: int = 16, repairs: int = 2):
        self.tokenizer, self.net = _load(Path(path))
        self.net.to(device).eval()
        self.path, self.device = Path(path), torch.device(device)
        self.batch_size, self.repairs = batch_size, repairs
        self.ledger = Ledger()

    @torch.inference_mode()
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
        """See `LanguageModel.complete`."""
        began = time.monotonic()
        rows = [messages for messages in prompts for _ in range(samples)]
        # transformers draws from the global generator, which is left as it was
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0 if seed is None else seed)
            if choices is not None:
                among = [list(c) for c in choices for _ in range(samples)]
                answers = [
                    self._choose(messages, few, temperature)
                    for messages, few in zip(rows, among, strict=True)
                ]
            elif schema is not None:
                answers = self._fill(rows, closed(schema), max_tokens, temperature)
            else:
                answers = self._generate(rows, max_tokens, temperature, stop)
        self.ledger.add(calls=len(rows), seconds=time.monotonic() - began)
        return [answers[i : i + samples] for i in range(0, len(answers), samples)]

    def _generate(
        self, rows: Sequence[Messages], max_tokens: int, temperature: float, stop: Sequence[str]
    ) -> list[Completion]:
        answers: list[Completion] = []
        for start in range(0, len(rows), self.batch_size):
            tokens = [self._tokens(messages) for messages in rows[start : start + self.batch_size]]
            answers += self._batch(tokens, max_tokens, temperature, stop)
        return answers

    def _batch(
        self, tokens: list[list[int]], max_tokens: int, temperature: float, stop: Sequence[str]
    ) -> list[Completion]:
        longest, padding = max(map(len, tokens)), self._padding
        given = torch.full((len(tokens), longest), padding)
        mask = torch.zeros_like(given)
        for row, ids in enumerate(tokens):
            given[row, longest - len(ids) :] = torch.tensor(ids)
            mask[row, longest - len(ids) :] = 1
        sampling = {"temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature else {}
        out = self.net.generate(
            input_ids=given.to(self.device),
            attention_mask=mask.to(self.device),
            max_new_tokens=max_tokens,
            do_sample=temperature > 0,
            pad_token_id=padding,
            output_logits=True,
            return_dict_in_generate=True,
            **sampling,
        )
        said = out.sequences[:, longest:].cpu()
        scores = torch.stack(out.logits, 1).float().log_softmax(-1).cpu()
        log_probs = scores.gather(2, said.unsqueeze(2)).squeeze(2)
        self.ledger.add(prompt_tokens=int(mask.sum()))
        return [self._said(s, p, stop) for s, p in zip(said, log_probs, strict=True)]

    def _said(self, tokens: Tensor, log_probs: Tensor, stop: Sequence[str]) -> Completion:
        ends = [i for i, token in enumerate(tokens.tolist()) if token in self._ends]
        length = ends[0] if ends else len(tokens)
        self.ledger.add(completion_tokens=length)
        text = self.tokenizer.decode(tokens[:length], skip_special_tokens=True)
        cuts = [text.index(mark) for mark in stop if mark in text]
        return Completion(
            text[: min(cuts)] if cuts else text,
            tokens[:length].tolist(),
            log_probs[:length].tolist(),
            "stop" if ends or cuts else "max_tokens",
        )

    def _fill(
        self, rows: Sequence[Messages], schema: Mapping, max_tokens: int, temperature: float
    ) -> list[Completion]:
        """As asked for; those that do not fit are asked again, all at once."""
        parse = parser(None, schema)
        told = [with_instructions(messages, schema) for messages in rows]
        asked, answers, reason = dict(enumerate(told)), {}, ""
        for _ in range(self.repairs + 1):
            said = self._generate(list(asked.values()), max_tokens, temperature, ())
            for index, answer in zip(list(asked), said, strict=True):
                try:
                    text = parse(answer.text)
                except ModelError as error:
                    reason = str(error)
                    asked[index] = with_complaint(told[index], answer.text, reason)
                    continue
                del asked[index]
                answers[index] = Completion(
                    text, answer.tokens, answer.log_probs, answer.stop_reason
                )
            if not asked:
                return [answers[index] for index in range(len(rows))]
        raise ModelError(
            f"{self.path}: {len(asked)} of {len(rows)} answers did not fit the schema after "
            f"{self.repairs + 1} tries; the last: {reason}"
        )

    def _choose(self, messages: Messages, choices: list[str], temperature: float) -> Completion:
        before = self._tokens(messages)
        end = [self.tokenizer.eos_token_id] if self.tokenizer.eos_token_id is not None else []
        said = [self.tokenizer.encode(c, add_special_tokens=False) + end for c in choices]
        longest = max(map(len, said))
        tokens = torch.full((len(said), len(before) + longest), self._padding)
        for row, ids in enumerate(said):
            tokens[row, : len(before) + len(ids)] = torch.tensor(before + ids)
        # padding stands on the right, where causality hides it
        logits = self.net(input_ids=tokens.to(self.device)).logits[:, len(before) - 1 : -1]
        scores = logits.float().log_softmax(-1).cpu()
        each = scores.gather(2, tokens[:, len(before) :].unsqueeze(2)).squeeze(2)
        total = torch.stack([row[: len(ids)].sum() for row, ids in zip(each, said, strict=True)])
        among = (total / (temperature or 1.0)).log_softmax(0)
        drawn = torch.multinomial(among.exp(), 1) if temperature else among.argmax()
        best = int(drawn)
        self.ledger.add(prompt_tokens=len(before), completion_tokens=len(said[best]))
        return Completion(choices[best], said[best], [float(among[best])], "stop")

    def _tokens(self, messages: Messages) -> list[int]:
        if self.tokenizer.chat_template:
            text = self.tokenizer.apply_chat_template(
                [dict(message) for message in messages], tokenize=False, add_generation_prompt=True
            )
            return self.tokenizer.encode(text, add_special_tokens=False)
        said = "\n\n".join(f"{message['role']}: {message['content']}" for message in messages)
        return self.tokenizer.encode(f"{said}\n\nassistant: ")

    @property
    def _padding(self) -> int:
        own = self.tokenizer.pad_token_id
        return own if own is not None else (self.tokenizer.eos_token_id or 0)

    @property
    def _ends(self) -> set[int]:
        own = self.net.generation_config.eos_token_id
        own = own if isinstance(own, list) else [own]
        return {token for token in (*own, self.tokenizer.eos_token_id) if token is not None}


def _load(path: Path) -> tuple[Any, Any]:
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingExtra("transformers", "language") from error
    if not (path / "config.json").exists():
        raise ModelError(f"{path}: holds no model; give a folder that save_pretrained wrote")
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        net = AutoModelForCausalLM.from_pretrained(
            path, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path}: no causal language model ({cause[:200]})") from error
    return tokenizer, net
