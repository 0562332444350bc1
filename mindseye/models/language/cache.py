"""Answers kept on disk: what was paid for once is not asked again, and a run that broke goes on.

One small JSON file per answer, named by a hash of all that made it: model, conversation, sampling,
seed, number of the sample.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mindseye.core.checkpoint import write_atomic
from mindseye.core.protocols import Completion, LanguageModel, Messages


def default_folder() -> Path:
    """`MINDSEYE_CACHE`, or a folder of the user's caches."""
    given = os.environ.get("MINDSEYE_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "mindseye" / "language"


class AnswerCache:
    """Completions by what was asked.

    Safe for several threads and processes: files appear whole, and two that answer the same
    question write the same name.

    Args:
        folder: Made when first written to.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def get(self, asked: Mapping[str, Any]) -> Completion | None:
        """The answer, or None. A damaged file is named in a warning and asked anew."""
        path = self._path(asked)
        try:
            raw = json.loads(path.read_text())
            if raw["asked"] != json.loads(_text(asked)):
                raise ValueError("it answers another question")
            said = raw["said"]
            found = Completion(
                str(said["text"]),
                [int(token) for token in said["tokens"]],
                [float(value) for value in said["log_probs"]],
                str(said["stop_reason"]),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError) as error:
            warnings.warn(f"{path}: damaged ({error}); it is asked anew", stacklevel=2)
            return None
        return found

    def put(self, asked: Mapping[str, Any], said: Completion) -> None:
        """Keep an answer.

        Raises:
            DataError: If it cannot be written.
        """
        content = {"asked": json.loads(_text(asked)), "said": asdict(said)}
        write_atomic(self._path(asked), json.dumps(content, ensure_ascii=False, indent=1))

    def _path(self, asked: Mapping[str, Any]) -> Path:
        name = hashlib.sha256(_text(asked).encode()).hexdigest()
        return self.folder / name[:2] / f"{name[2:34]}.json"


def _text(asked: Mapping[str, Any]) -> str:
    return json.dumps(asked, sort_keys=True, ensure_ascii=True)


class Remembered(LanguageModel):
    """Another model that thinks about every question once, as long as this object lives.

    Only where answers do not depend on chance; others are asked for each time. Questions that occur
    several times in a batch are asked once, too.

    Args:
        model: Who answers.
    """

    def __init__(self, model: LanguageModel):
        self.model, self.ledger = model, model.ledger
        self._known: dict[str, list[Completion]] = {}

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
        settings = {"max_tokens": max_tokens, "stop": stop, "schema": schema, "samples": samples}
        if temperature > 0:
            return self.model.complete(
                prompts, temperature=temperature, seed=seed, choices=choices, **settings
            )
        among = [None] * len(prompts) if choices is None else list(choices)
        keys = [
            _text({"prompt": list(map(dict, p)), "among": few, **settings})
            for p, few in zip(prompts, among, strict=True)
        ]
        fresh = {key: i for i, key in enumerate(keys) if key not in self._known}
        if fresh:
            asked = [prompts[i] for i in fresh.values()]
            few = None if choices is None else [choices[i] for i in fresh.values()]
            found = self.model.complete(asked, choices=few, seed=seed, **settings)
            self._known.update(zip(fresh, found, strict=True))
        again = (len(keys) - len(fresh)) * samples
        self.ledger.add(calls=again, cache_hits=again)
        return [self._known[key] for key in keys]
