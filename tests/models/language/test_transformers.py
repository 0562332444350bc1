"""A real local model, tiny and untrained, behind both backends."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from mindseye.core.errors import ConfigError, ModelError
from mindseye.models.language import describe_language, open_language

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

_spec = importlib.util.spec_from_file_location(
    "chat_server", Path(__file__).with_name("chat_server.py")
)
server = importlib.util.module_from_spec(_spec)
sys.modules["chat_server"] = server
_spec.loader.exec_module(server)

TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Saves a Llama of a few thousand weights and a tokenizer of single characters."""
    folder = tmp_path_factory.mktemp("model")
    letters = [chr(i) for i in range(32, 127)]
    words = {token: i for i, token in enumerate(["<end>", "<pad>", *letters])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token=" "))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Split(
        tokenizers.Regex("[^\\n]|\\n"), "isolated"
    )
    inner.decoder = tokenizers.decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<end>", pad_token="<pad>", chat_template=TEMPLATE
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, eos_token_id=0, pad_token_id=1,
        bos_token_id=None,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def local(folder):
    return open_language(f"transformers:{folder}")


def user(text):
    return [{"role": "user", "content": text}]


def test_batches_say_what_single_prompts_say(local):
    prompts = [user("a"), user("a much longer prompt"), user("b c")]
    together = local.complete(prompts, max_tokens=12)
    alone = [local.complete([prompt], max_tokens=12)[0] for prompt in prompts]
    assert [c[0].text for c in together] == [c[0].text for c in alone]
    assert [c[0].tokens for c in together] == [c[0].tokens for c in alone]
    assert all(value <= 0 for [c] in together for value in c.log_probs)


def test_seeds_decide_samples_and_the_global_generator_is_left_alone(local):
    before = torch.random.get_rng_state()
    first, second, other = (
        [
            c.text
            for c in local.complete([user("a")], samples=3, temperature=1.0, seed=s, max_tokens=8)[
                0
            ]
        ]
        for s in (1, 1, 2)
    )
    assert first == second
    assert first != other
    assert len(set(first)) > 1
    assert torch.equal(before, torch.random.get_rng_state())


def test_choices_are_scored_as_the_model_would_say_them(local):
    choices = ["yes", "no", "not at all"]
    [[said]] = local.complete([user("a")], choices=[choices])
    scores = []
    before = local._tokens(user("a"))
    for choice in choices:
        ids = [*local.tokenizer.encode(choice, add_special_tokens=False), 0]
        with torch.no_grad():
            logits = local.net(torch.tensor([before + ids])).logits[0].log_softmax(-1)
        at = range(len(before) - 1, len(before) + len(ids) - 1)
        scores.append(float(logits[list(at), ids].sum()))
    assert said.text == choices[max(range(3), key=lambda i: scores[i])]
    shares = torch.tensor(scores).log_softmax(0)
    assert said.log_probs[0] == pytest.approx(float(shares.max()), abs=1e-4)


def test_an_untrained_model_fits_no_schema_and_that_is_said(local):
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    with pytest.raises(ModelError, match="2 of 2 answers did not fit the schema after 3 tries"):
        local.complete([user("a"), user("b")], schema=schema, max_tokens=8)


def test_stops_end_an_answer(local):
    [[whole]] = local.complete([user("a")], max_tokens=12)
    [[cut]] = local.complete([user("a")], max_tokens=12, stop=[whole.text[3]])
    assert cut.text == whole.text[: whole.text.index(whole.text[3])]


def test_a_folder_without_a_model_is_refused(tmp_path, folder):
    with pytest.raises(ModelError, match="holds no model"):
        open_language(f"transformers:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no causal language model"):
        open_language(f"transformers:{tmp_path}")


def test_a_real_model_behind_a_real_server_is_asked_from_afar(local, monkeypatch, tmp_path):
    monkeypatch.setenv("MINDSEYE_CACHE", str(tmp_path))

    def answer(body, number):
        form = body.get("response_format")
        if form:
            among = form["json_schema"]["schema"]["properties"]["answer"]["enum"]
            [[said]] = local.complete([body["messages"]], choices=[among])
            return server.completion(json.dumps({"answer": said.text}))
        [[said]] = local.complete([body["messages"]], max_tokens=body["max_tokens"])
        return server.completion(said.text)

    with server.serving(answer) as (url, heard):
        remote = open_language(f"remote:tiny@{url}")
        remote.concurrency = 1
        for _ in range(2):
            [[said]] = remote.complete([user("a")], max_tokens=12)
            assert said.text == local.complete([user("a")], max_tokens=12)[0][0].text
            [[chosen]] = remote.complete([user("a")], choices=[["yes", "no"]])
            assert chosen.text in ("yes", "no")
    assert len(heard) == 2
    assert remote.ledger.cache_hits == 2


def test_models_are_described_without_being_opened(folder, monkeypatch, tmp_path):
    assert describe_language(f"transformers:{folder}") == (True, str(folder))
    assert not describe_language(f"transformers:{tmp_path}")[0]
    assert not describe_language(f"small:{tmp_path}")[0]
    monkeypatch.setenv("MINDSEYE_LANGUAGE", "remote:m@http://h/v1")
    monkeypatch.setenv("MINDSEYE_API_KEY", "sk-secret")
    fine, said = describe_language()
    assert fine
    assert "m at http://h/v1" in said
    assert "sk-secret" not in said
    for bad in ("gpt", "remote:m", "transformers:", "remote:@http://h"):
        assert not describe_language(bad)[0]
        with pytest.raises(ConfigError, match="expected small"):
            open_language(bad)
