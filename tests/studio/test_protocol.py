import json

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from hypothesis import given
from hypothesis import strategies as st

from mindseye.core.errors import SpecError
from mindseye.core.spaces import Words
from mindseye.studio.protocol import (
    action_sent,
    batched_actions,
    counter_in,
    finite,
    moment_frame,
    read_action,
    read_message,
    text_frame,
)
from mindseye.studio.stage import action_told

SPACES = [
    Discrete(4),
    Discrete(3, start=2),
    Box(-1, 2, (3,), np.float32),
    Box(-np.inf, np.inf, (2, 2), np.float32),
    MultiDiscrete([3, 2]),
    MultiBinary(3),
    Words(50),
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.text())
def test_any_text_is_a_message_or_refused_with_a_sentence(text):
    counter_in(text)
    with pytest.raises(SpecError, match="message"):
        read_message(text, 1000)


@given(st.dictionaries(st.text(), anything))
def test_a_message_of_right_form_is_read_as_it_was_sent(rest):
    message = {**rest, "do": "step"}
    try:
        found = read_message(json.dumps(message), 1 << 16)
    except SpecError:
        assert "NaN" in json.dumps(message) or "Infinity" in json.dumps(message)
    else:
        assert found == message


@given(st.sampled_from(SPACES), anything)
def test_any_action_is_a_member_of_the_space_or_refused(space, given_action):
    try:
        action = read_action(space, given_action)
    except SpecError:
        return
    assert space.contains(action)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_actions_come_back_as_they_were_sent(space):
    space.seed(1)
    for _ in range(10):
        action = space.sample()
        action = int(action) if isinstance(space, Discrete) else action
        again = read_action(space, json.loads(json.dumps(action_sent(action))))
        assert np.all(again == action)
    batch = batched_actions(space, [again, again])
    assert len(batch) == 2


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_what_a_page_is_told_of_actions_is_plain_json(space):
    told = json.loads(text_frame(action_told(space, ())))
    assert told["kind"] in ("discrete", "box", "choices", "words")


def test_bounds_of_boxes_are_kept():
    with pytest.raises(SpecError, match="bounds"):
        read_action(SPACES[2], [0.0, 0.0, 2.5])
    with pytest.raises(SpecError, match="list of 3"):
        read_action(SPACES[2], [0.0, 0.0])
    with pytest.raises(SpecError, match="numbers"):
        read_action(SPACES[2], [0.0, 0.0, True])
    with pytest.raises(SpecError, match="numbers"):
        read_action(SPACES[2], [[0.0], 0.0, 0.0])


def test_a_moment_is_its_length_its_json_and_its_pictures():
    frame = moment_frame({"is": "moment", "é": 1}, [b"abc", b"de"])
    size = int.from_bytes(frame[:4], "big")
    assert json.loads(frame[4 : 4 + size]) == {"is": "moment", "é": 1}
    assert frame[4 + size :] == b"abcde"


def test_numbers_json_cannot_carry_are_left_out():
    assert [finite(x) for x in (np.nan, np.inf, None, 1 / 3)] == [None, None, None, 0.333333]
