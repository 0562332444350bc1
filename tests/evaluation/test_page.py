import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mindseye.core.episode import Episode, Origin
from mindseye.core.report import Measure, Report, Verdict
from mindseye.evaluation.open_loop import OpenLoop
from mindseye.evaluation.page import number, render, write_page
from mindseye.evaluation.pictures import draw_pair, save_pictures
from mindseye.evaluation.truth import Attempts, Truth
from mindseye.evaluation.verdict import headline

VOID = {"meta", "br", "wbr", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """Open elements as a stack; `problems` names what closes wrongly."""

    def __init__(self):
        super().__init__()
        self.open, self.problems, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> inside {self.open[-3:]}")
        else:
            self.open.pop()


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    return parser


def agent(returns, passed) -> dict:
    return {
        "real_returns": returns,
        "dream_returns": returns,
        "real_success": passed,
        "dream_success": passed,
        "real_lengths": [3] * len(returns),
        "dream_lengths": [3] * len(returns),
    }


def full_report(**changes) -> Report:
    curve = [0.1, 0.3, 0.7]
    measures = [
        Measure("real/return", 8.0, 7.0, 9.0, 4, "return"),
        Measure("dream/return", 9.0, 8.0, 9.5, 4, "return"),
        Measure("gap/return", -1.0, -1.5, -0.5, 4, "return"),
        Measure("real/success", 0.75, 0.25, 1.0, 4, "share"),
        Measure("agreement/dream_only", 0.25, 0.0, 0.75, 4, "share"),
        Measure("ranking/kendall_tau", 1.0, 0.3, 1.0, 3, "correlation"),
        Measure("horizon/trust_steps", 2, 1, 3, 16, "steps"),
        Measure("calibration/spearman", float("nan"), float("nan"), float("nan"), 0),
        Measure("baseline/random", 2.0, 1.0, 3.0, 4, "return"),
        Measure("baseline/random_success", 0.25, 0.0, 0.5, 4, "share"),
        Measure("baseline/imitation", 8.5, 8.0, 9.0, 4, "return"),
        Measure("baseline/model_free", 12.0, 11.0, 13.0, 4, "return"),
        Measure("cost/seconds", 12.5, 12.5, 12.5, 1, "s"),
    ]
    details = {
        "main": "dream",
        "success": "return of at least 5",
        "agents": {
            "dream": agent([9.0, 8.0, 7.0, 8.0], [True, True, True, False]),
            "random": agent([1.0, 3.0, 2.0, 2.0], [False, False, True, False]),
            "imitation": agent([8.0, 9.0, 8.0, 9.0], [True] * 4),
        },
        "agreement": {"both": 2, "neither": 0, "real_only": 1, "dream_only": 1},
        "open_loop": {
            "observation": curve,
            "copy_last": [0.5, 0.6, 0.7],
            "reward": [0.0, 0.1, 0.2],
            "termination": [0.0, 0.0, 0.1],
            "uncertainty": [0.1, 0.2, 0.3],
            "noise_floor": 0.0,
        },
        "trust_bound": 0.5,
    }
    fields = {
        "name": "train",
        "preset": "default",
        "seeds": [0],
        "measures": measures,
        "details": details,
        "config": {"world": "CartPole-v1"},
        "manifest": {"command": "mindseye train", "versions": {"python": "3.11"}, "degraded": []},
    }
    return Report(**{**fields, **changes})


def test_every_element_of_the_page_closes(tmp_path):
    assert outline(render(full_report(), tmp_path)).problems == []


def test_the_page_asks_for_nothing_from_outside(tmp_path):
    for tag, attributes in outline(render(full_report(), tmp_path)).tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href", "xlink:href"):
            assert not attributes.get(name) or attributes[name].startswith(("data:", "#"))


def test_the_headline_names_success_and_rivals():
    first = headline(full_report())[0].replace("\N{NO-BREAK SPACE}", " ")
    assert first == (
        "Trained only in its dream, the agent passes 75 % of 4 real episodes; random 25 %."
    )


def test_the_headline_admits_who_earns_more():
    assert headline(full_report())[1] == (
        "It earns 8 per real episode: more than random (2); less than model-free (12); not "
        "measurably more or less than imitation (8.5)."
    )


def test_a_flattering_dream_is_called_so():
    assert headline(full_report())[2].startswith("The dream flatters: reality pays 1 less")


def test_an_agent_that_is_not_from_a_dream_is_not_said_to_be():
    report = full_report()
    details = {**report.details, "main": "random"}
    assert headline(full_report(details=details))[0].startswith("The agent “random”")


def test_without_a_notion_of_success_returns_are_compared():
    details = {**full_report().details, "success": "undefined: no reward was ever positive"}
    first = headline(full_report(details=details))[0]
    assert "earns 8 per real episode (mean of 4); random 2" in first


def test_a_report_without_a_real_test_says_so_first(tmp_path):
    details = {
        "no_real_test": True,
        "main": "dream",
        "success": "undefined",
        "agents": {"dream": {"dream_returns": [1.0, 2.0], "dream_success": [False, False]}},
    }
    report = full_report(details=details, measures=[Measure("dream/return", 1.5, 1, 2, 2)])
    assert headline(report)[0].startswith("No real test was made")
    assert "No real test was made" in render(report, tmp_path)


def test_a_report_with_nothing_in_it_still_makes_a_page(tmp_path):
    page = render(Report(name="empty", preset="smoke", seeds=[3]), tmp_path)
    assert outline(page).problems == []


def test_claims_are_shown_with_their_verdicts(tmp_path):
    side = {"name": "a", "values": [1.0, 2.0]}
    claims = [
        Verdict("Wins.", True, "greater", side, side, side),
        Verdict("Also wins.", False, "greater", side, side, side),
    ]
    report = Report(name="r", preset="cpu", seeds=[0, 1], claims=claims)
    assert headline(report) == ["1 of 2 claims hold over 2 seeds."]
    page = render(report, tmp_path)
    assert page.count('class="yes">yes') == 1
    assert page.count('class="no">no') == 1


def test_text_of_others_is_escaped(tmp_path):
    bad = "<script>alert(1)</script>"
    details = {**full_report().details}
    details["agents"] = {bad: details["agents"]["dream"], **details["agents"]}
    report = full_report(name=bad, config={"world": bad}, details=details)
    assert "<script" not in render(report, tmp_path)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(float("nan"), "–"), (float("inf"), "–"), (0.12345, "0.123"), (12000, "12 000"), (3.0, "3")],
)
def test_numbers_are_made_to_be_read(value, shown):
    assert number(value) == shown


def test_the_same_report_makes_the_same_page(tmp_path):
    assert render(full_report(), tmp_path) == render(full_report(), tmp_path)


def test_the_page_follows_the_readers_colours(tmp_path):
    page = render(full_report(), tmp_path)
    assert "prefers-color-scheme: dark" in page
    assert not re.findall(r"#0[1-6]0[1-6]0[1-6]", page)


def test_learning_curves_come_from_the_metrics_of_the_run(tmp_path):
    rows = [f'{{"stage": "fit", "step": {i}, "loss/reward": {1 / (i + 1)}}}' for i in range(30)]
    rows.append('{"stage": "fit", "step": 30, "loss/reward": NaN}')
    (tmp_path / "metrics.jsonl").write_text("\n".join(rows) + "\n")
    page = render(full_report(), tmp_path)
    assert "Fitting the world model" in page
    assert "loss/reward" in page


def test_pictures_lie_inside_the_page(tmp_path):
    (tmp_path / "media").mkdir()
    Image.new("RGBA", (4, 4)).save(tmp_path / "media" / "film-both-0.png")
    pictures = {"both/0": "media/film-both-0.png", "neither/1": "media/gone.png"}
    details = {**full_report().details, "pictures": pictures}
    write_page(full_report(details=details), tmp_path)
    images = [a for tag, a in outline((tmp_path / "report.html").read_text()).tags if tag == "img"]
    assert len(images) == 1
    assert images[0]["alt"].startswith("Passes in reality and in the dream. Reality: 3 steps")
    data = base64.b64decode(images[0]["src"].removeprefix("data:image/png;base64,"))
    assert data == (tmp_path / "media" / "film-both-0.png").read_bytes()


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(width=32), min_size=1, max_size=4),
    st.text(max_size=20),
)
def test_any_measures_make_a_page(values, text):
    measures = [Measure(f"{text}/{i}", v, v, v, 1, text) for i, v in enumerate(values)]
    report = Report(name=text, preset=text, seeds=[0], measures=measures, config={text: text})
    assert outline(render(report, Path("nowhere"))).problems == []


def episode(observations, kind="real") -> Episode:
    steps = len(observations) - 1
    return Episode(
        observations=observations,
        actions=np.zeros(steps, np.int64),
        rewards=np.zeros(steps, np.float32),
        terminated=True,
        truncated=False,
        origin=Origin(kind, "test"),
    )


def test_a_film_strip_shows_reality_above_the_dream():
    red = np.zeros((3, 32, 32, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    blue = np.zeros((2, 32, 32, 3), np.uint8) + np.array([0, 0, 255], np.uint8)
    picture = draw_pair(episode(red), episode(blue, "imagined"))
    assert picture is not None
    assert picture.size == (3 * 112 + 2 * 4, 2 * 112 + 4)
    assert picture.getpixel((50, 50)) == (255, 0, 0, 255)
    assert picture.getpixel((50, 170)) == (0, 0, 255, 255)


def test_a_moment_after_the_end_is_left_pale():
    long = np.full((3, 32, 32, 3), 200, np.uint8)
    picture = draw_pair(episode(long), episode(long[:2]))
    assert picture is not None
    assert picture.getpixel((2 * 116 + 50, 170))[3] < 255


def test_symbols_are_drawn_as_tiles_with_the_agent_at_the_bottom():
    view = np.zeros((2, 7, 7, 3), np.uint8)
    view[:, :, :, 0] = 1
    view[:, 5, 2] = (8, 1, 0)
    picture = draw_pair(episode(view), episode(view))
    assert picture is not None
    goal, agent_cell = (picture.getpixel((x * 16 + 8, y * 16 + 8)) for x, y in ((5, 2), (3, 6)))
    assert goal[1] > max(goal[0], goal[2]) + 80
    assert agent_cell[0] > max(agent_cell[1], agent_cell[2]) + 80


def test_impossible_symbols_of_a_dream_are_still_drawn():
    view = np.full((2, 7, 7, 3), 255, np.uint8)
    assert draw_pair(episode(view), episode(view)) is not None


def test_numbers_are_drawn_as_curves():
    vectors = np.zeros((4, 3), np.float32)
    picture = draw_pair(episode(vectors), episode(vectors[:2]))
    assert picture is not None
    assert picture.mode == "RGB"


def test_texts_are_not_drawn():
    texts = ["a", "b", "c"]
    assert draw_pair(episode(texts), episode(texts)) is None


def truth_of(real_success, dream_success) -> Truth:
    count = len(real_success)
    episodes = [episode(np.full((3, 32, 32, 3), i, np.uint8)) for i in range(count)]
    none = np.zeros((1, 1))
    loop = OpenLoop(none, none, none, none, None, none > -1)
    details = {"agents": {"me": {"real_success": real_success, "dream_success": dream_success}}}
    return Truth("me", [Attempts("me", episodes, episodes)], loop, [], details)


def test_pictures_are_chosen_by_kind_of_agreement(tmp_path):
    found = truth_of([False, True, True, False], [True, True, False, True])
    assert save_pictures(found, tmp_path / "media") == {
        "both/1": "media/film-both-1.png",
        "dream_only/0": "media/film-dream_only-0.png",
        "real_only/2": "media/film-real_only-2.png",
    }


def test_pictures_are_the_same_every_time(tmp_path):
    found = truth_of([True], [True])
    first = save_pictures(found, tmp_path / "a")
    second = save_pictures(found, tmp_path / "b")
    one, other = tmp_path / first["both/0"], tmp_path / second["both/0"]
    assert one.read_bytes() == other.read_bytes()
