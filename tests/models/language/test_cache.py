import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.protocols import Completion
from mindseye.models.language.cache import AnswerCache, Remembered, default_folder
from mindseye.models.language.scripted import ScriptedLanguageModel

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


def test_a_question_is_thought_about_once_unless_chance_decides():
    inner = ScriptedLanguageModel(lambda messages: messages[-1]["content"].upper())
    model = Remembered(inner)
    prompts = [[{"role": "user", "content": text}] for text in "abab"]
    for _ in range(2):
        assert [c.text for [c] in model.complete(prompts)] == list("ABAB")
    assert len(inner.heard) == 2
    assert (model.ledger.calls, model.ledger.cache_hits) == (8, 6)
    assert [c.text for [c] in model.complete(prompts, choices=[["A", "B"]] * 4)] == list("ABAB")
    assert len(inner.heard) == 4
    model.complete(prompts, temperature=1.0)
    assert len(inner.heard) == 8
