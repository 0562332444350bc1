import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.errors import ModelError
from mindseye.models.language.structured import (
    choice_schema,
    extract_object,
    objection,
    read_choice,
    read_object,
    with_instructions,
)

plain = st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none())


@settings(max_examples=40)
@given(value=plain, before=st.text().filter(lambda t: "{" not in t), after=st.text())
def test_an_object_is_found_whatever_stands_around_it(value, before, after):
    assert extract_object(before + json.dumps(value) + after) == value


@settings(max_examples=40)
@given(st.text())
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ModelError):
        assert isinstance(extract_object(text), dict)


def test_the_first_whole_object_counts():
    assert extract_object('{a} {"x": 1} {"y": 2}') == {"x": 1}
    with pytest.raises(ModelError):
        extract_object('{"a": ' * 10_000)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ({"type": "string"}, "a", 1),
        ({"type": "integer"}, 3, True),
        ({"type": "integer"}, 3, 3.5),
        ({"type": "number", "minimum": 0}, 0.5, -1),
        ({"type": "boolean"}, False, 0),
        ({"enum": ["a", 2]}, 2, "b"),
        ({"type": ["string", "null"]}, None, 1),
        ({"type": "array", "items": {"type": "string"}}, ["a"], ["a", 1]),
    ],
)
def test_values_are_held_to_their_kind(kind, good, bad):
    schema = {"type": "object", "properties": {"x": kind}}
    assert objection({"x": good}, schema) is None
    assert objection({"x": bad}, schema).startswith("x: expected")
    assert objection({}, schema) == "x is missing"
    assert objection({"x": good, "y": 1}, schema) == "y is not asked for"
    with pytest.raises(ModelError, match="x"):
        read_object(json.dumps({"x": bad}), schema)


def test_choices_are_read_strictly():
    choices = ["take apple", "take apple 1", "look"]
    assert read_choice('{"answer": "look"}', choices) == "look"
    assert read_choice(" Take Apple. ", choices) == "take apple"
    for bad in ("take", "look and take apple", "", "{}", "[1]"):
        with pytest.raises(ModelError, match="expected one of 'take apple'"):
            read_choice(bad, choices)


def test_instructions_join_the_system_message():
    system = {"role": "system", "content": "You are wise."}
    user = {"role": "user", "content": "a"}
    [first, last] = with_instructions([system, user], choice_schema(["a"]))
    assert first["content"].startswith("You are wise.\nAnswer with one JSON object")
    assert last == user
    assert [m["role"] for m in with_instructions([user], {})] == ["system", "user"]
