"""Answers in a given form: told to the model, taken out of what it says, held to the form.

Schemas are flat: an object whose properties are strings, numbers, integers, booleans or one of a
list of values, or lists of these.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindseye.core.errors import ModelError
from mindseye.core.protocols import Completion, Messages

Schema = Mapping[str, Any]
Parse = Callable[[str], str]
"""The usable answer in a text; raises ModelError that says what is wrong with it."""

_STARTS = 32
"""Braces at which an object may begin; a text with more of them before it is no answer."""
_TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "null": type(None),
}


def choice_schema(choices: Sequence[str]) -> Schema:
    """An object whose `answer` is one of the choices."""
    return {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(choices)}},
        "required": ["answer"],
        "additionalProperties": False,
    }


def closed(schema: Schema) -> Schema:
    """The same, with nothing missing and nothing more allowed, as strict servers want it."""
    required = schema.get("required", list(schema.get("properties", {})))
    return {"type": "object", "additionalProperties": False, **schema, "required": required}


def with_instructions(messages: Messages, schema: Schema) -> Messages:
    """Messages whose first, a system message, also says what form the answer must have."""
    form = json.dumps(schema, ensure_ascii=False)
    said = f"Answer with one JSON object that satisfies this schema, and nothing else: {form}"
    if messages and messages[0]["role"] == "system":
        first = {"role": "system", "content": f"{messages[0]['content']}\n{said}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": said}, *messages]


def with_complaint(messages: Messages, answer: str, reason: str) -> Messages:
    """The conversation with a bad answer and what was wrong with it."""
    said = f"That cannot be used: {reason}. Answer again, in the form asked for, and nothing else."
    return [
        *messages,
        {"role": "assistant", "content": answer},
        {"role": "user", "content": said},
    ]


def parser(choices: Sequence[str] | None, schema: Schema | None) -> Parse:
    """What makes a usable answer of a text: one of the choices, JSON text, or the text itself."""
    if choices is not None:
        return lambda text: read_choice(text, choices)
    if schema is not None:
        return lambda text: json.dumps(read_object(text, schema), ensure_ascii=False)
    return lambda text: text


def read_choice(text: str, choices: Sequence[str]) -> str:
    """The choice a text makes, verbatim: in JSON, or by saying it and nothing else.

    Raises:
        ModelError: If it makes none.
    """
    plain = text.strip().strip("\"'`")
    try:
        value = extract_object(text).get("answer")
        plain = value if isinstance(value, str) else plain
    except ModelError:
        pass  # said without JSON
    if plain in choices:
        return plain
    alike = [c for c in choices if c.casefold().strip(" .") == plain.casefold().strip(" .")]
    if len(alike) == 1:
        return alike[0]
    few = ", ".join(map(repr, choices[:8])) + (", ..." if len(choices) > 8 else "")
    raise ModelError(f"expected one of {few}, got {plain[:80]!r}")


def read_object(text: str, schema: Schema) -> dict[str, Any]:
    """The JSON object in a text.

    Raises:
        ModelError: If there is none, or it does not satisfy the schema.
    """
    value = extract_object(text)
    if reason := objection(value, schema):
        raise ModelError(reason)
    return value


def extract_object(text: str) -> dict[str, Any]:
    """The first whole JSON object that stands in a text, whatever stands around it.

    Raises:
        ModelError: If there is none.
    """
    decoder = json.JSONDecoder()
    start = text.find("{")
    for _ in range(_STARTS):
        if start < 0:
            break
        try:
            value, _ = decoder.raw_decode(text, start)
            return value
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
    raise ModelError(f"expected a JSON object, got {text.strip()[:80]!r}")


def objection(value: Mapping[str, Any], schema: Schema) -> str | None:
    """What is wrong with an object; None if nothing is."""
    properties = schema.get("properties", {})
    for name in closed(schema)["required"]:
        if name not in value:
            return f"{name} is missing"
    for name, content in value.items():
        if name not in properties:
            if closed(schema)["additionalProperties"] is False:
                return f"{name} is not asked for"
        elif reason := _about(content, properties[name]):
            return f"{name}: {reason}"
    return None


def _about(value: Any, kind: Schema) -> str | None:
    if "enum" in kind:
        return None if value in kind["enum"] else f"expected one of {kind['enum']}, got {value!r}"
    names = kind.get("type", list(_TYPES))
    names = [names] if isinstance(names, str) else list(names)
    is_bool = isinstance(value, bool)
    if not any(isinstance(value, _TYPES[n]) and is_bool == (n == "boolean") for n in names):
        return f"expected {' or '.join(names)}, got {value!r}"[:200]
    if isinstance(value, list):
        found = (_about(item, kind.get("items", {})) for item in value)
        return next((reason for reason in found if reason), None)
    if isinstance(value, str) or is_bool or value is None:
        return None
    low, high = kind.get("minimum", value), kind.get("maximum", value)
    return None if low <= value <= high else f"expected from {low} to {high}, got {value}"


def asked_until_usable(
    once: Callable[[Messages], Completion], messages: Messages, parse: Parse, repairs: int
) -> tuple[Completion, str]:
    """Ask; while the answer cannot be used, say why and ask again.

    Args:
        once: Asks the model.
        messages: The conversation.
        parse: Makes a usable answer.
        repairs: How often to ask again.

    Returns:
        The last completion, and the usable answer in it.

    Raises:
        ModelError: If no answer could be used.
    """
    asked, reason = messages, ""
    for _ in range(repairs + 1):
        said = once(asked)
        try:
            return said, parse(said.text)
        except ModelError as error:
            reason = str(error)
            # one complaint at a time: the last bad answer is the one to mend
            asked = with_complaint(messages, said.text, reason)
    raise ModelError(f"no usable answer after {repairs + 1} tries; the last: {reason}")
