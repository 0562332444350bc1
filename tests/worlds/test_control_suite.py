import sys

import numpy as np
import pytest

from mindseye.core.errors import ConfigError, MissingExtra, WorldError
from mindseye.worlds import check_snapshot, check_world, make
from mindseye.worlds.rules import place, show, state_of

POINT = "control/point_mass-easy"


@pytest.fixture(scope="module")
def world():
    pytest.importorskip("dm_control")
    return make(POINT, 3)


@pytest.fixture(scope="module")
def seen(world):
    try:
        return make(POINT, 2, observation="pixels", size=32, repeat=10, max_steps=5)
    except WorldError as error:
        if "MUJOCO_GL" not in str(error):
            raise
        pytest.skip(f"MUJOCO_GL: {error}")


def test_it_keeps_the_house_rules(world):
    check_world(world)


def test_moments_come_back(world):
    check_snapshot(world)


def test_pictures_keep_the_house_rules(seen):
    check_world(seen)
    check_snapshot(seen)


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "dm_control", None)
    with pytest.raises(MissingExtra, match=r"mindseye\[suite\]"):
        make(POINT)


def test_unknown_tasks_are_refused(world):
    with pytest.raises(WorldError, match=r"no task 'control/fly-away'.*control/walker-walk"):
        make("control/fly-away")


def test_tasks_that_draw_their_model_are_refused(world):
    with pytest.raises(WorldError, match="draws its model anew"):
        make("control/reacher-easy")


@pytest.mark.parametrize("option", [{"observation": "text"}, {"repeat": 0}, {"size": 8}])
def test_impossible_options_are_refused(world, option):
    with pytest.raises(ConfigError, match=POINT):
        make(POINT, **option)


def test_it_moves_as_the_suite_does(world):
    from dm_control import suite

    env = suite.load("point_mass", "easy", task_kwargs={"random": 0})
    world.reset(seed=3)
    start, action = state_of(world), np.array([[1, -0.5]] * 3, np.float32)
    env.reset()
    with env.physics.reset_context():
        env.physics.set_state(start[1])
    for _ in range(20):
        said, theirs = world.step(action), env.step(action[1])
    np.testing.assert_allclose(state_of(world)[1], env.physics.get_state(), atol=1e-9)
    np.testing.assert_allclose(said[1][1], theirs.reward, atol=1e-6)
    np.testing.assert_allclose(said[0][1, :2], theirs.observation["position"], atol=1e-6)


def test_a_repeated_command_is_as_many_steps(world):
    long = make(POINT, 3, repeat=4)
    action = np.ones((3, 2), np.float32)
    for each, times in ((world, 4), (long, 1)):
        each.reset(seed=1)
        place(each, np.zeros((3, 4)))
        for _ in range(times):
            each.step(action)
    np.testing.assert_allclose(state_of(long), state_of(world), atol=1e-9)
    assert long.max_steps == 250


def test_it_stands_where_it_was_put(world):
    world.reset(seed=0)
    vectors = np.array([[0.1, -0.2, 0, 0], [0, 0, 1, 0], [-0.29, 0.29, 0, 0]])
    observation = place(world, vectors)
    np.testing.assert_allclose(state_of(world), vectors)
    np.testing.assert_allclose(observation, vectors, atol=1e-6)


def test_pictures_show_the_point_where_it_is(seen):
    seen.reset(seed=0)
    # in the corners nothing else is near
    corners = np.array([[-0.2, 0.2], [0.2, 0.2], [0.2, -0.2]])
    frames = show(seen, np.pad(corners, ((0, 0), (0, 2)))).astype(int)
    changed = np.abs(frames - np.median(frames, 0)).sum(3)
    for frame, (x, y) in zip(changed, corners, strict=True):
        line, column = np.unravel_index(frame.argmax(), frame.shape)
        assert abs(column + 0.5 - (16 + x * 16 / 0.31)) < 1.5
        assert abs(line + 0.5 - (16 - y * 16 / 0.31)) < 1.5


def test_people_see_larger_pictures(seen):
    seen.reset(seed=0)
    assert [frame.shape for frame in seen.render()] == [(128, 128, 3)] * 2


def test_where_nothing_can_be_drawn_it_says_what_to_install(seen, monkeypatch):
    import mujoco

    def broken(*sizes):
        raise AttributeError("'NoneType' object has no attribute 'glGetError'")

    monkeypatch.setattr(mujoco, "Renderer", broken)
    with pytest.raises(WorldError, match=r"MUJOCO_GL=.*libegl1.*libosmesa6"):
        make(POINT, observation="pixels")
