import json
import os
import re
import time

import numpy as np
import pytest

pytest.importorskip("fastapi")
from PIL import Image
from starlette.testclient import TestClient

from mindseye.core.errors import DataError
from mindseye.core.report import Measure, Report, Verdict
from mindseye.core.run import Run
from mindseye.evaluation.page import write_page
from mindseye.evaluation.statistics import mean_measure
from mindseye.recipes.catalogue import SYSTEMS
from mindseye.studio import glances
from mindseye.studio.browse import browse_router
from mindseye.studio.guard import Guard
from mindseye.studio.intervals import tracks
from mindseye.studio.reading import state_of
from mindseye.studio.server import studio_app
from mindseye.studio.shelf import Shelf

HOSTILE = "<script>alert(1)</script>"


def client_of(folder):
    app = studio_app(
        None, Guard("127.0.0.1"), browse_router(folder / "runs", folder / "results", SYSTEMS)
    )
    return TestClient(app, base_url="http://127.0.0.1:8766", raise_server_exceptions=True)


@pytest.fixture
def client(tmp_path):
    return client_of(tmp_path)


def made_run(folder, *, steps=30, name="train", world="CartPole-v1", seed=0, **config):
    with Run(folder, name=name, config={"world": world, **config}, seed=seed) as run:
        rng = run.rng("loss")
        for step in run.steps("fit", steps, keep={"rng": rng}):
            run.log({"loss/all": 1 / (step + 1 + rng.random()), "return": step})
    return folder


def report_of(real=100.0, claims=(), **given):
    measures = [
        Measure("real/return", real, real - 5, real + 5, 50, "reward"),
        Measure("horizon/trust_steps", 12, 12, 12, 1, "steps"),
    ]
    told = {"name": "train", "preset": "default", "seeds": [0], "measures": measures}
    return Report(**{**told, "claims": claims, **given})


def claim(statement="It wins.", holds=True):
    sides = {
        role: {"name": f"score/{role}", "values": [at, at + 1, at + 2]}
        for at, role in enumerate(("ablation", "baseline", "method"))
    }
    return Verdict(statement, holds, "greater", **sides)


def judged_run(folder, **options):
    made_run(folder, **options)
    report = report_of()
    (folder / "report.json").write_text(report.to_json())
    write_page(report, folder)
    return folder


def word_of(folder, **changes):
    told = json.loads((folder / "progress.json").read_text())
    (folder / "progress.json").write_text(json.dumps({**told, "ended": False, **changes}))


def page(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    text = answer.text
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?! type=\"module\" src=\"/)", text)
    assert text.count('<main id="main"') == 1
    assert len(re.findall(r"<h1", text)) == 1
    return text


def test_without_a_run_the_page_says_what_to_do_first(client):
    text = page(client, "/")
    for command in ("mindseye train", "mindseye run onelife --preset smoke", "mindseye play grid/"):
        assert command in text
    assert "live.js" not in text
    page(client, "/compare")
    page(client, "/claims")
    page(client, "/episodes")


def test_runs_are_listed_the_latest_first(tmp_path, client):
    for at, name in enumerate(("b/old", "a/new")):
        folder = judged_run(tmp_path / "runs" / name, seed=at)
        for file in folder.iterdir():
            os.utime(file, (at + 1, at + 1))
    text = page(client, "/")
    assert text.index("a/new") < text.index("b/old")
    assert "2 of 2 runs" in text
    assert "The agent" in text or "Trained only in its dream" in text
    assert "CartPole-v1" in text


def test_the_list_is_narrowed_by_words(tmp_path, client):
    made_run(tmp_path / "runs/one", world="CartPole-v1")
    made_run(tmp_path / "runs/two", world="grid/ring")
    text = page(client, "/?q=RING+finished")
    assert "/runs/two" in text
    assert "/runs/one" not in text
    assert "None of 2 runs" in page(client, "/?q=nowhere")


def test_a_run_has_a_page(tmp_path, client):
    folder = judged_run(tmp_path / "runs/train/mine", width=7)
    (folder / "model").mkdir()
    (folder / "media").mkdir()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / "media/film.png")
    text = page(client, "/runs/train/mine")
    assert "mindseye play" in text
    assert "/reports/train/mine" in text
    assert text.count("<svg") == 2
    assert "real/return" in text
    assert "95 to 105" in text
    assert "width" in text
    assert "processor" in text
    picture = client.get("/pictures/train/mine/media/film.png")
    assert picture.headers["content-type"] == "image/png"
    assert "/pictures/train/mine/media/film.png" in text


def test_figures_have_no_styles_of_their_own(tmp_path, client):
    made_run(tmp_path / "runs/mine")
    text = page(client, "/runs/mine")
    assert 'stroke="var(--dream)"' in text


def test_a_running_run_shows_how_far_it_is(tmp_path, client):
    folder = made_run(tmp_path / "runs/mine")
    now = time.time()
    word_of(folder, done=10, total=30, first=0, began=now - 10, updated=now, pid=1)
    for path in ("/", "/runs/mine"):
        text = page(client, path)
        assert re.search(r'<progress max="30.0" value="10.0"', text)
        assert "10 of 30, 20 s left" in text
        assert '<script type="module" src="/static/live.js">' in text
    word_of(folder, updated=now - 60, pid=None)
    assert ">stopped</span>" in page(client, "/runs/mine")


def test_a_run_that_goes_on_silently_is_running_while_its_process_is_there(tmp_path):
    folder = made_run(tmp_path / "mine")
    word_of(folder, updated=time.time() - 100, pid=os.getpid())
    assert state_of(folder).word == "running"
    word_of(folder, updated=time.time() - 10_000, pid=os.getpid())
    assert state_of(folder).word == "stopped"


@pytest.mark.parametrize(
    "word",
    [
        "",
        "[]",
        "{}",
        '{"done": "x", "total": [], "stage": {}, "pid": "1", "updated": "now"}',
        '{"done": 1e400, "total": -5, "stage": 3, "pid": -1, "updated": NaN, "began": 1e300}',
        '{"pid": 99999999999999999999, "updated": 1e14, "began": true}',
    ],
)
def test_any_word_is_a_state(tmp_path, client, word):
    folder = made_run(tmp_path / "runs/mine")
    (folder / "progress.json").write_text(word)
    page(client, "/")
    page(client, "/runs/mine")


DAMAGE = ["", "{", "[]", "null", "\x00", "[" * 9000, '{"measures": [], "claims": [{"holds": 1}]}',
          json.dumps(json.loads(report_of().to_json()) | {"config": [], "details": 3}),
          json.dumps(json.loads(report_of(claims=[claim()]).to_json()) | {"seeds": ["a"]}),
          report_of(claims=[Verdict("x", True, "greater", {"values": ["a"]}, {}, {})]).to_json(),
          json.dumps(json.loads(report_of().to_json()) | {"measures": [{"name": 1, "value": "a",
          "low": 0, "high": 0, "n": 1}]})]  # fmt: skip


@pytest.mark.parametrize("file", ["config.json", "manifest.json", "report.json", "metrics.jsonl"])
@pytest.mark.parametrize("text", DAMAGE, ids=range(len(DAMAGE)))
def test_damaged_files_become_sentences(tmp_path, client, file, text):
    folder = judged_run(tmp_path / "runs/mine", steps=3)
    (folder / file).write_text(text)
    for path in ("/", "/runs/mine", "/compare?run=mine&run=mine2"):
        page(client, path)
    if file == "report.json":
        assert 'class="trouble"' in page(client, "/runs/mine")


REPORT = json.loads(report_of(claims=[claim()]).to_json())
HUGE = 10**400


@pytest.mark.parametrize(
    "changes",
    [
        {"measures": [{**REPORT["measures"][0], "value": HUGE}]},
        {"measures": [{**REPORT["measures"][0], "name": [1]}]},
        {"measures": [{**REPORT["measures"][0], "unit": [1]}]},
        {"claims": [{**REPORT["claims"][0], "holds": "yes"}]},
        {"claims": [{**REPORT["claims"][0], "statement": {}}]},
        {"claims": [{**REPORT["claims"][0], "method": {"values": [HUGE]}}]},
        {"claims": [{**REPORT["claims"][0], "method": {"values": [1] * 100_000}}]},
        {"claims": REPORT["claims"] * 1000},
        {"details": {"main": "x" * (9 << 20)}},
        {"preset": 3},
    ],
    ids=range(10),
)
def test_reports_that_lie_are_not_shown(tmp_path, client, changes):
    text = json.dumps(REPORT | changes)
    (judged_run(tmp_path / "runs/mine", steps=3) / "report.json").write_text(text)
    (tmp_path / "results").mkdir()
    (tmp_path / "results/onelife.json").write_text(text)
    for path in ("/", "/runs/mine", "/claims"):
        assert re.search("that can be shown|too long to be shown", page(client, path))
    page(client, "/compare?run=mine&run=mine2")


def test_numbers_that_python_does_not_read_are_damage(tmp_path, client):
    folder = judged_run(tmp_path / "runs/mine", steps=3)
    (folder / "report.json").write_text(f'{{"measures": [], "claims": [], "x": {"1" * 5000}}}')
    assert "not a mindseye report" in page(client, "/runs/mine")


def test_a_report_of_nothing_finite_is_shown(tmp_path, client):
    measures = [Measure("real/return", float("nan"), float("nan"), float("inf"), 0, "reward")]
    sides = [{"name": "x", "values": values} for values in ([float("nan")], [float("inf")], [])]
    report = report_of(measures=measures, claims=[Verdict("It wins.", False, "less", *sides)])
    (made_run(tmp_path / "runs/mine") / "report.json").write_text(report.to_json())
    text = page(client, "/runs/mine")
    assert "Less is better." in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(
    "row",
    [
        f'"step": {HUGE}, "loss": 1', f'"step": T, "loss": {HUGE}', '"step": NaN, "loss": 1',
        '"step": 1.7e308, "loss": 1', '"step": T, "loss": -T.7e308', '"step": T, "loss\\ud800": 1',
        '"step": T, "loss\\u0000\\n": 1', '"step": T, "loss": {"a": [T]}',
        f'"step": T, "loss{"a" * 100_000}": 1', '"step": [T], "loss": 1',
    ],
    ids=range(10),
)  # fmt: skip
def test_metrics_that_cannot_be_drawn_are_left_out(tmp_path, client, row):
    folder = made_run(tmp_path / "runs/mine")
    with open(folder / "metrics.jsonl", "ab") as file:
        for step in range(3):
            file.write(f'{{"stage": "odd", {row.replace("T", str(step))}}}\n'.encode())
        file.write(b'\xff\xfe\n[[]]\n{"stage": "odd\\n", "step": 1, "loss": 1}\n')
    for path in ("/", "/runs/mine", "/compare?run=mine"):
        text = page(client, path)
        assert "odd" not in text
        assert len(text) < 100_000


@pytest.mark.parametrize("file", ["config.json", "manifest.json", "progress.json"])
@pytest.mark.parametrize("deep", [*range(900, 1000, 9), 20_000])
def test_values_within_values_come_to_an_end(tmp_path, client, file, deep):
    folder = made_run(tmp_path / "runs/mine", steps=3)
    (folder / file).write_text('{"a":' * deep + "1" + "}" * deep)
    for path in ("/", "/runs/mine", "/compare?run=mine"):
        page(client, path)


def test_lines_of_the_list_are_short(tmp_path, client):
    folder = judged_run(tmp_path / "runs/mine", steps=3)
    long = {"name": "<" * 99_999, "world": "<" * 99_999, "seed": "<" * 99_999}
    (folder / "config.json").write_text(json.dumps(long))
    report = report_of(details={"main": "<" * 99_999})
    (folder / "report.json").write_text(report.to_json())
    word_of(folder, stage="<" * 99_999)
    assert len(page(client, "/")) < 20_000


def test_pipes_are_not_waited_for(tmp_path, client):
    folder = judged_run(tmp_path / "runs/mine", steps=3)
    for name in ("config.json", "report.json", "metrics.jsonl", "progress.json", "report.html"):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
    os.mkfifo(folder / "a.png")
    for path in ("/", "/compare?run=mine"):
        page(client, path)
    for path in ("/runs/mine", "/reports/mine", "/pictures/mine/a.png"):
        page(client, path, 404)


def test_pictures_of_any_size_and_name_are_survived(tmp_path, client):
    folder = made_run(tmp_path / "runs/mine", steps=3)
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"x")
    Image.new("1", (30_000, 30_000)).save(folder / "large.png")
    (folder / "empty.png").touch()
    text = page(client, "/runs/mine")
    assert text.count("<img") == 2
    assert "too large" in page(client, "/pictures/mine/large.png", 404)
    assert client.get("/pictures/mine/empty.png").content == b""


def test_only_runs_that_are_shown_are_looked_into(tmp_path, client, monkeypatch):
    monkeypatch.setattr("mindseye.studio.browse._MOST_LINES", 3)
    looked = []
    glance = glances.glance_of
    monkeypatch.setattr(
        "mindseye.studio.accounts.glance_of", lambda f, **how: looked.append(f) or glance(f, **how)
    )
    for n in range(9):
        made_run(tmp_path / f"runs/{n}", steps=3)
    page(client, "/")
    assert len(set(looked)) == 3


def test_the_process_of_another_user_is_there(tmp_path, monkeypatch):
    folder = made_run(tmp_path / "mine")
    word_of(folder, updated=time.time() - 100, pid=os.getpid())

    def refuse(pid, signal):
        raise PermissionError

    monkeypatch.setattr("os.kill", refuse)
    assert state_of(folder).word == "running"


def test_what_is_said_of_the_future_is_not_believed(tmp_path, client):
    folder = made_run(tmp_path / "runs/mine")
    word_of(folder, updated=time.time() + 1e6, pid=os.getpid())
    os.utime(folder / "config.json", (4e9, 4e9))
    text = page(client, "/")
    assert ">stopped</span>" in text
    assert ">0 s ago</time>" in text


def test_a_run_is_running_before_its_first_step_is_done(tmp_path):
    with Run(tmp_path, name="slow", config={}) as run:
        assert state_of(tmp_path).word == "running"
        for _ in run.steps("fit", 5, keep={}):
            assert state_of(tmp_path).stage == "fit"
            assert state_of(tmp_path).left is None
            break


def test_a_half_written_line_of_metrics_is_left_out(tmp_path, client):
    folder = made_run(tmp_path / "runs/mine")
    with open(folder / "metrics.jsonl", "a") as file:
        file.write('"x"\n{"stage": "fit", "step": 31, "loss/all": Infinity}\n{"stage": "fi')
    assert page(client, "/runs/mine").count("<svg") == 2


def test_everything_shown_is_escaped(tmp_path, client):
    name = f"{HOSTILE.replace('/', '_')} $x^$ &?#%"
    folder = judged_run(tmp_path / "runs" / name, world=HOSTILE, name=HOSTILE)
    report = report_of(claims=[claim(HOSTILE)], details={"main": HOSTILE})
    (folder / "report.json").write_text(report.to_json())
    with open(folder / "metrics.jsonl", "a") as file:
        for step in range(3):
            file.write(json.dumps({"stage": HOSTILE, "step": step, f"loss{HOSTILE}$": step}) + "\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/strange<b>.json").write_text(report.to_json())
    text = page(client, "/")
    address = re.search(r'href="(/runs/[^"]+)"', text)[1]
    texts = [text, page(client, address), page(client, "/claims")]
    box = re.search(r'href="(/compare\?run=[^"]+)"', texts[1])[1]
    texts += [
        page(client, box),
        page(client, f"/?q={HOSTILE}"),
        page(client, f"/runs/{HOSTILE}", 404),
    ]
    texts.append(page(client, f"/compare?run={HOSTILE}"))
    assert "Learning" in texts[3]
    for text in texts:
        assert "<script>alert" not in text
        assert "<b>.json" not in text


def test_runs_are_compared(tmp_path, client):
    for seed, width in enumerate((3, 4)):
        folder = judged_run(tmp_path / f"runs/w{width}", seed=seed, width=width)
        (folder / "report.json").write_text(report_of(100.0 + seed).to_json())
    made_run(tmp_path / "runs/bare", width=3)
    text = page(client, "/compare?run=w3&run=w4&run=bare&run=gone")
    assert "There is nothing named &#39;gone&#39;" in text
    options = text[text.index("Options that differ") :]
    assert "width" in options
    assert "seed" in options
    assert "world" not in options[: options.index("</table>")]
    assert "101" in text
    assert text.count("<svg") == 2
    assert text.count("checked") == 3


def test_at_most_eight_are_compared(tmp_path, client):
    made_run(tmp_path / "runs/mine")
    runs = "&".join(f"run=r{n}" for n in range(500))
    assert "one too many" in page(client, f"/compare?{runs}")


def test_all_systems_are_listed_with_their_evidence(tmp_path, client):
    (tmp_path / "results").mkdir()
    report = report_of(
        name="onelife", preset="cpu", seeds=[0, 1, 2], claims=[claim(), claim("No.", False)]
    )
    (tmp_path / "results/onelife.json").write_text(report.to_json())
    (tmp_path / "results/spring.json").write_text("{")
    (tmp_path / "results/demo.json").write_text(report_of(claims=[claim("The demo.")]).to_json())
    (tmp_path / "results/bench.json").write_text("{}")
    text = page(client, "/claims")
    assert all(f'id="{system.slug}"' in text for system in SYSTEMS)
    assert "holds in part on CPU (1/2 claims, 3 seeds)" in text
    assert "score/method" in text
    assert "2, 3, 4" in text
    assert "spring.json" in text
    assert "The demo." in text
    assert ">bench<" not in text
    broken = page(client, "/claims?show=broken")
    assert broken.count('class="system"') == 1
    assert page(client, "/claims?show=nonsense").count("arxiv.org") == 44


def test_sides_of_a_claim_share_an_axis():
    method, baseline, empty = (mean_measure("x", values) for values in ([3.0, 5.0], [1.0], []))
    found = tracks([(method, [3.0, 5.0]), (baseline, [1.0]), (empty, [])])
    assert found[0].dots == [50.0, 97.0]
    assert found[0].low < found[0].mean == 73.5 < found[0].high
    assert found[1].low == found[1].mean == 3.0
    assert found[2] is None
    assert tracks([(baseline, [1.0])])[0].mean == 50.0


def test_the_list_shows_what_runs_do(tmp_path, client):
    folder = made_run(tmp_path / "runs/mine")
    assert 'aria-label="return: from 0 to 29, at last 29"' in page(client, "/")
    with open(folder / "metrics.jsonl", "a") as file:
        file.write("".join(f'{{"stage": "later", "step": {t}, "loss": {t}}}\n' for t in range(9)))
    assert 'aria-label="return: ' in page(client, "/")
    word_of(folder, updated=time.time(), pid=os.getpid())
    assert 'aria-label="loss: ' in page(client, "/")


def test_a_report_is_served_as_it_is_and_runs_nothing(tmp_path, client):
    folder = judged_run(tmp_path / "runs/train/mine")
    answer = client.get("/reports/train/mine")
    assert answer.content == (folder / "report.html").read_bytes()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy


def test_reports_over_seeds_are_listed(tmp_path, client):
    folder = tmp_path / "runs/onelife/cpu"
    judged_run(folder / "seed0")
    report = report_of(claims=[claim()], seeds=[0, 1, 2])
    (folder / "report.json").write_text(report.to_json())
    write_page(report, folder)
    text = page(client, "/")
    assert "1 of 1 claims hold over 3 seeds." in text
    assert client.get("/reports/onelife/cpu").status_code == 200


def shelved(tmp_path):
    """A runs folder, with things in and beside it that are not to be had."""
    made_run(tmp_path / "runs/mine", steps=2)
    for secret in ("secret", "runs/.hidden"):
        judged_run(tmp_path / secret, steps=2, world="hidden-world")
    (tmp_path / "runs/linked").symlink_to(tmp_path / "secret")
    (tmp_path / "runs/mine/media").symlink_to(tmp_path / "secret")
    return Shelf(tmp_path / "runs")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../secret", "mine/..", "mine/../../secret", "./mine", "/etc", "//etc", "mine/",
     "mine//", ".hidden", "linked", "mine/media", "mine\\..\\..", "mine\0", "x" * 5000, "\udcff",
     "mine/config.json"],
    ids=repr,
)  # fmt: skip
def test_no_name_leads_outside_the_shelf(tmp_path, name):
    shelf = shelved(tmp_path)
    for ask in (shelf.run, shelf.store, lambda name: shelf.content(f"{name}/report.html")):
        with pytest.raises(DataError, match="There"):
            ask(name)
    assert [entry.name for entry in shelf.runs()] == ["mine"]


@pytest.mark.parametrize(
    "name",
    ["", "..%2fsecret", "%2e%2e/secret", "%2e%2e%2fsecret", "/etc/passwd", "mine%00", "mine//",
     ".hidden", "linked", "mine/media", "x" * 5000, "%ff%fe"],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("door", ["runs", "reports", "pictures", "episodes"])
def test_no_address_leads_outside(tmp_path, client, door, name):
    shelved(tmp_path)
    answer = client.get(f"/{door}/{name}")
    assert answer.status_code == 404 or (door, name) == ("episodes", "")
    assert "hidden-world" not in answer.text


def test_runs_deep_down_are_found_and_stores_with_them(tmp_path):
    made_run(tmp_path / "runs/a/b/c", steps=2)
    made_run(tmp_path / "runs/1/2/3/4/5/6/7", steps=2)
    (tmp_path / "runs/a/b/c/episodes/life").mkdir(parents=True)
    (tmp_path / "runs/a/b/c/episodes/life/schema.json").write_text("{}")
    shelf = Shelf(tmp_path / "runs")
    assert [entry.name for entry in shelf.runs()] == ["a/b/c"]
    assert [store.name for store in shelf.stores()] == ["a/b/c/episodes/life"]
    assert [store.name for store in shelf.stores("a/b")] == ["a/b/c/episodes/life"]


def test_linked_files_are_as_if_they_were_not_there(tmp_path, client):
    secret = judged_run(tmp_path / "secret", steps=2, world="hidden-world")
    for file in ("report.html", "report.json", "metrics.jsonl", "a.png"):
        folder = tmp_path / "runs" / file
        made_run(folder, steps=2)
        (folder / file).unlink(missing_ok=True)
        (folder / file).symlink_to(secret / file)
    assert client.get("/reports/report.html").status_code == 404
    assert client.get("/pictures/a.png/a.png").status_code == 404
    for name in ("report.json", "metrics.jsonl", "a.png"):
        text = page(client, f"/runs/{name}")
        assert "hidden-world" not in text
        assert "<img" not in text
    assert "<svg" not in page(client, "/runs/metrics.jsonl")


def test_only_pictures_are_served_as_pictures(tmp_path, client):
    made_run(tmp_path / "runs/mine", steps=2)
    assert client.get("/pictures/mine/config.json").status_code == 404


def test_a_run_that_appears_is_seen_without_a_restart(tmp_path, client):
    assert "no run in" in page(client, "/")
    made_run(tmp_path / "runs/mine")
    assert "/runs/mine" in page(client, "/")


def test_long_metrics_are_read_at_their_end(tmp_path, client, monkeypatch):
    monkeypatch.setattr("mindseye.studio.reading._LAST_BYTES", 2000)
    folder = made_run(tmp_path / "runs/mine", steps=200)
    assert (folder / "metrics.jsonl").stat().st_size > 4000
    assert page(client, "/runs/mine").count("<svg") == 2


def test_addresses_that_lead_nowhere_get_a_page(client):
    assert "no page at this address" in page(client, "/nowhere", 404)
