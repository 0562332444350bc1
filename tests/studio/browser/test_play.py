"""The play page in a real browser."""

import json

import pytest

from tests.studio.browser.seeing import FAINT


@pytest.fixture
def visitor(visit):
    """Opens the play page, each time as another visitor."""

    def play(stage="rooms", **options):
        page = visit(f"/play?stage={stage}", **options)
        page.wait_for_selector("#stage[data-node='0']")
        return page

    return play


def at(page, step, **more):
    """Wait until the page stands at a step, and its panels tell of it."""
    more = "".join(f"[data-{k}='{v}']" for k, v in more.items())
    page.wait_for_selector(f"#stage[data-step='{step}']{more}")
    page.wait_for_function(
        "() => (({ drawn, node }) => drawn === node)(document.querySelector('#stage').dataset)"
    )


def node(page):
    return page.get_attribute("#stage", "data-node")


def picture(page, side="dream"):
    page.wait_for_function(
        "() => (({ painted, node }) => painted === node)(document.querySelector('#stage').dataset)"
    )
    return page.evaluate(f"document.querySelector('#{side} canvas').toDataURL()")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def lanes(page):
    return int(page.get_attribute("#tree", "data-lanes"))


def test_keys_step_dream_and_reality_and_their_frames_change(visitor):
    page = visitor()
    before = picture(page), picture(page, "real")
    press(page, "ArrowRight", "2")
    at(page, 2)
    assert picture(page) != before[0]
    assert picture(page, "real") != before[1]
    assert page.text_content("#live").startswith("Step 2, ")
    assert "Would end here" in page.text_content("#dream .told")


def test_going_back_and_acting_otherwise_grows_a_branch(visitor):
    page = visitor("same")
    press(page, "ArrowLeft", "ArrowUp", "ArrowUp")
    at(page, 3)
    there = picture(page, "real")
    press(page, "Backspace")
    at(page, 2)
    press(page, "ArrowRight")
    at(page, 3, node=4)
    page.wait_for_selector("#tree[data-lanes='2']")
    assert picture(page, "real") != there
    press(page, "b", "ArrowUp")
    at(page, 3, node=3)
    assert picture(page, "real") == there
    press(page, "ArrowLeft", "Escape", "ArrowUp")
    at(page, 3, node=3)
    assert lanes(page) == 2
    press(page, "Home")
    at(page, 0)
    assert page.input_value("#scrub") == "0"


def test_a_reload_goes_on_where_it_was(visitor):
    page = visitor("same")
    press(page, "ArrowLeft", "ArrowUp", "Backspace", "ArrowRight")
    at(page, 2, node=3)
    shown, visit = picture(page, "real"), page.get_attribute("#stage", "data-visit")
    page.reload()
    at(page, 2, node=3)
    assert page.get_attribute("#stage", "data-visit") == visit
    assert picture(page, "real") == shown
    page.wait_for_selector("#tree[data-lanes='2']")
    press(page, "ArrowUp")
    at(page, 3)


def test_a_killed_server_is_found_again_and_the_way_taken_anew(visitor, server):
    page = visitor("same")
    press(page, "ArrowLeft", "ArrowUp", "ArrowLeft")
    at(page, 3)
    shown, visit = picture(page, "real"), page.get_attribute("#stage", "data-visit")
    server.kill()
    page.wait_for_selector("#link[data-state='waiting']")
    press(page, "ArrowUp")
    assert "Not connected" in page.text_content("#notice")
    server.start()
    page.wait_for_selector("#link[data-state='open']")
    page.wait_for_selector("#notice:has-text('3 steps were taken again')")
    at(page, 3)
    assert page.get_attribute("#stage", "data-visit") != visit
    assert picture(page, "real") == shown
    press(page, "ArrowUp")
    at(page, 4)


def test_two_visitors_play_at_once_and_apart(visitor):
    one, other = visitor("same"), visitor("same")
    press(one, "ArrowLeft", "ArrowLeft")
    press(other, "ArrowUp")
    at(one, 2)
    at(other, 1)
    assert one.get_attribute("#stage", "data-visit") != other.get_attribute("#stage", "data-visit")
    press(other, "Backspace")
    at(other, 0)
    at(one, 2)


def test_an_agent_is_watched_and_paused(visitor):
    page = visitor("same")
    press(page, " ")
    page.wait_for_function("() => Number(document.querySelector('#stage').dataset.step) >= 4")
    assert page.get_attribute("#toggle", "aria-pressed") == "true"
    press(page, " ")
    page.wait_for_selector("#toggle[aria-pressed='false']")
    stood = page.get_attribute("#stage", "data-step")
    page.wait_for_timeout(400)
    assert page.get_attribute("#stage", "data-step") == stood


def test_words_are_a_conversation_with_commands_to_press(visitor):
    page = visitor("words")
    assert page.locator("#talk li").count() == 1
    page.locator(".commands button").first.click()
    at(page, 1)
    press(page, "1")
    at(page, 2)
    page.fill("#said", "<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    at(page, 3)
    assert "<img src=x" in page.text_content("#talk")
    assert page.locator("#talk img").count() == 0
    page.reload()
    at(page, 3)
    page.wait_for_function("() => !document.querySelector('#talk').textContent.includes('…')")
    assert page.locator("#talk li").count() == 4


def test_numbers_are_acted_on_with_sliders(visitor):
    page = visitor("sliders")
    press(page, "ArrowRight", "Enter")
    at(page, 1)
    assert page.locator("#dream .numbers tr").count() == 3
    page.wait_for_selector("#where:has-text('0.5')")


def test_knobs_are_turned_and_kept_when_begun_again(visitor):
    page = visitor("counting")
    assert "only the dream" in page.text_content("#real") or page.locator("#real.missing").count()
    page.locator("[data-knob=pace]").fill("5")
    page.wait_for_selector("#knobs output:has-text('5')")
    press(page, "2")
    at(page, 1)
    assert page.text_content("#dream .numbers td") == "10"
    press(page, "r")
    at(page, 0)
    press(page, "2")
    at(page, 1)
    assert page.text_content("#dream .numbers td") == "10"


def test_an_episode_is_saved_and_a_film_taken_home(visitor, server):
    page = visitor("rooms")
    press(page, "ArrowLeft", "ArrowUp")
    at(page, 2)
    page.click("#save-dream")
    page.wait_for_selector("#kept:has-text('Saved 2 imagined steps')")
    page.wait_for_selector("#gif[href*='/2.gif']")
    film = page.request.get(server.address(page.get_attribute("#gif", "href")))
    assert film.body()[:3] == b"GIF"


def test_help_opens_by_its_key_and_keys_rest_while_it_is_open(visitor):
    page = visitor("same")
    press(page, "?")
    page.wait_for_selector("#help[open]")
    press(page, "ArrowLeft", "Escape")
    assert page.get_attribute("#stage", "data-step") == "0"


def test_a_phone_needs_no_sideways_scrolling(visitor):
    page = visitor("rooms", viewport={"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    page.locator("#actions button").nth(2).click()
    at(page, 1)


def test_a_visit_taken_elsewhere_can_be_taken_back(visitor):
    one, other = visitor("same"), visitor("same")
    press(one, "ArrowLeft")
    at(one, 1)
    one.wait_for_selector("#tree[data-nodes='2']")
    kept = one.evaluate("sessionStorage.getItem('mindseye.play')")
    # what a page keeps it writes when it is left, so it is handed over on the next one
    other.add_init_script(
        f"if (!window.name) {{ window.name = 'again';"
        f" sessionStorage.setItem('mindseye.play', {json.dumps(kept)}); }}"
    )
    other.reload()
    at(other, 1)
    one.wait_for_selector("#notice:has-text('another window')")
    one.click("#notice button")
    one.wait_for_selector("#link[data-state='open']")
    press(one, "ArrowLeft")
    at(one, 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_against_what_lies_behind_it(visitor, scheme):
    for stage in ("same", "words"):
        page = visitor(stage, color_scheme=scheme)
        press(page, "0", "1", "Backspace", "2")
        page.wait_for_selector("#tree[data-lanes='2']")
        page.wait_for_timeout(300)
        assert page.evaluate(FAINT) == []
