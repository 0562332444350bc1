import importlib.util
import json
import sys
import time
from pathlib import Path

import pytest

from mindseye.core.errors import ConfigError, ModelError
from mindseye.models.language.cache import AnswerCache
from mindseye.models.language.remote import Prices, RemoteLanguageModel

_spec = importlib.util.spec_from_file_location(
    "chat_server", Path(__file__).with_name("chat_server.py")
)
server = importlib.util.module_from_spec(_spec)
sys.modules["chat_server"] = server
_spec.loader.exec_module(server)
Bad, Cut, Silent, completion, serving = (
    server.Bad, server.Cut, server.Silent, server.completion, server.serving,
)  # fmt: skip


def user(text):
    return [{"role": "user", "content": text}]


def model(url, **options):
    return RemoteLanguageModel("tiny", url, **{"backoff": 0.001, "timeout": 5.0, **options})


def echo(body, number):
    return completion(f"you said {body['messages'][-1]['content']}")


def failing(*troubles):
    """Troubles one after the other, then sense."""

    def answer(body, number):
        if number <= len(troubles):
            trouble = troubles[number - 1]
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        return completion("fine")

    return answer


def test_answers_come_back_in_order_and_are_counted():
    with serving(echo) as (url, heard):
        asked = model(url, prices=Prices(prompt=1e6, completion=2e6))
        said = asked.complete([user(str(i)) for i in range(20)], samples=2, seed=3)
    assert [[c.text for c in row] for row in said] == [[f"you said {i}"] * 2 for i in range(20)]
    assert heard[0][0] == "/v1/chat/completions"
    seeds = {body["seed"] for *_, body in heard if body["messages"][-1]["content"] == "7"}
    assert len(seeds) == 2
    ledger = asked.ledger
    assert (ledger.calls, ledger.prompt_tokens, ledger.completion_tokens) == (40, 400, 80)
    assert ledger.cost == pytest.approx(400 + 2 * 80)
    assert ledger.seconds > 0


TROUBLES = {
    "too many requests": Bad(429, b'{"error": {"message": "slow down"}}'),
    "internal error": Bad(500, b"<html>"),
    "overloaded": Bad(503),
    "cut body": Cut(),
    "hung up": Silent(),
    "no JSON": Bad(200, b"certainly! here is"),
    "half JSON": Bad(200, b'{"choices": ['),
    "no choices": {"choices": []},
    "no message": {"choices": [{"finish_reason": "stop"}]},
    "no content": {"choices": [{"message": {"content": None}}]},
    "other JSON": [1, 2],
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_troubles_that_pass_are_sat_out(trouble):
    with serving(failing(trouble, trouble)) as (url, heard):
        asked = model(url)
        assert asked.complete([user("a")])[0][0].text == "fine"
    assert len(heard) == 3
    assert asked.ledger.retries == 2


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_retries_are_bounded_and_the_error_is_clear(trouble):
    said = pytest.raises(ModelError, match=r"remote: 1 of 1 answers are missing: http.*3 tries")
    with serving(failing(*[trouble] * 99)) as (url, heard), said:
        model(url, retries=2).complete([user("a")])
    assert len(heard) == 3


def test_a_server_that_is_slow_is_not_waited_for():
    def slow(body, number):
        if number == 1:
            time.sleep(0.5)
        return completion("fine")

    with serving(slow) as (url, heard):
        began = time.monotonic()
        assert model(url, timeout=0.1).complete([user("a")])[0][0].text == "fine"
        assert time.monotonic() - began < 0.5
        assert len(heard) == 2


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(ModelError, match=r"127.0.0.1:9.*no answer"):
        model("http://127.0.0.1:9/v1", retries=1).complete([user("a")])
    with pytest.raises(ConfigError, match="http"):
        model("ftp://nowhere")


def test_the_server_says_how_long_to_wait():
    with serving(failing(Bad(429, Retry_After="0.2"))) as (url, _):
        began = time.monotonic()
        model(url).complete([user("a")])
        assert time.monotonic() - began >= 0.2


def test_requests_that_can_never_work_are_not_repeated():
    said = b'{"error": {"message": "no such model; key sk-secret is valid"}}'
    refused = pytest.raises(ModelError, match="no such model")
    with serving(failing(Bad(404, said))) as (url, heard), refused:
        model(url).complete([user("a")])
    assert len(heard) == 1


def test_the_key_is_sent_and_never_told(monkeypatch, tmp_path):
    monkeypatch.setenv("MINDSEYE_API_KEY", "sk-secret")
    said = b'{"error": {"message": "bad key sk-secret"}}'
    with serving(failing(completion("a"), Bad(401, said))) as (url, heard):
        asked = model(url, cache=AnswerCache(tmp_path))
        asked.complete([user("a")])
        with pytest.raises(ModelError) as error:
            asked.complete([user("b")])
    assert heard[0][1]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in str(error.value)
    assert "***" in str(error.value)
    assert all("sk-secret" not in file.read_text() for file in tmp_path.rglob("*.json"))


def test_the_key_goes_to_no_other_server(monkeypatch):
    monkeypatch.setenv("MINDSEYE_API_KEY", "sk-secret")
    with serving(echo) as (other, overheard):
        away = failing(Bad(302, Location=f"{other}/chat/completions"))
        with serving(away) as (url, _), pytest.raises(ModelError, match="302"):
            model(url).complete([user("a")])
    assert not overheard


def test_finished_answers_survive_a_failing_batch_and_the_same_call_goes_on(tmp_path):
    broken = True

    def answer(body, number):
        text = body["messages"][-1]["content"]
        if broken and text == "7":
            time.sleep(0.1)
            raise Bad(500)
        return completion(text)

    prompts = [user(str(i)) for i in range(12)]
    with serving(answer) as (url, heard):
        first = model(url, cache=AnswerCache(tmp_path), retries=1, concurrency=4)
        with pytest.raises(ModelError, match="the same command goes on"):
            first.complete(prompts)
        kept = len(list(tmp_path.rglob("*.json")))
        assert kept >= 7
        broken, before = False, len(heard)
        again = model(url, cache=AnswerCache(tmp_path))
        assert [c.text for [c] in again.complete(prompts)] == [str(i) for i in range(12)]
        assert len(heard) - before == 12 - kept
        assert (again.ledger.calls, again.ledger.cache_hits) == (12, kept)


def test_a_server_that_is_down_costs_one_prompt_not_all():
    prompts = [user(str(i)) for i in range(200)]
    failed = pytest.raises(ModelError, match="200 of 200")
    with serving(failing(*[Bad(500)] * 999)) as (url, heard), failed:
        model(url, retries=2, concurrency=4).complete(prompts)
    assert len(heard) <= 4 * 3 + 4


SCHEMA = {
    "type": "object",
    "properties": {"next": {"type": "string"}, "reward": {"type": "integer", "maximum": 1}},
}


def test_a_form_is_asked_for_checked_and_mended():
    answers = ["sure!", '{"next": "a"}', 'Here: ```json\n{"next": "a", "reward": 1}\n```']

    def answer(body, number):
        return completion(answers[number - 1])

    with serving(answer) as (url, heard):
        [[said]] = model(url).complete([user("a")], schema=SCHEMA)
    assert json.loads(said.text) == {"next": "a", "reward": 1}
    form = heard[0][2]["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["required"] == ["next", "reward"]
    assert "reward is missing" in heard[2][2]["messages"][-1]["content"]
    assert heard[2][2]["messages"][-2] == {"role": "assistant", "content": '{"next": "a"}'}


@pytest.mark.parametrize(
    "bad", ["sure!", '{"next": 1, "reward": 1}', '{"next": "a", "reward": 2}', '{"next": "a"', "[]",
            '{"next": "a", "reward": true}', '{"next": "a", "reward": 1, "more": 2}'],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused_after_bounded_repairs(bad):
    failed = pytest.raises(ModelError, match="no usable answer after 3 tries")
    with serving(lambda body, number: completion(bad)) as (url, heard), failed:
        model(url).complete([user("a")], schema=SCHEMA)
    assert len(heard) == 3


def test_choices_are_made_verbatim():
    said = {"1": '{"answer": "go north"}', "2": "Go North.", "3": '"go south"'}

    def answer(body, number):
        return completion(said[body["messages"][-1]["content"]])

    with serving(answer) as (url, heard):
        choices = [["go north", "go south"]] * 3
        found = model(url).complete([user(i) for i in "123"], choices=choices)
    assert [c.text for [c] in found] == ["go north", "go north", "go south"]
    form = heard[0][2]["response_format"]["json_schema"]["schema"]
    assert form["properties"]["answer"]["enum"] == ["go north", "go south"]


def test_a_server_that_enforces_no_form_is_asked_without():
    def answer(body, number):
        if "response_format" in body:
            raise Bad(400, b'{"error": {"message": "unknown field response_format"}}')
        return completion("b")

    with serving(answer) as (url, heard):
        asked = model(url)
        for _ in range(2):
            assert asked.complete([user("x")], choices=[["a", "b"]])[0][0].text == "b"
    assert len(heard) == 3


def test_log_probabilities_are_read_when_given():
    more = {"logprobs": {"content": [{"token": "a", "logprob": -0.5}]}}

    def answer(body, number):
        assert body["logprobs"] is True
        said = completion("a")
        said["choices"][0] |= more | {"finish_reason": "length"}
        return said

    with serving(answer) as (url, _):
        [[said]] = model(url, log_probs=True).complete([user("x")])
    assert list(said.log_probs) == [-0.5]
    assert said.stop_reason == "max_tokens"
