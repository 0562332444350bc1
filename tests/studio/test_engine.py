import time

import numpy as np
import pytest

from mindseye.experience import Replay
from mindseye.studio.keeping import film_frames
from mindseye.studio.pictures import gif
from mindseye.studio.stage import Limits
from tests.studio.playing import Counting, Driven, Page, counting_stage, latent_stage


def step(driven, page, action, **more):
    driven.say(page, do="step", action=action, **more)
    return page.last("moment")


def test_a_visit_begins_with_hello_its_tree_and_the_first_moment(counting):
    page = counting.open(n=7)
    assert [m["is"] for m in page.told] == ["hello", "tree", "moment"]
    hello, _, moment = page.told
    assert hello["kind"] == "numbers"
    assert hello["action"]["names"][3] == "action 3"
    assert not hello["has_real"]
    assert hello["n"] == moment["n"] == 7
    assert moment["dream"]["numbers"] == [0.0]


def test_a_step_adds_a_moment_and_echoes_the_counter(counting):
    page = counting.open()
    moment = step(counting, page, 3, n=11)
    assert (moment["node"], moment["parent"], moment["n"]) == (1, 0, 11)
    assert moment["dream"]["numbers"] == [3.0]
    assert moment["dream"]["total"] == pytest.approx(0.3)
    assert moment["dream"]["continuation"] == 1.0


def test_going_back_and_acting_otherwise_branches(counting):
    page = counting.open()
    step(counting, page, 3)
    step(counting, page, 4)
    counting.say(page, do="go", node=1)
    assert page.last("moment")["dream"]["numbers"] == [3.0]
    branched = step(counting, page, 1)
    assert (branched["parent"], branched["dream"]["numbers"]) == (1, [4.0])
    counting.say(page, do="open", visit=page.last("hello")["visit"])
    parents = {n["node"]: n["parent"] for n in page.last("tree")["nodes"]}
    assert parents == {0: None, 1: 0, 2: 1, 3: 1}


def test_the_same_action_from_the_same_moment_needs_no_second_dream(counting):
    page = counting.open()
    step(counting, page, 3)
    counting.say(page, do="go", node=0)
    asked = len(counting.model.batches)
    assert step(counting, page, 3)["node"] == 1
    assert len(counting.model.batches) == asked


def test_steps_of_many_visitors_are_one_batch(counting):
    pages = [counting.open(seed=i) for i in range(5)]
    counting.together(*((p, {"do": "step", "action": i}) for i, p in enumerate(pages)))
    assert counting.model.batches == [8]
    assert [p.last("moment")["dream"]["numbers"] for p in pages] == [[0], [1], [2], [3], [4]]


def test_other_knobs_are_another_batch(counting):
    slow, fast = counting.open(), counting.open()
    counting.say(fast, do="knob", name="pace", value=5)
    assert fast.last("knob")["value"] == 5
    counting.together((slow, {"do": "step", "action": 2}), (fast, {"do": "step", "action": 2}))
    assert counting.model.batches == [1, 1]
    assert slow.last("moment")["dream"]["numbers"] == [2.0]
    assert fast.last("moment")["dream"]["numbers"] == [10.0]


def test_inputs_are_taken_in_order_and_none_is_lost(counting):
    page = counting.open()
    counting.together(*((page, {"do": "step", "action": 1, "n": n}) for n in range(20)))
    moments = page.all("moment")[1:]
    assert [m["n"] for m in moments] == list(range(20))
    assert moments[-1]["dream"]["numbers"] == [20.0]


def test_more_inputs_than_fit_are_refused_with_a_word():
    driven = Driven(counting_stage(Counting()), Limits(inputs=3))
    page = driven.open()
    driven.together(*((page, {"do": "step", "action": 1, "n": n}) for n in range(5)))
    assert [m["n"] for m in page.all("moment")[1:]] == [0, 1, 2]
    assert [(m["n"], m["fatal"]) for m in page.all("error")] == [(3, False), (4, False)]


@pytest.mark.parametrize("action", [None, "up", 10, -1, 1.5, True, [1], {"a": 1}, 1 << 70])
def test_wrong_actions_are_refused_and_nothing_moves(counting, action):
    page = counting.open()
    counting.say(page, do="step", action=action, n=1)
    assert "action" in page.last("error")["what"]
    assert page.last("error")["n"] == 1
    assert len(page.all("moment")) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"do": "go", "node": 99},
        {"do": "go", "node": "../../etc"},
        {"do": "go", "node": -1},
        {"do": "go"},
        {"do": "auto", "on": True, "agent": "nobody", "rate": 5},
        {"do": "auto", "on": True, "agent": None, "action": 1, "rate": 1e9},
        {"do": "auto", "on": True, "agent": None, "action": 1, "rate": True},
        {"do": "auto", "on": True, "rate": 5},
        {"do": "knob", "name": "pace", "value": 99},
        {"do": "knob", "name": "__class__", "value": 1},
        {"do": "save", "side": "../../tmp"},
        {"do": "save", "side": "dream"},
        {"do": "save", "side": "real"},
        {"do": "open", "stage": "other"},
        {"do": "open", "seed": -4},
        {"do": "open", "start": {"episode": 0, "step": 0}},
        {"do": "open", "start": [1]},
    ],
)
def test_what_cannot_be_done_is_refused_and_the_visit_goes_on(counting, message):
    page = counting.open()
    counting.say(page, **message)
    assert page.last("error") is not None
    assert step(counting, page, 2)["dream"]["numbers"] == [2.0]


def test_nothing_can_be_done_before_a_visit_is_opened(counting):
    page = Page()
    counting.say(page, do="step", action=1, n=3)
    assert page.last("error")["n"] == 3


def test_a_dream_that_is_not_finite_ends_with_a_word_and_harms_nobody_else(counting):
    broken, other = counting.open(), counting.open()
    counting.together((broken, {"do": "step", "action": 9}), (other, {"do": "step", "action": 1}))
    assert "not finite" in broken.last("error")["what"]
    assert other.last("moment")["dream"]["numbers"] == [1.0]
    assert step(counting, broken, 1)["dream"]["numbers"] == [1.0]


def test_a_model_that_raises_anything_is_told_and_survived(counting):
    page = counting.open()
    counting.model.predict = lambda state: 1 / 0
    counting.say(page, do="step", action=1)
    assert "ZeroDivisionError" in page.last("error")["what"]
    del counting.model.predict
    assert step(counting, page, 1)["node"] == 1


def test_after_the_end_nothing_follows_but_one_may_go_back(counting):
    page = counting.open()
    counting.say(page, do="knob", name="pace", value=5)
    for _ in range(3):
        step(counting, page, 8)
    assert page.last("moment")["over"]
    counting.say(page, do="step", action=1)
    assert "over" in page.last("error")["what"]
    counting.say(page, do="go", node=1)
    assert step(counting, page, 1)["node"] == 4


def test_a_visit_is_resumed_where_it_was_left(counting):
    page = counting.open()
    step(counting, page, 3)
    counting.engine.leave(page)
    again = Page()
    counting.say(again, do="open", visit=page.last("hello")["visit"])
    assert again.last("hello")["visit"] == page.last("hello")["visit"]
    assert again.last("moment")["dream"]["numbers"] == [3.0]
    assert step(counting, again, 2)["dream"]["numbers"] == [5.0]


def test_an_unknown_visit_gives_an_error_and_then_a_fresh_one_of_the_seed(counting):
    page = counting.open(visit="forgotten", seed=5)
    assert [m["is"] for m in page.told] == ["error", "hello", "tree", "moment"]
    assert page.last("hello")["seed"] == 5
    assert not page.told[0]["fatal"]


def test_a_second_window_takes_a_visit_over(counting):
    first = counting.open()
    second = Page()
    counting.say(second, do="open", visit=first.last("hello")["visit"])
    assert first.last("error")["fatal"]
    assert first.is_over
    assert step(counting, second, 1)["node"] == 1
    counting.engine.leave(first)
    assert step(counting, second, 1)["node"] == 2


def test_opening_again_at_the_same_page_leaves_no_visit_behind(counting):
    page = counting.open()
    counting.say(page, do="open", seed=3)
    assert len(counting.engine.reception.visits) == 1


def test_visits_are_bounded_and_those_nobody_watches_make_room():
    driven = Driven(counting_stage(Counting()), Limits(visits=2))
    first, _ = driven.open(), driven.open()
    third = driven.open()
    assert "places are taken" in third.last("error")["what"]
    driven.engine.leave(first)
    fourth = driven.open()
    assert fourth.last("hello") is not None
    assert len(driven.engine.reception.visits) == 2


def test_idle_visits_are_forgotten(counting):
    page = counting.open()
    visit = counting.engine.reception.visits[page.last("hello")["visit"]]
    counting.engine.reception.tidy()
    assert visit.id in counting.engine.reception.visits
    visit.last_active -= counting.engine.limits.idle_seconds + 1
    counting.engine.reception.tidy()
    assert not counting.engine.reception.visits
    assert page.last("error")["fatal"]
    assert page.is_over


def test_the_oldest_what_ifs_are_dropped_when_there_are_too_many_moments():
    driven = Driven(counting_stage(Counting()), Limits(nodes=4))
    page = driven.open()
    for action in (1, 2, 3):
        step(driven, page, action)
        driven.say(page, do="go", node=0)
    step(driven, page, 4)
    assert page.last("dropped")["nodes"] == [1]
    for _ in range(2):
        step(driven, page, 5)
    assert page.last("moment")["step"] == 3
    driven.say(page, do="step", action=5)
    assert "full" in page.last("error")["what"]
    visit = driven.engine.reception.visits[page.last("hello")["visit"]]
    assert len(visit.nodes) == 4


def test_when_bytes_run_out_old_moments_can_be_seen_but_not_followed():
    driven = Driven(counting_stage(Counting()), Limits(bytes=4 * 12_000))
    page = driven.open()
    for _ in range(9):
        step(driven, page, 1)
    assert page.all("dropped")[0]["faded"][0] == 0
    driven.say(page, do="go", node=0)
    assert page.last("moment")["dream"]["numbers"] == [0.0]
    driven.say(page, do="step", action=2)
    assert "let go" in page.last("error")["what"]
    for visit in driven.engine.reception.visits.values():
        assert visit.bytes == sum(node.bytes for node in visit.nodes.values())


def test_a_held_action_goes_on_by_itself_until_stopped(counting):
    page = counting.open()
    counting.say(page, do="auto", on=True, agent=None, action=2, rate=60)
    assert page.last("auto")["on"]
    while page.last("moment")["step"] < 3:
        counting.settle()
    counting.say(page, do="auto", on=False)
    assert not page.last("auto")["on"]
    before = page.last("moment")["step"]
    counting.settle()
    assert page.last("moment")["step"] == before
    assert page.last("moment")["dream"]["numbers"] == [2.0 * before]


def test_an_agent_is_watched_with_a_memory_and_stops_at_the_end():
    class Two:
        def initial(self, batch_size):
            return np.zeros(batch_size)

        def act(self, observation, memory, *, explore=False):
            assert observation.shape == (len(memory), 1)
            return np.where(memory > 0, 8, 2), memory + 1, {}

    driven = Driven(counting_stage(Counting(), agents={"two": Two()}))
    driven.engine.start()
    page = Page()
    driven.engine.hear(page, {"do": "open"})
    driven.engine.hear(page, {"do": "auto", "on": True, "agent": "two", "rate": 60})
    until = time.monotonic() + 10
    while not (page.last("auto") and not page.last("auto")["on"]) and time.monotonic() < until:
        time.sleep(0.01)
    driven.engine.stop()
    assert "over" in page.last("auto")["why"]
    values = [m["dream"]["numbers"][0] for m in page.all("moment")]
    assert values[:4] == [0, 2, 10, 18]
    assert values[-1] >= 100


def test_dream_and_reality_go_on_together_and_say_how_far_apart_they_are(empty_room, tmp_path):
    driven = Driven(empty_room)
    page = driven.open(seed=3)
    first = page.last("moment")
    assert first["apart"] == 0.0
    assert first["dream"]["picture"] == first["real"]["picture"] > 0
    assert first["pictures"][:4] == b"\x89PNG"
    moment = step(driven, page, 2)
    assert moment["apart"] > 0.1
    assert moment["parted"] == 1
    assert len(moment["pictures"]) == moment["dream"]["picture"] + moment["real"]["picture"]


def test_reality_is_the_same_from_the_same_seed_and_actions(empty_room):
    driven = Driven(empty_room)
    seen = []
    for _ in range(2):
        page = driven.open(seed=4)
        for action in (2, 1, 2):
            moment = step(driven, page, action)
        seen.append(moment["pictures"][moment["dream"]["picture"] :])
    assert seen[0] == seen[1]


def test_a_path_is_saved_as_an_episode_of_its_origin(tmp_path):
    driven = Driven(latent_stage(saved=tmp_path / "kept", model="runs/mine"))
    page = driven.open(seed=3)
    for action in (2, 1, 2):
        step(driven, page, action)
    driven.say(page, do="go", node=2)
    driven.say(page, do="save", side="dream", n=4)
    driven.say(page, do="save", side="real")
    assert page.all("saved")[0]["n"] == 4
    replay = Replay.open(tmp_path / "kept", read_only=True)
    dream, real = replay.episode(0), replay.episode(1)
    assert (dream.origin.kind, dream.origin.world) == ("imagined", "runs/mine")
    assert (real.origin.kind, real.origin.world) == ("real", "grid/door-key-5x5")
    assert dream.origin.agent == "visitor"
    assert dream.actions.tolist() == real.actions.tolist() == [2, 1]
    assert len(dream.observations) == 3
    assert (dream.observations[0] == real.observations[0]).all()


def test_a_path_becomes_a_film(empty_room):
    driven = Driven(empty_room)
    page = driven.open(seed=3)
    step(driven, page, 2)
    stage, nodes = driven.engine.reception.film(page.last("hello")["visit"], 1)
    for side, wide in (("both", 264), ("dream", 128), ("real", 128)):
        frames = film_frames(stage, nodes, side)
        assert len(frames) == 2
        assert frames[0].size == (wide, 128)
        assert gif(frames, 10)[:6] == b"GIF89a"


def test_a_dream_begins_at_a_recorded_moment_and_reality_only_if_it_comes_out_again(tmp_path):
    from mindseye.agents.random import RandomAgent
    from mindseye.core.episode import Origin
    from mindseye.experience import rollout
    from mindseye.worlds import make

    world = make("grid/door-key-5x5", 1, observation="pixels")
    spaces = world.single_observation_space, world.single_action_space
    replay = Replay(tmp_path / "episodes", *spaces)
    agent = RandomAgent(spaces[1], 0)
    replay.add(rollout(agent, world, origin=Origin("real", "x"), episodes=2, seed=40))
    seeds = {0: 40, 1: 999}
    driven = Driven(latent_stage(episodes=replay, seed_of=seeds.get, context=4))
    page = driven.open(start={"episode": 0, "step": 6})
    hello = page.last("hello")
    assert hello["has_real"]
    assert hello["starts"]["episodes"][1] == {"id": 1, "length": len(replay.episode(1))}
    moment = page.last("moment")
    assert moment["apart"] == 0.0
    visit = driven.engine.reception.visits[hello["visit"]]
    assert (visit.here.real.observation == replay.episode(0).observations[6]).all()
    other = driven.open(start={"episode": 1, "step": 3})
    assert not other.last("hello")["has_real"]
    assert "does not come out" in other.last("hello")["why_no_real"]
    assert step(driven, other, 1)["real"] is None
    refused = driven.open(start={"episode": 0, "step": 10**6})
    assert refused.last("error") is not None
