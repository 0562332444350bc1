import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.core.spaces import commands
from mindseye.worlds import check_snapshot, check_world, make
from mindseye.worlds.rules import Draws
from mindseye.worlds.text.house import CONDITIONS, PLACES, ROOM_OF, THINGS
from mindseye.worlds.text.household import Household, HouseholdState

MUG, DESK, FRIDGE, SINK = (
    THINGS.index("mug"), PLACES.index("desk"), PLACES.index("fridge"), PLACES.index("sink"),
)  # fmt: skip


def place(condition="", at=FRIDGE, mug=FRIDGE):
    """Someone at a place of a house where the mug should come to the desk."""
    rules = Household()
    draws = Draws(np.zeros(1, np.uint64), np.zeros(1, np.int64))
    start = rules.start(draws)
    places = np.full((1, len(THINGS)), PLACES.index("bed"))
    places[0, MUG] = mug
    return rules, HouseholdState(
        goal=np.array([[MUG, CONDITIONS.index(condition), DESK]]),
        room=np.array([ROOM_OF[at]]),
        at=np.array([at]),
        held=np.array([-1]),
        places=places,
        conditions=start.conditions,
        is_open=start.is_open,
        examined=start.examined,
        failed=start.failed,
    )


def act(rules, state, *said):
    for words in said:
        draws = Draws(np.zeros(1, np.uint64), np.ones(1, np.int64))
        assert words in commands(rules.observe(state)[0]), (words, rules.observe(state)[0])
        state, reward, ended = rules.transition(state, [words], draws)
        assert not state.failed[0]
    return state, float(reward[0]), bool(ended[0]), rules.observe(state)[0]


@pytest.mark.parametrize("observation", ["text", "symbols"])
def test_the_household_keeps_the_rules(observation):
    world = make("text/household", 3, observation=observation)
    check_world(world)
    check_snapshot(world)


def test_doors_hide_what_is_behind_them():
    rules, state = place()
    assert "mug" not in rules.observe(state)[0].split("\n", 1)[1]
    _, _, _, text = act(rules, state, "open fridge")
    assert "You see: mug." in text
    _, _, _, text = act(rules, state, "open fridge", "close fridge")
    assert "mug" not in text.split("\n", 1)[1]


def test_a_thing_is_found_taken_and_put_down():
    rules, state = place()
    bring = (
        "open fridge",
        "take mug from fridge",
        "go to bedroom",
        "go to desk",
        "put mug on desk",
    )
    _, reward, ended, _ = act(rules, state, *bring)
    assert (reward, ended) == (1.0, True)


def test_the_condition_matters():
    rules, state = place("clean")
    take = ("open fridge", "take mug from fridge")
    away = ("go to bedroom", "go to desk", "put mug on desk")
    after, reward, ended, _ = act(rules, state, *take, *away)
    assert (reward, ended) == (0.0, False)
    clean = ("go to sink", "clean mug with sink", "examine mug")
    after, _, _, text = act(rules, state, *take, *clean)
    assert "The mug is clean." in text
    _, reward, ended, _ = act(rules, after, *away)
    assert (reward, ended) == (1.0, True)
    cool = ("cool mug with fridge",)
    after, *_ = act(rules, after, "go to fridge", *cool)
    _, reward, ended, _ = act(rules, after, *away)
    assert (reward, ended) == (0.0, False)


def test_what_cannot_be_done_is_said():
    world = make("text/household", 1)
    (text,), _ = world.reset(seed=0)
    for said in ("take mug from nowhere", "put mug on desk", "heat mug with microwave", "look", ""):
        (after,), reward, _, _, _ = world.step([said])
        assert after.replace("Nothing happens.\n", "") == text
        assert reward[0] == 0.0


def test_all_that_is_offered_can_be_done():
    world = make("text/household", 16)
    rng = np.random.default_rng(0)
    texts, _ = world.reset(seed=0)
    for _ in range(60):
        said = [str(rng.choice(commands(text))) for text in texts]
        texts, _, ended, cut, infos = world.step(said)
        assert not infos["failed"].any()
        if (ended | cut).any():
            texts, _ = world.reset(options={"reset_mask": ended | cut})


def test_no_task_is_done_at_the_start():
    world = make("text/household", 512)
    world.reset(seed=1)
    state = world.save().state
    rows = np.arange(512)
    assert (state.places[rows, state.goal[:, 0]] != state.goal[:, 2]).all()


def test_a_household_has_two_faces():
    with pytest.raises(ConfigError, match="symbols"):
        make("text/household", observation="pixels")
    world = make("text/household", 2)
    world.reset(seed=0)
    assert world.render()[0].dtype == np.uint8
