import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.protocols import Completion
from mindseye.models.language.cache import AnswerCache, default_folder

texts = st.text(st.characters(exclude_categories=["Cs"]))
finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=40)
@given(asked=st.dictionaries(texts, texts | st.integers() | st.none()), text=texts,
       tokens=st.lists(st.integers(0, 9)), log_probs=st.lists(finite))  # fmt: skip
def test_what_is_kept_comes_back(asked, text, tokens, log_probs):
    with tempfile.TemporaryDirectory() as folder:
        cache, said = AnswerCache(Path(folder)), Completion(text, tokens, log_probs, "stop")
        assert cache.get(asked) is None
        cache.put(asked, said)
        assert cache.get(asked) == said
        assert cache.get({**asked, "more": 1, "": 3}) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"asked": {}, "said": {}}', "null"])
def test_a_damaged_answer_is_named_and_asked_anew(tmp_path, content):
    cache = AnswerCache(tmp_path)
    cache.put({"a": 1}, Completion("x"))
    [path] = tmp_path.rglob("*.json")
    path.write_text(content)
    with pytest.warns(UserWarning, match=path.name):
        assert cache.get({"a": 1}) is None
    cache.put({"a": 1}, Completion("y"))
    assert cache.get({"a": 1}).text == "y"


def test_the_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("MINDSEYE_CACHE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("MINDSEYE_CACHE")
    assert default_folder().name == "language"
