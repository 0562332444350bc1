"""Answers kept on disk: what was paid for once is not asked again, and a run that broke goes on.

One small JSON file per answer, named by a hash of all that made it: model, conversation, sampling,
seed, number of the sample.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mindseye.core.checkpoint import write_atomic
from mindseye.core.protocols import Completion


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
