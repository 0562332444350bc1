import json

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.errors import DataError, SpecError
from mindseye.core.space_json import space_from_json, space_to_json
from mindseye.core.spaces import Words
from mindseye.experience.schema import (
    ColumnSpec,
    column_of,
    grow,
    paths,
    smallest_integer,
)

floats = st.floats(-1e3, 1e3, width=32)
keys = st.text(min_size=1, max_size=5)
leaf_spaces = st.one_of(
    st.builds(lambda low, wide: spaces.Box(low, low + abs(wide), (2, 3)), floats, floats),
    st.builds(
        lambda low: spaces.Box(np.float32([low, -np.inf]), np.float32([9e9, np.inf])), floats
    ),
    st.just(spaces.Box(0, 255, (4, 4, 3), np.uint8)),
    st.just(spaces.Box(np.iinfo(np.int64).min, np.iinfo(np.int64).max, (), np.int64)),
    st.builds(
        lambda n, start: spaces.Discrete(n, start=start), st.integers(1, 9), st.integers(-99, 2**40)
    ),
    st.builds(lambda n: spaces.MultiDiscrete([n, 2], start=[3, -4]), st.integers(1, 300)),
    st.builds(lambda n: spaces.MultiDiscrete(np.full((2, 2, 3), n)), st.integers(1, 300)),
    st.builds(lambda n: spaces.Discrete(n, dtype=np.uint8), st.integers(1, 9)),
    st.builds(spaces.MultiBinary, st.integers(1, 4)),
    st.builds(Words, st.integers(1, 99)),
)
any_space = st.recursive(
    leaf_spaces,
    lambda inner: st.one_of(
        st.dictionaries(keys, inner, min_size=1, max_size=3).map(spaces.Dict),
        st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple),
    ),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(any_space)
def test_any_space_survives_json(space):
    text = json.dumps(space_to_json(space), allow_nan=False)
    assert space_from_json(json.loads(text)) == space


def test_a_space_that_cannot_be_stored_is_refused():
    with pytest.raises(SpecError, match="cannot be stored"):
        space_to_json(spaces.Graph(spaces.Discrete(2), None))


@pytest.mark.parametrize("raw", [{}, {"type": "Sphere"}, {"type": "Box", "low": "x"}, None, []])
def test_what_is_no_space_is_named(raw):
    with pytest.raises(DataError, match="the schema"):
        space_from_json(raw, "the schema")


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (0, 255, "uint8"),
        (0, 256, "int16"),
        (-1, 1, "int8"),
        (-129, 0, "int16"),
        (5, 9, "uint8"),
        (0, 40_000, "int32"),
        (0, 2**40, "int64"),
    ],
)
def test_integers_take_the_smallest_type(low, high, name):
    assert smallest_integer(low, high) == name


def test_a_symbolic_view_takes_a_byte_per_layer():
    view = spaces.MultiDiscrete(np.full((7, 7, 3), 11))
    assert column_of(("observation",), view) == ColumnSpec(("observation",), "uint8", (7, 7, 3))


def test_names_of_columns_tell_all_paths_apart():
    specs = [ColumnSpec(p, "uint8") for p in (("a.b",), ("a", "b"), ("a/b",), ("a%2e%b",))]
    assert len({spec.name for spec in specs}) == 4


def test_names_of_columns_stay_in_their_folder():
    assert "/" not in ColumnSpec(("observation", "../up"), "uint8").name


trees = st.recursive(
    st.integers(),
    lambda inner: st.one_of(
        st.dictionaries(keys, inner, min_size=1, max_size=3),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=6,
)


@given(trees)
def test_a_tree_grows_back_from_its_paths(tree):
    assert grow(paths(tree)) == tree
