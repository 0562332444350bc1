"""Language models behind one protocol."""

import os
from pathlib import Path

from mindseye.core.errors import ConfigError
from mindseye.core.protocols import LanguageModel

__all__ = ["LANGUAGE", "describe_language", "open_language"]

LANGUAGE = "MINDSEYE_LANGUAGE"
"""Environment variable with the language model to use where none is named."""

_FORMS = (
    "small",
    "small:FOLDER",
    "remote:MODEL@http://HOST/v1",
    "transformers:PATH",
)


def open_language(spec: str = "") -> LanguageModel:
    """A language model by name.

    Args:
        spec: "small" is ours, "small:FOLDER" one fitted here, "remote:MODEL@URL" a server's,
            "transformers:PATH" a local one. Empty: the environment variable MINDSEYE_LANGUAGE, or
            else "small".

    Raises:
        ConfigError: If it is none of these.
        CheckpointError: If there is no such small model.
        MissingExtra: If transformers is not installed.
    """
    kind, rest = _parts(spec)
    match kind:
        case "small":
            from mindseye.models.language.small import load_small

            return load_small(Path(rest) if rest else None)
        case "remote":
            from mindseye.models.language.cache import AnswerCache, default_folder
            from mindseye.models.language.remote import RemoteLanguageModel

            name, _, url = rest.rpartition("@")
            return RemoteLanguageModel(name, url, cache=AnswerCache(default_folder()))
        case _:
            from mindseye.models.language.transformers import TransformersLanguageModel

            return TransformersLanguageModel(Path(rest))


def describe_language(spec: str = "") -> tuple[bool, str]:
    """Whether the language model named could be opened, as far as one sees without, and a line."""
    try:
        kind, rest = _parts(spec)
    except ConfigError as error:
        return False, str(error)
    match kind:
        case "remote":
            from mindseye.models.language.remote import KEY

            name, _, url = rest.rpartition("@")
            key = f"{KEY} is {'set' if os.environ.get(KEY) else 'not set'}"
            return True, f"{name} at {url}, {key}"
        case "small":
            from mindseye.models.language.small import SHIPPED

            folder = Path(rest) if rest else SHIPPED
            if (folder / "card.json").exists():
                return True, f"small, {folder if rest else 'shipped with the package'}"
            return False, f"small: nothing in {folder}; run: mindseye fit-language"
        case _:
            there = (Path(rest) / "config.json").exists()
            return there, rest if there else f"transformers: no model in {rest}"


def _parts(spec: str) -> tuple[str, str]:
    spec = spec or os.environ.get(LANGUAGE, "") or "small"
    kind, _, rest = spec.partition(":")
    name, _, url = rest.rpartition("@")
    whole = {"small": True, "remote": bool(name and url), "transformers": bool(rest)}
    if not whole.get(kind, False):
        raise ConfigError(f"language: expected {', '.join(_FORMS)}; got {spec!r}")
    return kind, rest
