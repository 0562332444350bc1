import json

import pytest

pytest.importorskip("fastapi")
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mindseye.studio.engine import Engine
from mindseye.studio.guard import Guard, is_loopback
from mindseye.studio.server import studio_app
from mindseye.studio.stage import Limits
from tests.studio.playing import Counting, counting_stage, latent_stage, parsed

LOCAL = {"host": "127.0.0.1:8765"}


def client_of(stage=None, limits=None, guard=None):
    stage = stage or counting_stage(Counting())
    app = studio_app(Engine({stage.title: stage}, limits), guard or Guard("127.0.0.1"))
    return TestClient(app, base_url="http://127.0.0.1:8765")


@pytest.fixture
def client():
    with client_of() as made:
        yield made


def page_of(client, **headers):
    return client.websocket_connect("/play/socket", headers={**LOCAL, **headers})


def told(socket):
    message = socket.receive()
    if message["type"] == "websocket.close":
        raise WebSocketDisconnect(message["code"])
    return parsed(message.get("text") or message.get("bytes"))


def opened(socket, **options):
    socket.send_json({"do": "open", **options})
    return [told(socket) for _ in range(3)]


def test_a_dream_is_played_over_the_socket(client):
    with page_of(client) as socket:
        hello, tree, moment = opened(socket, seed=2)
        assert (hello["is"], tree["is"], moment["is"]) == ("hello", "tree", "moment")
        socket.send_json({"do": "step", "action": 4, "n": 1})
        assert told(socket)["dream"]["numbers"] == [4.0]
    assert client.get("/health").json()["steps"] == 1


def test_a_visit_outlives_its_connection(client):
    with page_of(client) as socket:
        visit = opened(socket)[0]["visit"]
        socket.send_json({"do": "step", "action": 4})
        told(socket)
    with page_of(client) as socket:
        assert opened(socket, visit=visit)[2]["dream"]["numbers"] == [4.0]


def until_the_end(socket):
    answers = []
    try:
        while True:
            answers.append(told(socket))
    except WebSocketDisconnect:
        return answers


HOSTILE = [
    "",
    "{",
    "null",
    "[]",
    '"open"',
    "{}",
    '{"do":"open","do":"explode"}',
    '{"do":["open"]}',
    '{"do":"__init__"}',
    "[" * 20_000,
    '{"do":' * 9_000,
    '{"do":"step","action":NaN}',
    '{"do":"step","action":Infinity}',
    '{"do":"step","action":1e999}',
    '{"do":"step","action":' + "9" * 5_000 + "}",
    '{"do":"open","visit":"../../../etc/passwd"}',
    '{"do":"open","visit":{"a":1}}',
    '{"do":"open","visit":"' + "x" * 10_000 + '"}',
    '{"do":"knob","name":"\\u0000","value":0}',
    '{"do":"save","side":"<script>alert(1)</script>"}',
    "\u0000\u0001",
    "x" * 70_000,
    "é" * 40_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_messages_are_answered_and_survived(client, text):
    with page_of(client) as socket:
        opened(socket)
        socket.send_text(text)
        answer = told(socket)
        assert answer["is"] == "error"
        assert not answer["fatal"]
        assert len(answer["what"]) < 400
        if answer["what"] == "this visit is no longer known":
            [told(socket) for _ in range(3)]
        socket.send_json({"do": "step", "action": 1})
        assert told(socket)["dream"]["numbers"] == [1.0]


def test_bytes_are_no_message(client):
    with page_of(client) as socket:
        opened(socket)
        socket.send_bytes(b"\x00" * 100)
        assert "expected text" in told(socket)["what"]


def test_the_counter_of_a_refused_message_is_echoed(client):
    with page_of(client) as socket:
        opened(socket)
        socket.send_text('{"do":"fly","n":12}')
        assert told(socket)["n"] == 12
        socket.send_text('{"do":"go","node":5,"n":true}')
        assert told(socket)["n"] is None


def test_a_flood_is_refused_with_a_word_and_at_last_shown_the_door():
    with (
        client_of(limits=Limits(messages_per_second=1, burst=3)) as client,
        page_of(client) as socket,
    ):
        opened(socket)
        for _ in range(300):
            socket.send_json({"do": "go", "node": 0})
        answers = until_the_end(socket)
        refused = [a for a in answers if a["is"] == "error"]
        assert len(answers) - len(refused) <= 3
        assert all("too fast" in a["what"] for a in refused)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "file://", "http://[", ""]
)
def test_sockets_of_other_sites_are_refused(client, origin):
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        page_of(client, origin=origin),
    ):
        pass
    assert refused.value.code == 1008


def test_our_own_pages_may_speak(client):
    headers = {**LOCAL, "origin": "http://127.0.0.1:8765"}
    with client.websocket_connect("/play/socket", headers=headers) as socket:
        assert opened(socket)[0]["is"] == "hello"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.1"])
def test_names_that_are_not_ours_are_refused(client, host):
    assert client.get("/health", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_names_of_this_machine_are_known(client, host):
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static/....//server.py",
        "/static//etc/passwd",
        "/static/%00",
        "/play/export/../../etc/passwd",
        "/play/export/x/..%2f..%2fetc%2fpasswd",
        "/play/export/x/1.gif%00",
        "/play/export/x/-1.gif",
        "/play/export/x/1.exe",
        "/play/export/x/99999999999999.gif",
        "/play/export/nobody/1.gif",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_path_leads_outside(client, path):
    assert client.get(path).status_code in (400, 404)


def test_every_answer_forbids_what_a_page_does_not_need(client):
    for path in ("/health", "/play", "/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    refused = client.get("/health", headers={"host": "evil.example"})
    assert "content-security-policy" in refused.headers


def test_beyond_this_machine_a_token_is_asked_and_kept_in_a_cookie():
    guard = Guard.of("0.0.0.0")
    assert len(guard.token) > 20
    with client_of(guard=guard) as client:
        assert client.get("/health").status_code == 401
        assert client.get("/health?token=wrong").status_code == 401
        wrong = {"cookie": "mindseye_token=wrong"}
        assert client.get("/health", headers=wrong).status_code == 401
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/play/socket", headers=LOCAL),
        ):
            pass
        first = client.get(f"/health?token={guard.token}&a=1", follow_redirects=False)
        assert (first.status_code, first.headers["location"]) == (303, "/health?a=1")
        for word in ("HttpOnly", "SameSite=Strict"):
            assert word in first.headers["set-cookie"]
        assert client.get("/health").status_code == 200
        cookie = {**LOCAL, "cookie": f"mindseye_token={guard.token}"}
        with client.websocket_connect("/play/socket", headers=cookie) as socket:
            assert opened(socket)[0]["is"] == "hello"


def test_a_token_does_not_redirect_to_another_server():
    guard = Guard("0.0.0.0", "secret")
    with client_of(guard=guard) as client:
        answer = client.get("//evil.example/?token=secret", follow_redirects=False)
        assert not answer.headers.get("location", "").startswith("//")


def test_at_a_network_address_other_names_are_still_refused():
    guard = Guard("0.0.0.0", "secret")
    assert guard.knows_host("192.168.1.5:8765")
    assert not guard.knows_host("evil.example")


def test_a_loopback_host_asks_for_no_token():
    assert Guard.of("127.0.0.1").token == Guard.of("localhost").token == ""
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")


def test_films_are_exported():
    with client_of(latent_stage()) as client:
        with page_of(client) as socket:
            visit = opened(socket, seed=3)[0]["visit"]
            socket.send_json({"do": "step", "action": 2})
            told(socket)
        film = client.get(f"/play/export/{visit}/1.gif?side=both")
        assert film.headers["content-type"] == "image/gif"
        assert film.content[:6] == b"GIF89a"
        assert client.get(f"/play/export/{visit}/7.gif").status_code == 404
        assert client.get(f"/play/export/{visit}/1.gif?side=left").status_code == 404


def test_worlds_of_numbers_do_not_become_films(client):
    with page_of(client) as socket:
        visit = opened(socket)[0]["visit"]
    answer = client.get(f"/play/export/{visit}/0.gif")
    assert (answer.status_code, "pictures" in answer.text) == (404, True)


def test_messages_are_plain_json(client):
    with page_of(client) as socket:
        opened(socket)
        socket.send_json({"do": "step", "action": 9})
        text = socket.receive()["text"]
        assert "NaN" not in text
        assert json.loads(text)["is"] == "error"
