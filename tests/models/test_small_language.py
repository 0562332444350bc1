import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mindseye.core.errors import CheckpointError, ModelError
from mindseye.learners.language_fitting import LanguageFitting
from mindseye.models.language.network import WordTransformer
from mindseye.models.language.small import SmallLanguageModel, load_small, save_small
from mindseye.models.language.words import END, UNKNOWN, Vocabulary, joined, pieces

WORDS = ["what", "is", "it", "?", "yes", "no", ".", ":", "\n", ",", "1", "2", "colour"]


def user(text):
    return [{"role": "user", "content": text}]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SmallLanguageModel(Vocabulary(WORDS, 8), units=32, layers=2, heads=2).eval()


@given(st.text())
def test_any_text_survives_being_cut_and_joined(text):
    once = joined(pieces(text))
    assert joined(pieces(once)) == once


def test_sentences_come_back_as_they_were():
    text = 'You did it: "A moved", 2 down (fast). You have $40.\nYou can: go; stop.'
    assert joined(pieces(text.replace('"', ""))) == text.replace('"', "")


def test_unknown_words_are_bound_and_said_again():
    vocabulary = Vocabulary(WORDS, 2)
    binding = vocabulary.binding()
    tokens = vocabulary.encode("what is Kelun, größe, Kelun, drei?", binding)
    assert tokens[2] == tokens[6] >= vocabulary.first_slot
    assert tokens[8] == UNKNOWN
    assert vocabulary.decode(tokens[:6], binding) == "what is Kelun, größe,"


def test_rare_words_are_names():
    texts = ["what is kelun?", "what is dorek?", "what is it?"]
    assert Vocabulary.of(texts, share=0.5).words == ["?", "is", "what"]


def test_a_capital_alone_is_a_name():
    vocabulary = Vocabulary.of(["A moves left.", "A moves right."], share=0.1)
    binding = vocabulary.binding()
    assert "A" not in vocabulary.words
    assert vocabulary.encode("A", binding) == [vocabulary.first_slot]
    # and so it is for those who listed it
    assert Vocabulary(["A"]).encode("A", binding) == [vocabulary.first_slot]


def test_saying_word_by_word_equals_reading_at_once():
    torch.manual_seed(1)
    network = WordTransformer(20, 4, units=32, layers=3, heads=2).eval()
    for layer in network.layers:
        torch.nn.init.normal_(layer.out.weight, std=0.2)
        torch.nn.init.normal_(layer.down.weight, std=0.2)
    tokens = torch.randint(5, 20, (3, 9))
    whole = network.logits(network(tokens, torch.ones_like(tokens)))
    scores, cache = network.read(tokens[:, :4], torch.ones(3, 4, dtype=torch.long), room=5)
    for at in range(4, 9):
        assert torch.allclose(scores, whole[:, at - 1], atol=1e-4)
        scores, cache = network.say(tokens[:, at], cache)
    assert torch.allclose(scores, whole[:, -1], atol=1e-4)


def test_neither_padding_nor_a_neighbour_in_the_row_is_heard():
    torch.manual_seed(1)
    network = WordTransformer(20, 4, units=32, layers=3, heads=2).eval()
    for layer in network.layers:
        torch.nn.init.normal_(layer.out.weight, std=0.2)
    text = torch.randint(5, 20, (1, 6))
    alone = network(text, torch.ones_like(text))
    padded = torch.cat([torch.zeros(1, 3, dtype=torch.long), text], 1)
    behind = network(padded, (padded > 0).long())[:, 3:]
    assert torch.allclose(alone, behind, atol=1e-4)
    shared = torch.cat([torch.randint(5, 20, (1, 4)), text], 1)
    segment = torch.tensor([[1] * 4 + [2] * 6])
    assert torch.allclose(alone, network(shared, segment)[:, 4:], atol=1e-4)


def test_answers_are_one_of_the_choices(model):
    found = model.complete([user("what is it?")] * 3, choices=[["yes", "no no"]] * 3, samples=2)
    assert all(answer.text in ("yes", "no no") for answers in found for answer in answers)
    assert all(answer.tokens[-1] == END for answers in found for answer in answers)


def test_choices_are_drawn_as_often_as_they_are_likely(model):
    answer = model.complete(
        [user("is it?")], choices=[["yes", "no"]], samples=400, temperature=1.0, seed=3
    )[0]
    said = np.mean([a.text == "yes" for a in answer])
    logs = {a.text: a.log_probs[0] for a in answer}
    assert said == pytest.approx(np.exp(logs["yes"]), abs=0.08)
    assert sum(np.exp(list(logs.values()))) == pytest.approx(1, abs=1e-4)


def test_a_schema_is_kept(model):
    kinds = {
        "colour": {"enum": ["red", "dark blue"]},
        "many": {"type": "integer", "maximum": 2},
        "done": {"type": "boolean"},
        "said": {"type": "string"},
    }
    schema = {"type": "object", "properties": kinds}
    value = json.loads(model.complete([user("what?")], schema=schema, max_tokens=5)[0][0].text)
    assert value["colour"] in ("red", "dark blue")
    assert 0 <= value["many"] <= 2
    assert isinstance(value["done"], bool)
    assert isinstance(value["said"], str)


def test_names_not_in_the_prompt_are_never_said(model):
    text = model.complete([user("kelun is what?")], max_tokens=30, temperature=2.0, seed=1)[0][0]
    assert set(pieces(text.text)) <= {*WORDS, "kelun"}


def test_batching_changes_nothing(model):
    prompts = [user("what is kelun?"), user("is it kelun, dorek, it?"), user("yes")]
    together = model.complete(prompts, max_tokens=6)
    alone = [model.complete([prompt], max_tokens=6)[0] for prompt in prompts]
    assert [a[0].tokens for a in together] == [a[0].tokens for a in alone]


def test_the_ledger_counts(model):
    model.complete([user("what is it?")], choices=[["yes"]], samples=2)
    assert (model.ledger.calls, model.ledger.completion_tokens) == (2, 4)
    assert model.ledger.prompt_tokens == 2 * 6


def test_no_choices_are_refused(model):
    with pytest.raises(ModelError, match="at least one"):
        model.complete([user("what?")], choices=[[]])


def test_it_learns_to_look_up_whatever_the_names():
    rng = np.random.default_rng(0)

    def lesson():
        names = rng.permutation([f"n{chr(97 + i)}" for i in range(20)])[:10].tolist()
        told = "\n".join(f"{a} is {b}." for a, b in zip(names[:5], names[5:], strict=True))
        messages, order = user(f"{told}\n"), rng.permutation(5)
        for at in order:
            messages += user(f"what is {names[at]}?")
            messages.append({"role": "assistant", "content": names[5 + at]})
        return messages[:-1], names[5 + order[-1]]

    torch.manual_seed(0)
    small = SmallLanguageModel(Vocabulary(WORDS, 16), units=64, layers=2, heads=2)
    fitting = LanguageFitting(small, learning_rate=4e-3)
    for _ in range(140):
        metrics = fitting.update(small.batch([lesson() for _ in range(32)], rng))
    assert metrics["loss/language"] < 0.2
    asked = [user("kelun is dorek.\nfaz is ümi.\n") + user("what is faz?")]
    assert small.complete(asked, max_tokens=3)[0][0].text == "ümi"


def test_what_is_saved_comes_back(model, tmp_path):
    save_small(tmp_path, model, {"command": "test"})
    again = load_small(tmp_path)
    prompt = [user("what is kelun?")]
    assert again.complete(prompt, max_tokens=5)[0][0].text == (
        model.complete(prompt, max_tokens=5)[0][0].text
    )


def test_damaged_folders_are_named(model, tmp_path):
    with pytest.raises(CheckpointError, match="fit-language"):
        load_small(tmp_path / "nowhere")
    save_small(tmp_path, model, {})
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        load_small(tmp_path)
