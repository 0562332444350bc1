"""What tables do, by hand."""

import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.worlds.rules import Draws
from mindseye.worlds.tabletop import Maze, Nature, Push, Wall, build, place, state_of


def luck():
    return Draws(np.zeros(1, np.uint64), np.zeros(1, np.int64))


def after(name, vector, *actions, **options):
    """The true state after some actions, and the last rewards and ends."""
    world = build(name, 1, **options)
    world.reset(seed=0)
    place(world, np.array([vector], np.float64))
    for action in actions:
        _, reward, terminated, _, _ = world.step(np.array([action], np.float64))
    return state_of(world)[0], float(reward[0]), bool(terminated[0])


def pushed(agent, puck, *actions, goal=(0.9, 0.9), **options):
    vector = (*agent, *puck, 0, 0, *goal)
    return after("tabletop/push", vector, *actions, **options)


def test_the_agent_moves_by_its_stride():
    state, _, _ = pushed((0, 0), (0.5, 0.5), (1, -0.5))
    assert state[:2] == pytest.approx([0.12, -0.06])


def test_a_puck_out_of_reach_lies_still():
    state, _, _ = pushed((0, 0), (0.5, 0.5), (1, 0))
    assert state[2:6] == pytest.approx([0.5, 0.5, 0, 0])


def test_a_touched_puck_moves_away_from_the_agent_and_glides_on():
    state, _, _ = pushed((-0.2, 0), (0, 0), (1, 0))
    assert state[2] >= state[0] + 0.2 - 1e-9
    assert state[4] > 0.02
    assert state[3] == 0


def test_agent_and_puck_never_overlap():
    world = build("tabletop/push", 100)
    world.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(30):
        world.step(rng.uniform(-1, 1, (100, 2)))
        state = state_of(world)
        # a puck that the border stops for a part of a step may be pressed by a hundredth
        assert np.linalg.norm(state[:, :2] - state[:, 2:4], axis=1).min() > 0.19


def test_friction_stops_the_puck():
    actions = [(1, 0)] + [(-1, 0)] * 15
    state, _, _ = pushed((-0.2, 0), (0, 0), *actions)
    assert abs(state[4]) < 1e-3


def test_a_heavier_puck_glides_less():
    start, speeds = np.array([[-0.2, 0, 0, 0, 0, 0, 0.9, 0.9]]), {}
    for mass in (1.0, 4.0):
        push = Push(nature=Nature(mass=mass))
        state, _, _ = push.transition(push.from_vector(start), np.array([[1.0, 0]]), luck())
        speeds[mass] = push.vector(state)[0, 4]
    assert speeds[4.0] < speeds[1.0]


def test_the_border_stops_the_puck_and_the_agent_behind_it():
    state, _, _ = pushed((0.6, 0), (0.85, 0), *[(1, 0)] * 6)
    assert state[2] <= 0.88 + 1e-9
    assert state[0] <= 0.68 + 0.01


def test_a_puck_near_its_goal_pays_and_ends():
    state, reward, terminated = pushed((-0.2, 0), (0, 0), (1, 0), goal=(0.2, 0))
    assert np.linalg.norm(state[2:4] - (0.2, 0)) < 0.15
    assert (reward, terminated) == (1, True)


def test_a_puck_far_from_its_goal_pays_nothing():
    _, reward, terminated = pushed((-0.2, 0), (0, 0), (1, 0))
    assert (reward, terminated) == (0, False)


def test_pucks_start_away_from_goals_and_agents():
    world = build("tabletop/push", 2000)
    world.reset(seed=0)
    state = state_of(world)
    assert np.linalg.norm(state[:, 2:4] - state[:, 6:8], axis=1).min() > 0.3
    assert np.linalg.norm(state[:, 2:4] - state[:, :2], axis=1).min() > 0.2


def test_a_fixed_goal_is_the_same_in_every_episode():
    world = build("tabletop/push", 20, goal="fixed")
    world.reset(seed=0)
    assert (state_of(world)[:, 6:] == (0.6, 0.6)).all()


def walled(start, *actions, door=0.0, goal=(0.0, 0.0), **options):
    return after("tabletop/wall", (*start, door, *goal), *actions, **options)


def test_the_dot_moves_by_its_command():
    state, _, _ = walled((-0.5, 0.5), (0.5, -1))
    assert state[:2] == pytest.approx([-0.5 + 0.03125, 0.5 - 0.0625])


@pytest.mark.parametrize("side", [-1, 1])
def test_the_wall_stops_the_dot_at_its_face(side):
    state, _, _ = walled((side * 0.2, 0.5), *[(-side, 0)] * 10)
    assert state[:2] == pytest.approx([side * 0.1, 0.5])


@pytest.mark.parametrize("side", [-1, 1])
def test_the_dot_passes_through_the_door(side):
    state, _, _ = walled((side * 0.2, 0.5), *[(-side, 0)] * 8, door=0.45)
    assert state[0] == pytest.approx(side * (0.2 - 8 * 0.0625))


def test_the_doorposts_stop_the_dot_in_the_door():
    state, _, _ = walled((0.0, 0.0), *[(0, 1)] * 10)
    assert state[:2] == pytest.approx([0.0, 0.16])


def test_the_border_stops_the_dot():
    state, _, _ = walled((0.9, 0.9), *[(1, 1)] * 3)
    assert state[:2] == pytest.approx([0.94, 0.94])


def test_without_a_goal_nothing_is_paid():
    assert walled((-0.5, 0.0), (0, 0))[1:] == (0, False)


def test_arriving_at_the_goal_pays_and_ends():
    world = build("tabletop/wall", 1, goal=True)
    world.reset(seed=0)
    place(world, np.array([[-0.5, 0, 0, -0.35, 0]]))
    _, reward, terminated, _, _ = world.step(np.array([[1.0, 0]]))
    assert (reward[0], terminated[0]) == (1, True)


def test_random_doors_differ():
    world = build("tabletop/wall", 50, door="random")
    world.reset(seed=0)
    doors = state_of(world)[:, 2]
    assert len(np.unique(doors)) == 50
    assert np.abs(doors).max() <= 0.7


def test_no_dot_starts_in_the_wall():
    world = build("tabletop/wall", 500, goal=True)
    world.reset(seed=0)
    assert np.abs(state_of(world)[:, [0, 3]]).min() >= 0.17


def test_forces_accelerate():
    maze = (-0.4, -0.4, 0, 0, 0.4, 0.4)
    first, _, _ = after("tabletop/maze", maze, (0.5, 0))
    second, _, _ = after("tabletop/maze", maze, (0.5, 0), (0.5, 0))
    # 0.4 of the 0.35 cells per step that half of full force leads to; cells are 0.4 wide
    assert first[2] == pytest.approx(0.4 * 0.5 * 0.35 * 0.4)
    assert second[2] == pytest.approx((0.6 * 0.4 + 0.4) * 0.5 * 0.35 * 0.4)
    assert first[0] == pytest.approx(-0.4 + first[2])


def test_a_wall_takes_the_speed_towards_it_alone():
    # the lower left free cell: nothing below, free to the right
    state, _, _ = after("tabletop/maze", (-0.4, -0.5, 0, 0, 0.4, 0.4), *[(0.5, -1)] * 4)
    assert state[3] == 0
    assert state[2] > 0
    assert state[1] > -0.6


def test_nobody_enters_a_wall():
    world = build("tabletop/maze", 200, layout="medium")
    world.reset(seed=0)
    table, rng = world.rules.table, np.random.default_rng(0)
    for step in range(60):
        if step % 10 == 0:
            action = rng.uniform(-1, 1, (200, 2))
        world.step(action)
        x, y = ((state_of(world)[:, :2] + 1) / table.cell).astype(int).T
        assert not table.is_wall[y, x].any()


def test_every_free_cell_of_a_maze_can_be_reached():
    for layout in ("u", "medium"):
        table = Maze(layout=layout)
        seen = {tuple(np.argwhere(~table.is_wall)[0])}
        for _ in range(64):
            near = {
                (y + dy, x + dx) for y, x in seen for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))
            }
            seen |= {at for at in near if not table.is_wall[at]}
        assert len(seen) == (~table.is_wall).sum()


def test_arriving_in_the_maze_pays_and_ends():
    _, reward, terminated = after("tabletop/maze", (0.15, -0.4, 0, 0, 0.4, -0.4), (1, 0))
    assert (reward, terminated) == (1, True)


def test_an_unknown_layout_is_refused():
    with pytest.raises(ConfigError, match="choose u or medium"):
        Maze(layout="giant")


def test_start_and_goal_are_different_cells():
    world = build("tabletop/maze", 500)
    world.reset(seed=0)
    state = state_of(world)
    assert np.linalg.norm(state[:, :2] - state[:, 4:], axis=1).min() > 0.2


def test_rules_leave_the_state_they_were_given():
    for table in (Push(), Wall(door="random"), Maze()):
        state = table.from_vector(np.full((1, len(table.numbers)), 0.3))
        before = table.vector(state).copy()
        table.transition(state, np.ones((1, 2)), luck())
        np.testing.assert_array_equal(table.vector(state), before)
