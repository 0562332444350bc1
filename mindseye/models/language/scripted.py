"""A language model that says what a test tells it to. For tests of plumbing; never for a claim."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindseye.core.ledger import Ledger
from mindseye.core.protocols import Completion, LanguageModel, Messages
from mindseye.models.language.structured import parser


class ScriptedLanguageModel(LanguageModel):
    """Answers by a function of the conversation.

    Args:
        answer: What to say; where choices or a schema are given, its answer must fit them.
    """

    def __init__(self, answer: Callable[[Messages], Any]):
        self.answer = answer
        self.ledger = Ledger()
        self.heard: list[Messages] = []
        """All conversations so far."""

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
        answers = []
        for index, messages in enumerate(prompts):
            self.heard.append(messages)
            said = self.answer(messages)
            text = said if isinstance(said, str) else json.dumps(said)
            usable = parser(choices[index] if choices is not None else None, schema)(text)
            answers.append([Completion(usable)] * samples)
        self.ledger.add(calls=len(prompts) * samples)
        return answers
