import html
import io
import json
import os
import re
import threading
import zlib
from urllib.parse import quote

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete

pytest.importorskip("fastapi")
from PIL import Image
from starlette.testclient import TestClient

from mindseye.agents.language.agent import Asking, LanguageAgent
from mindseye.agents.language.thoughts import plan
from mindseye.agents.random import RandomAgent
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.core.spaces import Words
from mindseye.experience import Replay, rollout
from mindseye.models.language.scripted import ScriptedLanguageModel
from mindseye.studio.episodes import episodes_router
from mindseye.studio.guard import Guard
from mindseye.studio.recorded import Library, Recorded
from mindseye.studio.server import studio_app
from mindseye.studio.shelf import Entry, Shelf
from mindseye.worlds import make

GRID, HOUSE, SWING = "grid/door-key-6x6", "text/household", "Pendulum-v1"


def client_of(root):
    app = studio_app(None, Guard("127.0.0.1"), episodes_router(Shelf(root)))
    return TestClient(app, base_url="http://127.0.0.1:8765")


def kept(folder, world, agent, name, count=3, **options):
    """Episodes of a world, cut after a few steps."""
    origin = Origin("real", name, agent=type(agent).__name__)
    replay = Replay(folder, world.single_observation_space, world.single_action_space)
    replay.add(
        short
        for seed in range(count)
        for short in rollout(agent, world, origin=origin, steps=6 + seed, seed=seed, **options)
    )
    world.close()
    return replay


def thinking():
    def answer(messages):
        asked = messages[-1]["content"]
        if "which sub-goals" in asked:
            return "find it; <b>bring</b> it"
        return "I look & think." if "?" in asked.rsplit("\n", 1)[-1] else "look"

    return LanguageAgent(Asking(ScriptedLanguageModel(answer)), [plan, first_command])


def first_command(minds, ask):
    for mind in minds:
        mind.command = mind.admissible[0]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("runs")
    grid = make(GRID, 1, observation="pixels")
    kept(made / "grids" / "episodes", grid, RandomAgent(grid.single_action_space, 0), GRID)
    kept(made / "thoughts", make(HOUSE, 1), thinking(), HOUSE)
    swing = make(SWING, 1)
    kept(made / "swing & sway", swing, RandomAgent(swing.single_action_space, 0), SWING)
    return made


@pytest.fixture(scope="module")
def client(root):
    with client_of(root) as made:
        yield made


def page(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert not re.search(r"<script(?! type=\"module\" src=)|<style| style=| on\w+=", answer.text)
    return answer.text


def picture(client, address):
    answer = client.get(address)
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_without_episodes_the_page_says_what_to_do(tmp_path):
    with client_of(tmp_path / "missing") as client:
        assert "mindseye collect --world grid/door-key-6x6" in page(client, "/episodes")


def test_all_folders_are_listed_with_what_they_hold(client):
    text = page(client, "/episodes")
    for name in ("grids/episodes", "swing & sway", "thoughts"):
        assert f'href="/episodes/{quote(name)}"' in text
    assert "3 with 21 steps" in text
    assert "one of 7" in text
    assert 'src="/episodes/grids/episodes/preview.png"' in text
    assert "<polyline" in text
    assert "<q>Task: " in text
    assert "3 real: Pendulum-v1" in text


def test_a_folder_is_a_table_that_can_be_sorted(client):
    def numbers(query):
        text = page(client, f"/episodes/grids/episodes{query}")
        return [int(n) for n in re.findall(r'scope="row"><a href="[^"]*/(\d+)"', text)]

    assert numbers("") == [0, 1, 2]
    assert numbers("?sort=length&down=1") == [2, 1, 0]
    assert numbers("?sort=nothing&page=-7") == [0, 1, 2]
    assert numbers("?page=99999999999999999999") == [0, 1, 2]
    text = page(client, "/episodes/swing%20%26%20sway?sort=return")
    assert 'aria-sort="ascending"' in text
    assert "RandomAgent" in text


def test_long_lists_have_pages(tmp_path):
    nothing = np.zeros(1, np.float32)
    short = Episode(np.zeros((2, 1)), nothing[:, None], nothing, True, False, Origin("real", "w"))
    Replay(tmp_path / "many", Box(-1, 1, (1,)), Box(-1, 1, (1,))).add([short] * 120)
    with client_of(tmp_path) as client:
        assert "Page 1 of 3" in page(client, "/episodes/many")
        last = page(client, "/episodes/many?page=3")
        assert last.count('scope="row"') == 20
        assert 'rel="next"' not in last


def test_pictures_are_frames_to_step_through(client, root):
    text = page(client, "/episodes/grids/episodes/1?at=3")
    assert 'src="/episodes/grids/episodes/1/frame/3.png"' in text
    assert 'type="range" name="at" min="0" max="7" value="3"' in text
    assert text.count('loading="lazy"') == 8
    assert "Step 3 of 7 · " in text
    recorded = Replay.open(root / "grids" / "episodes", read_only=True).episode(1)
    shown = picture(client, "/episodes/grids/episodes/1/frame/3.png")
    assert (shown == recorded.observations[3]).all()
    assert picture(client, "/episodes/grids/episodes/preview.png").shape[:2] == (196, 396)


def test_actions_are_named_and_counted(client, root):
    told = client.get("/episodes/grids/episodes/1/steps.json").json()["steps"]
    actions = Replay.open(root / "grids" / "episodes", read_only=True).episode(1).actions
    names = ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")
    assert told == [["", 0.0], *([names[a], 0.0] for a in actions)]
    assert client.get("/episodes/grids/episodes/1/steps.json?first=6").json()["steps"] == told[6:]


def test_texts_are_told_as_a_conversation_with_thoughts(client, root):
    episode = Replay.open(root / "thoughts", read_only=True).episode(0)
    text = html.unescape(page(client, "/episodes/thoughts/0"))
    assert text.index("What was said") < text.index("Numbers over time")
    assert f"</span>{episode.actions[0]}</p>" in text
    assert episode.observations[0].rsplit("\n", 1)[0] in text
    task, seen, _ = episode.observations[1].split("\n")
    assert f">{seen}</p>" in text
    assert text.count(task) == 1
    assert "<dt>plan</dt>" in text
    assert "find it; <b>bring</b> it" in text
    assert "command:" not in text
    assert "things could be said" in text


def test_what_was_said_is_escaped(client):
    text = page(client, "/episodes/thoughts/0")
    assert "<b>bring</b>" not in text
    assert "&lt;b&gt;bring&lt;/b&gt; it" in text


def test_numbers_are_charts(client):
    text = page(client, "/episodes/swing%20%26%20sway/0")
    for title in ("reward", "return so far", "observation[2]", "action[0]"):
        assert f"<figcaption>{title} " in text
    assert 'aria-label="reward: from -' in text
    assert "What was done" in text


@pytest.mark.parametrize(
    "place",
    [
        "nothing", "grids", "../etc", "..%2f..%2fetc", "%00", "grids/episodes/columns",
        "grids/episodes/3", "grids/episodes/99999999999", "thoughts/preview.png",
        "grids/episodes/0/frame/7.png", "grids/episodes/0/frame/-1.png",
        "grids/episodes/0/frame/x.png", "grids/episodes/%C2%B2/frame/0.png",
        "grids/episodes/0/frame/" + "9" * 5000 + ".png", "grids/episodes/" + "9" * 5000,
        "thoughts/0/frame/0.png", "swing%20&%20sway/1/frame/0.png", "/0", "/preview.png",
        "grids/episodes/0/steps.json?first=x", "nothing/0/steps.json", "%5c", "grids//episodes",
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(client, place):
    answer = client.get(f"/episodes/{place}")
    assert answer.status_code == 404
    assert len(answer.text) < 3000


def test_links_out_of_the_folder_lead_nowhere(root, tmp_path):
    (tmp_path / "link").symlink_to(root / "thoughts")
    with client_of(tmp_path) as client:
        assert client.get("/episodes/link").status_code == 404
        assert "Nothing is recorded" in page(client, "/episodes")


def test_new_episodes_appear(tmp_path):
    grid = make(GRID, 1, observation="pixels")
    agent = RandomAgent(grid.single_action_space, 0)
    with client_of(tmp_path) as client:
        for count in (1, 2):
            origin = Origin("real", GRID)
            folder, seen = tmp_path / "growing", grid.single_observation_space
            Replay(folder, seen, grid.single_action_space).add(
                rollout(agent, grid, origin=origin, steps=2, seed=count)
            )
            assert f"<dd>{count} with {2 * count} steps" in page(client, "/episodes/growing")
    grid.close()


def a_store(folder, count=6):
    space = Dict({"seen": Words(), "felt": Box(-1, 1, (2,), np.float32)})
    steps = np.arange(3)
    replay = Replay(folder, space, Discrete(3))
    for number in range(count):
        replay.add([
            Episode(
                {"seen": [f"{number} {t}" for t in range(4)], "felt": np.zeros((4, 2), np.float32)},
                steps, steps.astype(np.float32), number % 2 == 0, number % 2 == 1,
                Origin("real", "w"), extras={"value": np.array([0.5, np.nan, 1], np.float32)},
            )
        ])  # fmt: skip
    return folder


def test_damaged_episodes_are_named_and_left_out(tmp_path):
    index = a_store(tmp_path / "hurt") / "episodes.jsonl"
    lines = index.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"rows": 4', b'"rows": 5')
    index.write_bytes(b"".join(lines))
    column = next((tmp_path / "hurt" / "columns").glob("observation.felt.*"))
    spoiled = bytearray(column.read_bytes())
    spoiled[4 * 8] ^= 255
    spoiled[5 * 32] ^= 255
    column.write_bytes(spoiled)
    with client_of(tmp_path) as client:
        text = page(client, "/episodes/hurt")
        assert "2 damaged episodes are left out" in text
        assert f"Episode 1: {tmp_path}" not in text
        assert "Episode 1: episodes.jsonl line 2: " in text
        assert "2 episodes, left out" in page(client, "/episodes")
        for number in (1, 5):
            answer = client.get(f"/episodes/hurt/{number}")
            assert answer.status_code == 404
            assert f"episode {number}" in answer.text
        page(client, "/episodes/hurt/0")


def test_damage_that_only_reading_shows_is_said(tmp_path):
    column = next((a_store(tmp_path / "hurt") / "columns").glob("observation.felt.*"))
    spoiled = bytearray(column.read_bytes())
    spoiled[0] ^= 255
    column.write_bytes(spoiled)
    with client_of(tmp_path) as client:
        assert "checksum" in client.get("/episodes/hurt/0").text
        assert "1 damaged episode is left out" in page(client, "/episodes/hurt")


@pytest.mark.parametrize("file", ["schema.json", "episodes.jsonl"])
@pytest.mark.parametrize("seed", range(12))
def test_no_damage_is_too_much(tmp_path, file, seed):
    rng = np.random.default_rng(seed)
    path = a_store(tmp_path / "hurt") / file
    content = bytearray(path.read_bytes())
    if seed % 3 == 0:
        content = content[: rng.integers(len(content))]
    elif seed % 3 == 1:
        for at in rng.integers(len(content), size=3):
            content[at] = rng.integers(256)
    else:
        raw = content.split(b"\n")
        content = b"\n".join(raw[at] for at in rng.permutation(len(raw)))
    path.write_bytes(content)
    with client_of(tmp_path) as client:
        page(client, "/episodes")
        for address in ("hurt", "hurt/0", "hurt/3", "hurt/0/steps.json", "hurt/preview.png"):
            assert client.get(f"/episodes/{address}").status_code in (200, 404)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"n": 3', '"n": -3'),
        ('"n": 3', '"n": "three"'),
        ('"shape": [\n      2\n     ]', '"shape": [1000000000, 1000000000]'),
        ('"version": 1', '"version": 2'),
        ('"kept_from": 0', '"kept_from": "x"'),
        ('"file_bytes": 268435456', '"file_bytes": 0'),
        ('"extras": [', '"extras": [1, '),
        ('"dtype": "float32"', '"dtype": "O"'),
        ('"value"', '"other"'),
    ],
)
def test_schemas_that_lie_are_survived(tmp_path, old, new):
    path = a_store(tmp_path / "hurt") / "schema.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with client_of(tmp_path) as client:
        page(client, "/episodes")
        for address in ("hurt", "hurt/0", "hurt/0/steps.json"):
            assert client.get(f"/episodes/{address}").status_code in (200, 404)


def test_a_store_that_vanishes_is_not_there(tmp_path):
    folder = a_store(tmp_path / "short-lived")
    with client_of(tmp_path) as client:
        page(client, "/episodes/short-lived/0")
        for file in (folder / "columns").iterdir():
            file.unlink()
        assert client.get("/episodes/short-lived/1").status_code in (200, 404)
        (folder / "schema.json").unlink()
        assert client.get("/episodes/short-lived/0").status_code == 404


def test_a_store_that_is_cut_while_it_is_read_is_an_error(tmp_path):
    folder = tmp_path / "cut"
    seen = np.ones((2001, 64), np.float32)
    Replay(folder, Box(-1, 1, (64,)), Discrete(2)).add([
        Episode(seen, np.zeros(2000, np.int64), np.zeros(2000), False, True, Origin("real", "w"))
    ])  # fmt: skip
    recorded = Recorded(Entry("cut", folder))
    record = recorded.record(0)
    (spec,) = recorded.columns("observation")
    assert recorded.rows(record, spec, 0, 2000).all()
    next((folder / "columns").glob("observation*")).write_bytes(b"")
    with pytest.raises(DataError, match="expected 2000 rows, has 0"):
        recorded.rows(record, spec, 0, 2000)


def told_store(folder):
    """Texts, of which the last episode alone has thoughts."""
    replay = Replay(folder, Words(99), Words())
    for extras in ({}, {}, {}, {"thought": ["why"]}):
        told = Episode(
            ["a", "b"], ["c"], np.zeros(1), False, True, Origin("real", "w"), extras=extras
        )
        replay.add([told])
    return folder


def test_thoughts_that_came_later_are_shown(tmp_path):
    told_store(tmp_path / "told")
    with client_of(tmp_path) as client:
        assert "why" in page(client, "/episodes/told/3")
        assert "why" not in page(client, "/episodes/told/0")


def test_texts_that_are_cut_short_leave_the_others(tmp_path):
    spans = told_store(tmp_path / "told") / "columns/observation.spans.000000"
    spans.write_bytes(spans.read_bytes()[:-16])
    with client_of(tmp_path) as client:
        assert "1 damaged episode is left out" in page(client, "/episodes/told")
        page(client, "/episodes/told/2")


@pytest.mark.parametrize("file", ["columns", "columns/reward.000000", "episodes.jsonl"])
def test_stores_that_lead_elsewhere_are_not_read(tmp_path, file):
    path = a_store(tmp_path / "runs/odd") / file
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with client_of(tmp_path / "runs") as client:
        assert 'class="trouble"' in page(client, "/episodes")
        assert client.get("/episodes/odd").status_code == 404


@pytest.mark.parametrize("file", ["schema.json", "episodes.jsonl"])
def test_pipes_in_stores_are_not_waited_for(tmp_path, file):
    path = a_store(tmp_path / "odd") / file
    path.unlink()
    os.mkfifo(path)
    with client_of(tmp_path) as client:
        page(client, "/episodes")
        assert client.get("/episodes/odd").status_code == 404


def test_spaces_without_end_are_not_made(tmp_path):
    path = a_store(tmp_path / "odd") / "schema.json"
    old = '"shape": [\n      2\n     ]'
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, '"shape": [100000, 200000]'))
    with client_of(tmp_path) as client:
        assert "too large" in page(client, "/episodes")


@pytest.mark.parametrize(
    "changes",
    [{"stop_reason": 3}, {"error": [1]}, {"extras": [[1]]}, {"rows": 2.5}, {"rows": -1},
     {"origin": {"kind": "real", "world": 7}}, {"start": -9}, {"total_reward": float("nan")},
     {"origin": {"kind": "real", "world": "w", "agent": [1]}}, {"text_bytes": 3}],
    ids=repr,
)  # fmt: skip
def test_records_that_lie_are_survived(tmp_path, changes):
    path = a_store(tmp_path / "odd") / "episodes.jsonl"
    lines = path.read_bytes().splitlines()
    told = json.loads(lines[-1])
    told.pop("check")
    content = json.dumps(told | changes)
    lines[-1] = f'{content[:-1]}, "check": {zlib.crc32(content.encode())}}}'.encode()
    path.write_bytes(b"\n".join(lines) + b"\n")
    last = len(lines) - 1
    with client_of(tmp_path) as client:
        page(client, "/episodes")
        for address in ("odd", "odd/0", f"odd/{last}", f"odd/{last}/steps.json", "odd/preview.png"):
            assert client.get(f"/episodes/{address}").status_code in (200, 404)


def test_texts_without_end_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("mindseye.studio.recorded._MOST_BYTES", 1 << 20)
    Replay(tmp_path / "odd", Words(1 << 22), Words()).add([
        Episode(["x" * (1 << 21)] * 2, ["a"], np.zeros(1), False, True, Origin("real", "w"))
    ])  # fmt: skip
    with client_of(tmp_path) as client:
        page(client, "/episodes")
        assert "too long to be shown" in client.get("/episodes/odd/0").text


def test_one_store_that_takes_long_does_not_hold_up_the_others(tmp_path, monkeypatch):
    for name in ("fast", "slow"):
        a_store(tmp_path / name)
    library, begun, go_on = Library(), threading.Event(), threading.Event()
    opened = Recorded.__init__

    def slowly(recorded, entry):
        if entry.name == "slow":
            begun.set()
            assert go_on.wait(20)
        opened(recorded, entry)

    monkeypatch.setattr(Recorded, "__init__", slowly)
    waiting = threading.Thread(target=library.open, args=[Entry("slow", tmp_path / "slow")])
    waiting.start()
    assert begun.wait(20)
    fast = Entry("fast", tmp_path / "fast")
    assert library.open(fast) is library.open(fast)
    go_on.set()
    waiting.join()


def test_any_text_can_be_shown(tmp_path):
    told = ["half \ud800", "</p><script>alert(1)</script>", "x" * 50_000]
    Replay(tmp_path / "odd", Words(100_000), Words()).add([
        Episode(
            told, ["\ud83d", "</ol>"], np.zeros(2, np.float32), False, True,
            Origin("written", "<i>", agent="\udfff"), error="</pre><b>", stop_reason="\ud800",
            extras={"thought": ["unnamed\nplan: a\nb", "command: x"]},
        )
    ])  # fmt: skip
    with client_of(tmp_path) as client:
        for address in ("/episodes", "/episodes/odd", "/episodes/odd/0"):
            text = page(client, address)
            assert "<script>" not in text
            assert "<b>" not in text
            assert "<i>" not in text
        assert "44000 more characters" in text
        assert "<dt>plan</dt><dd>a\nb</dd>" in text
        assert client.get("/episodes/odd/0/steps.json").json()["steps"][1][0] == "?"


def test_pictures_beside_the_observation_are_frames(tmp_path):
    seen = np.arange(3 * 20 * 30 * 3, dtype=np.uint8).reshape(3, 20, 30, 3)
    numbers = np.zeros((4, 1), np.float32)
    Replay(tmp_path / "filmed", Box(-1, 1, (1,)), Discrete(2)).add([
        Episode(
            numbers, np.array([0, 1, 0]), np.zeros(3, np.float32), False, True,
            Origin("real", "w"), extras={"frames": seen},
        )
    ])  # fmt: skip
    with client_of(tmp_path) as client:
        assert 'max="2"' in page(client, "/episodes/filmed/0")
        assert (picture(client, "/episodes/filmed/0/frame/2.png") == seen[2]).all()
        assert client.get("/episodes/filmed/0/frame/3.png").status_code == 404


def test_long_episodes_are_read_in_parts(tmp_path):
    length = 30_000
    seen = np.zeros((length + 1, 400), np.float32)
    rewards = np.zeros(length, np.float32)
    rewards[17_003] = 1
    Replay(tmp_path / "long", Box(-1, 1, (400,)), Discrete(2)).add([
        Episode(seen, np.zeros(length, np.int64), rewards, False, True, Origin("real", "w"))
    ])  # fmt: skip
    with client_of(tmp_path) as client:
        text = page(client, "/episodes/long/0?first=17000")
        assert "reward: from 0 to 1" in text
        assert '<th scope="row">17004</th><td class="text">0</td><td>1</td>' in text
        assert len(text) < 200_000
        steps = client.get("/episodes/long/0/steps.json?first=17000").json()["steps"]
        assert len(steps) == 500
        assert steps[4] == ["0", 1.0]
        assert client.get("/episodes/long/0/steps.json?first=40000").json()["steps"] == []
