"""Any server that speaks OpenAI's chat completions: hosted ones, vLLM, SGLang, llama.cpp, Ollama.

Requests fail: they are sent again a bounded number of times, later each time. Answers can be
useless: the model is told why and asked again, a bounded number of times. What was answered is kept
on disk at once, so that a run that breaks goes on where it was.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mindseye.core.errors import ConfigError, ModelError
from mindseye.core.ledger import Ledger
from mindseye.core.protocols import Completion, LanguageModel, Messages
from mindseye.models.language.cache import AnswerCache
from mindseye.models.language.http import Reply, Trouble, post
from mindseye.models.language.structured import (
    asked_until_usable,
    choice_schema,
    closed,
    parser,
    with_instructions,
)

KEY = "MINDSEYE_API_KEY"
"""Environment variable of the key; it is sent to the server and written nowhere."""


@dataclass(frozen=True)
class Prices:
    """Per million tokens, in any currency."""

    prompt: float = 0.0
    completion: float = 0.0


class RemoteLanguageModel(LanguageModel):
    """A model behind `URL/chat/completions`.

        model = RemoteLanguageModel("qwen3", "http://localhost:8000/v1")

    Args:
        model: Its name on the server.
        url: Base, up to and including the version.
        cache: Where answers are kept; None: nowhere. With it, the same question with the same seed
            is answered the same for ever.
        prices: For the ledger.
        concurrency: Requests at a time.
        timeout: Seconds until a silent server counts as failed.
        retries: Times a failed request is sent again.
        backoff: Seconds before the first retry; doubled each time, up to a minute, with jitter.
        repairs: Times an unusable answer is asked for again.
        log_probs: Ask for log-probabilities of tokens; not every server has them.

    Raises:
        ConfigError: If the URL is none.
    """

    def __init__(
        self,
        model: str,
        url: str,
        *,
        cache: AnswerCache | None = None,
        prices: Prices | None = None,
        concurrency: int = 8,
        timeout: float = 120.0,
        retries: int = 5,
        backoff: float = 0.5,
        repairs: int = 2,
        log_probs: bool = False,
    ):
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"remote: expected http://... or https://..., got {url!r}")
        self.model, self.url = model, url.rstrip("/")
        self.cache, self.prices = cache, prices or Prices()
        self.concurrency, self.timeout, self.retries = concurrency, timeout, retries
        self.backoff, self.repairs, self.log_probs = backoff, repairs, log_probs
        self.ledger = Ledger()
        self._lock = threading.Lock()
        self._rng = np.random.default_rng()  # spreads retries in time; no answer depends on it
        self._enforces = True

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
        """See `LanguageModel.complete`.

        Raises:
            ModelError: If a prompt stays without a usable answer. Requests under way are finished
                and, with a cache, kept: the same call goes on where this one broke.
        """
        began = time.monotonic()
        settings = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stop": list(stop),
            "schema": None if schema is None else closed(schema),
        }
        hopeless = threading.Event()
        with ThreadPoolExecutor(self.concurrency) as pool:
            futures = []
            for index, messages in enumerate(prompts):
                for sample in range(samples):
                    asked = {
                        "model": self.model,
                        "url": self.url,
                        "messages": [dict(message) for message in messages],
                        **settings,
                        "choices": None if choices is None else list(choices[index]),
                        "seed": seed,
                        "sample": sample,
                    }
                    futures.append(pool.submit(self._one, asked, hopeless))
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # those that did not begin yet never will; those under way are waited for
                hopeless.set()
                for future in futures:
                    future.cancel()
        self._count(seconds=time.monotonic() - began)
        broken = [f for f in futures if f.cancelled() or f.exception() is not None]
        for future in futures:
            if not future.cancelled() and (error := future.exception()) is not None:
                if not isinstance(error, ModelError):
                    raise error
                kept = "; answers so far are kept, the same command goes on" if self.cache else ""
                raise ModelError(
                    f"remote: {len(broken)} of {len(futures)} answers are missing: {error}{kept}"
                ) from error
        answers = [future.result() for future in futures]
        return [answers[i : i + samples] for i in range(0, len(answers), samples)]

    def _one(self, asked: Mapping[str, Any], hopeless: threading.Event) -> Completion:
        found = self.cache.get(asked) if self.cache is not None else None
        if found is not None:
            self._count(calls=1, cache_hits=1)
            return found
        messages, among, schema = asked["messages"], asked["choices"], asked["schema"]
        form = choice_schema(among) if among is not None else schema
        if form is not None:
            messages = with_instructions(messages, form)
        once = partial(self._request, asked, form, hopeless)
        said, text = asked_until_usable(once, messages, parser(among, schema), self.repairs)
        answer = Completion(text, said.tokens, said.log_probs, said.stop_reason)
        if self.cache is not None:
            self.cache.put(asked, answer)
        self._count(calls=1)
        return answer

    def _request(
        self,
        asked: Mapping[str, Any],
        form: Mapping[str, Any] | None,
        hopeless: threading.Event,
        messages: Messages,
    ) -> Completion:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "max_tokens": asked["max_tokens"],
            "temperature": asked["temperature"],
        }
        if asked["seed"] is not None:
            body["seed"] = (asked["seed"] * 1009 + asked["sample"]) % 2**31
        if self.log_probs:
            body["logprobs"] = True
        if form is None:
            body |= {"stop": asked["stop"]} if asked["stop"] else {}
        else:
            # the form itself takes room
            longest = max((len(c) for c in asked["choices"] or ()), default=0)
            body["max_tokens"] = max(body["max_tokens"], 32 + longest)
            if self._enforces:
                wanted = {"name": "answer", "strict": True, "schema": form}
                body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        reply = self._sent(body, hopeless)
        self._count(
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            cost=(
                reply.prompt_tokens * self.prices.prompt
                + reply.completion_tokens * self.prices.completion
            )
            / 1e6,
        )
        return reply.completion

    def _sent(self, body: dict[str, Any], hopeless: threading.Event) -> Reply:
        """Send until it is answered or there is no hope."""
        wait_for = self.backoff
        for attempt in range(self.retries + 1):
            try:
                key = os.environ.get(KEY, "")
                return post(f"{self.url}/chat/completions", body, key, self.timeout)
            except Trouble as trouble:
                if trouble.status == 400 and "response_format" in body:
                    # this server cannot enforce a form; ours is checked in any case
                    self._enforces = False
                    del body["response_format"]
                    continue
                if not trouble.passes or attempt == self.retries:
                    tries = f" ({attempt + 1} tries)" if attempt else ""
                    raise ModelError(f"{self.url}: {trouble}{tries}") from trouble
                spread = wait_for * (0.5 + self._rng.random())
                pause = max(spread, min(trouble.retry_after, 60.0))
            self._count(retries=1)
            wait_for = min(60.0, 2 * wait_for)
            if hopeless.wait(pause):
                raise ModelError(f"{self.url}: given up, because another request failed")
        raise ModelError(f"{self.url}: no answer without a form")

    def _count(self, **amounts: float) -> None:
        with self._lock:
            self.ledger.add(**amounts)
