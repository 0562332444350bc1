from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from mindseye.core.spaces import Words


def test_words_accept_any_unicode_text():
    assert "ein Schlüssel 🗝" in Words()
    assert "toolong" not in Words(max_length=3)
    assert Words().sample() in Words()


def test_a_batch_of_words_is_a_list_of_texts():
    batch = batch_space(Words(), 2)
    assert ["a", "b"] in batch
    assert ["a"] not in batch
    assert batch.sample() in batch
    assert list(iterate(batch, ["a", "b"])) == ["a", "b"]
    assert concatenate(Words(), ("a", "b"), create_empty_array(Words(), 2)) == ["a", "b"]
