"""What holds for every table: rules, faces, natures, placing."""

import numpy as np
import pytest

from mindseye.core.errors import ConfigError, SpecError, WorldError
from mindseye.core.tree import take
from mindseye.worlds import check_snapshot, check_world, make
from mindseye.worlds.tabletop import build, names, place, show, state_of
from mindseye.worlds.tabletop.camera import COLOURS

KINDS = [
    ("tabletop/push", {}),
    ("tabletop/push", {"goal": "fixed"}),
    ("tabletop/wall", {}),
    ("tabletop/wall", {"door": "random", "goal": True}),
    ("tabletop/maze", {}),
    ("tabletop/maze", {"layout": "medium", "goal": "fixed"}),
]
FACES = ["state", "pixels", "views", "text"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("variant", ["sim", "real"])
@pytest.mark.parametrize(("name", "options"), KINDS)
def test_tables_keep_the_house_rules(name, options, variant, face):
    world = make(name, 3, observation=face, variant=variant, size=24, **options)
    check_world(world, steps=25)
    check_snapshot(world, steps=10)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_row_i_of_a_batch_does_not_depend_on_its_size(name, options):
    few, many = (build(name, n, observation="pixels", size=24, **options) for n in (2, 5))
    first, second = few.reset(seed=4)[0], many.reset(seed=4)[0]
    for step in range(5):
        np.testing.assert_array_equal(first, take(second, slice(0, 2)))
        action = np.random.default_rng(step).uniform(-1, 1, (5, 2))
        first, second = few.step(action[:2])[0], many.step(action)[0]


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_a_world_put_where_another_stands_goes_on_like_it(name, options):
    there, here = build(name, 4, **options), build(name, 4, **options)
    there.reset(seed=0)
    here.reset(seed=1)
    actions = np.random.default_rng(0).uniform(-1, 1, (6, 4, 2))
    for action in actions[:3]:
        seen = there.step(action)[0]
    np.testing.assert_allclose(place(here, state_of(there)), seen, atol=1e-6)
    for action in actions[3:]:
        np.testing.assert_allclose(here.step(action)[0], there.step(action)[0], atol=1e-6)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_showing_a_state_shows_what_would_be_observed(name, options):
    world = build(name, 3, observation="views", size=24, **options)
    world.reset(seed=2)
    shown = show(world, state_of(world))
    placed = place(world, state_of(world))
    for part in ("top", "wrist", "side", "pose"):
        np.testing.assert_array_equal(shown[part], placed[part])


def test_the_true_state_does_not_depend_on_the_face():
    states = []
    for face in FACES:
        world = build("tabletop/push", 2, observation=face)
        world.reset(seed=0)
        world.step(np.ones((2, 2)))
        states.append(state_of(world))
    for other in states[1:]:
        np.testing.assert_array_equal(states[0], other)


def test_the_agent_is_drawn_where_it_is():
    world = build("tabletop/push", 1, observation="pixels", size=64)
    world.reset(seed=0)
    frame = place(world, np.array([[0.5, -0.25, -0.5, 0.5, 0, 0, 0, -0.7]]))[0]
    assert tuple(frame[40, 48]) == COLOURS["agent"]
    assert tuple(frame[16, 16]) == COLOURS["puck"]
    assert tuple(frame[54, 32]) == COLOURS["goal"]
    assert tuple(frame[0, 0]) == COLOURS["floor"]


def test_the_wrist_camera_follows_the_agent():
    world = build("tabletop/push", 1, observation="views", size=32)
    world.reset(seed=0)
    frame = place(world, np.array([[0.9, 0.1, -0.5, 0.5, 0, 0, 0, -0.7]]))["wrist"][0]
    assert tuple(frame[16, 16]) == COLOURS["agent"]
    assert tuple(frame[16, 31]) == COLOURS["beyond"]


def test_the_side_camera_turns_and_flattens():
    world = build("tabletop/push", 1, observation="views", size=64)
    world.reset(seed=0)
    # far to the left is far away, seen from the right; towards the top is to the right
    frame = place(world, np.array([[-0.8, 0.5, 0.5, -0.5, 0, 0, 0, 0]]))["side"][0]
    assert tuple(frame[19, 48]) == COLOURS["agent"]
    assert tuple(frame[0, 0]) == COLOURS["beyond"]


def test_walls_are_drawn_where_bodies_stop():
    world = build("tabletop/maze", 1, observation="pixels", size=50)
    frame = world.reset(seed=0)[0][0]
    is_wall = world.rules.table.is_wall[::-1]
    middles = frame[5::10, 5::10]
    assert ((middles == COLOURS["wall"]).all(-1) == is_wall).all()


def test_the_real_table_looks_different_and_grainy():
    frames = {}
    for variant in ("sim", "real"):
        world = build("tabletop/wall", 1, observation="pixels", variant=variant)
        world.reset(seed=0)
        world.step(np.zeros((1, 2)))
        first = world.step(np.zeros((1, 2)))[0].astype(int)
        frames[variant] = first, world.step(np.zeros((1, 2)))[0].astype(int)
    assert np.abs(frames["sim"][0] - frames["real"][0]).mean() > 20
    assert (frames["sim"][0] == frames["sim"][1]).all()
    assert 0 < np.abs(frames["real"][0] - frames["real"][1]).max() <= 16


def test_the_real_table_moves_different():
    moved = {}
    for variant in ("sim", "real"):
        world = build("tabletop/wall", 1, variant=variant)
        world.reset(seed=0)
        start = place(world, np.array([[-0.5, 0, 0, 0, 0]]))
        moved[variant] = (world.step(np.ones((1, 2)))[0] - start)[0, 1]
    assert moved["sim"] == pytest.approx(0.0625)
    # gain 0.85, and 0.3 of the command before, which was none
    assert moved["real"] == pytest.approx(0.0625 * 0.85 * 0.7)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_a_repeated_command_is_the_command_given_again(name, options):
    once, thrice = build(name, 20, **options), build(name, 20, repeat=3, **options)
    start = once.reset(seed=0)[0]
    np.testing.assert_array_equal(thrice.reset(seed=0)[0], start)
    for action in np.random.default_rng(0).uniform(-1, 1, (5, 20, 2)):
        paid = sum(once.step(action)[1] for _ in range(3))
        reward = thrice.step(action)[1]
        np.testing.assert_allclose(state_of(thrice), state_of(once))
        np.testing.assert_array_equal(reward, paid)
    assert thrice.max_steps == -(-once.max_steps // 3)


def test_text_says_where_things_are():
    world = build("tabletop/push", 1, observation="text")
    world.reset(seed=0)
    said = place(world, np.array([[0.5, -0.25, -0.5, 0.5, 0, 0, 0, -0.7]]))
    assert said == [
        "You are at (0.50, -0.25). The puck is at (-0.50, 0.50). Push it to (0.00, -0.70)."
    ]


def test_people_see_large_pictures():
    world = build("tabletop/maze", 2)
    world.reset(seed=0)
    assert [frame.shape for frame in world.render()] == [(128, 128, 3)] * 2


def test_max_steps_truncates():
    world = build("tabletop/wall", 1, max_steps=2)
    world.reset(seed=0)
    assert [bool(world.step(np.zeros((1, 2)))[3][0]) for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"variant": "martian"}, "no variant 'martian'; choose sim or real"),
        ({"observation": "smell"}, "no observation 'smell'"),
        ({"repeat": 0}, "repeat of at least 1, got 0"),
        ({"size": 8}, "size from 16 to 256, got 8"),
        ({"gravity": 3}, "no option 'gravity'; there are size, repeat, variant, goal"),
    ],
)
def test_an_impossible_option_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        make("tabletop/push", 1, **options)


def test_an_unknown_table_lists_what_there_is():
    with pytest.raises(WorldError, match="there are tabletop/push, tabletop/wall, tabletop/maze"):
        make("tabletop/pool")
    assert names() == ["tabletop/push", "tabletop/wall", "tabletop/maze"]


def test_vectors_of_another_table_are_refused():
    world = build("tabletop/push", 2)
    world.reset(seed=0)
    with pytest.raises(SpecError, match=r"expected vectors \(rows, 8\)"):
        place(world, np.zeros((2, 5)))


def test_a_world_without_vectors_is_refused():
    world = make("grid/dodge", 1)
    world.reset(seed=0)
    with pytest.raises(SpecError, match="Dodge has no vectors"):
        state_of(world)
