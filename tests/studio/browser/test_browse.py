"""The pages to read in a real browser."""

import os
import time

import pytest

from mindseye.agents.random import RandomAgent
from mindseye.worlds import make
from tests.studio.browser.seeing import FAINT
from tests.studio.test_browse import claim, judged_run, made_run, report_of, word_of
from tests.studio.test_episodes import GRID, HOUSE, SWING, kept, thinking

LONG = "a/name-that-goes-on-and-on-without-a-space-to-break-it-at/seed0"
PAGES = [
    "/", f"/runs/{LONG}", f"/compare?run=one&run={LONG}", "/claims?show=evidence",
    f"/reports/{LONG}", "/episodes", "/episodes/grids", "/episodes/grids/1", "/episodes/thoughts/0",
    "/episodes/swing/0",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(server):
    """What there is to read: runs, evidence, and episodes of three kinds."""
    runs = server.folder / "runs"
    made_run(runs / "one", seed=1)
    judged_run(runs / LONG, width=7)
    (server.folder / "results").mkdir()
    for name, held in (("onelife", (True, True)), ("spring", (True, False))):
        claims = [claim("It wins.", holds) for holds in held]
        evidence = report_of(name=name, preset="cpu", seeds=[0, 1, 2], claims=claims)
        (server.folder / f"results/{name}.json").write_text(evidence.to_json())
    grid, swing = make(GRID, 1, observation="pixels"), make(SWING, 1)
    kept(runs / "grids", grid, RandomAgent(grid.single_action_space, 0), GRID)
    kept(runs / "swing", swing, RandomAgent(swing.single_action_space, 0), SWING)
    kept(runs / "thoughts", make(HOUSE, 1), thinking(), HOUSE)
    return server.folder


@pytest.fixture
def running(folder):
    """A run that says it goes on."""
    made = folder / "runs/one"
    now = time.time()
    word_of(made, done=10, total=30, first=0, began=now - 10, updated=now, pid=os.getpid())
    yield made
    word_of(made, ended=True)


def test_the_list_follows_what_runs(visit, running, folder):
    page = visit("/")
    bar = page.locator("[data-state=running] progress")
    assert bar.get_attribute("value") == "10.0"
    page.get_by_label("Choose one").check()
    word_of(running, done=20, updated=time.time())
    page.wait_for_selector("progress[value='20.0']")
    made_run(folder / "runs/begun-later")
    page.wait_for_selector("#news:not([hidden])")
    word_of(running, ended=True)
    page.wait_for_selector("[data-state=finished][data-name=one]")
    assert page.text_content("#told") == "one is now finished"
    assert page.get_by_label("Choose one").is_checked()
    page.click("#news a")
    page.wait_for_selector("text=begun-later")
    assert page.locator("#news").is_hidden()


def test_a_run_is_followed_while_what_was_unfolded_stays_so(visit, running):
    page = visit("/runs/one")
    page.click("summary:has-text('Options')")
    word_of(running, done=25, updated=time.time())
    page.wait_for_selector("progress[value='25.0']")
    assert page.locator("details:has-text('Options')").get_attribute("open") is not None


def test_the_list_is_narrowed(visit, folder):
    page = visit("/")
    page.get_by_role("searchbox").fill("goes-on")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=goes-on")
    assert page.locator(".runs > li").count() == 1
    page.click("nav >> text=Finished")
    page.wait_for_url("**/?q=finished")
    assert page.locator(".runs > li").count() > 1


def test_two_runs_are_compared(visit, folder):
    page = visit("/", java_script_enabled=False)
    page.get_by_label("Choose one").check()
    page.get_by_label(f"Choose {LONG}").check()
    page.click("button:has-text('Compare')")
    assert page.locator("h1").text_content() == "Compare"
    assert page.locator("figure svg").count() == 2
    assert page.locator("th:has-text('width')").count() == 1


def test_claims_are_unfolded_and_narrowed(visit, folder):
    page = visit("/claims")
    assert page.locator(".system").count() == 44
    assert page.locator(".track").first.is_hidden()
    page.click("summary:has-text('OneLife')")
    assert page.locator(".system[open] .track").count() == 6
    page.click("nav >> text=does not hold")
    assert page.locator(".system").count() == 1
    assert page.locator(".system .badge:has-text('does not hold')").is_visible()


def test_frames_are_stepped_through_by_keyboard(visit, folder):
    page = visit("/episodes/grids/1")
    page.wait_for_selector("#run:visible")
    page.focus("#at")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("#told:has-text('Step 3 of 7 · ')")
    assert page.get_attribute("#frame", "src").endswith("/1/frame/3.png")
    assert page.get_attribute("#at", "aria-valuetext").startswith("Step 3 of 7")
    assert page.get_attribute(".sheet [aria-current]", "data-at") == "3"
    page.keyboard.press("End")
    page.wait_for_selector("#told:has-text('Step 7 of 7')")
    page.click("#steps a[data-at='5']")
    page.wait_for_selector("#told:has-text('Step 5 of 7')")
    page.click("#run")
    page.wait_for_selector("#run[aria-pressed=false]")
    page.wait_for_selector("#told:has-text('Step 7 of 7')")


def test_the_keyboard_reaches_the_content_first(visit, folder):
    page = visit("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_on_a_narrow_phone(visit, folder, scheme):
    page = visit(PAGES[0], color_scheme=scheme, viewport={"width": 360, "height": 740})
    origin = page.url.rstrip("/")
    for path in PAGES:
        page.goto(origin + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert (path, wide) == (path, 360)
        assert page.evaluate(FAINT) == [], path
