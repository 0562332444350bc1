import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.worlds.grids import build
from mindseye.worlds.grids.dynamics import transition
from mindseye.worlds.grids.grid import Grid
from mindseye.worlds.grids.levels import (
    POOL_SIZE,
    door_key,
    empty,
    fetch,
    four_rooms,
    lava_gap,
    memory,
    noisy_tv,
    pool,
)
from mindseye.worlds.grids.objects import (
    CARRIED,
    EMPTY,
    GOAL,
    IS_LAVA,
    IS_PORTABLE,
    IS_WALKABLE,
    LAVA,
    WALL,
    code,
    codes_of,
)
from mindseye.worlds.grids.pixels import Canvas
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import take_rows

LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE = range(6)
LEVELS = [empty(6), door_key(6), four_rooms(9), memory(9), lava_gap(7), noisy_tv(9), fetch(6)]
IS_FREE = (IS_WALKABLE | IS_PORTABLE) & ~IS_LAVA
NO_LUCK = Draws(np.zeros(1, np.uint64), np.zeros(1, np.int64))


def reachable(board: np.ndarray, start: int, width: int, opens_doors: bool) -> set[int]:
    """Cells a walker can stand on, by flood; what can be picked up is no hindrance."""
    door = code("door", "yellow", "locked")
    found, edge = {start}, [start]
    while edge:
        cell = edge.pop()
        for step in (1, -1, width, -width):
            there = cell + step
            free = IS_FREE[board[there]]
            if there not in found and (free or (opens_doors and board[there] == door)):
                found.add(there)
                edge.append(there)
    return found


def play(level, state, actions):
    for action in actions:
        state, reward, terminated = transition(level, state, np.array([action]), NO_LUCK)
    return state, float(reward[0]), bool(terminated[0])


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
def test_every_start_is_on_a_free_cell_inside_walls(level):
    starts = pool(level.generate)
    assert len(starts.position) == POOL_SIZE
    assert (starts.cells[np.arange(POOL_SIZE), starts.position] == EMPTY).all()
    board = starts.cells[:, :-1].reshape(-1, level.height, level.width)
    border = np.concatenate([board[:, 0], board[:, -1], board[:, :, 0], board[:, :, -1]], axis=1)
    assert ((border == WALL) | level.has_screen).all()
    assert (starts.cells[:, -1] == WALL).all()


@pytest.mark.parametrize("level", LEVELS[:3] + LEVELS[4:6], ids=lambda level: level.name)
def test_every_goal_can_be_reached(level):
    starts = pool(level.generate)
    for row in range(200):
        board = starts.cells[row]
        found = reachable(board, int(starts.position[row]), level.width, opens_doors=True)
        assert int(np.flatnonzero(board == GOAL)[0]) in found


def test_keys_lie_on_the_agents_side_of_the_door():
    starts, level = pool(door_key(6).generate), door_key(6)
    for row in range(200):
        found = reachable(
            starts.cells[row], int(starts.position[row]), level.width, opens_doors=False
        )
        assert int(np.flatnonzero(starts.cells[row] == code("key", "yellow"))[0]) in found


def test_fetch_always_asks_for_something_that_is_there():
    starts = pool(fetch(6).generate)
    assert (starts.cells == starts.target[:, None]).any(axis=1).all()


def test_memory_pays_the_place_beside_the_object_shown():
    starts = pool(memory(9).generate)
    rows = np.arange(POOL_SIZE)
    shown = starts.cells[rows, 3 * 9 + 1]
    right = np.where(
        starts.right_cell < starts.wrong_cell, starts.right_cell - 9, starts.right_cell + 9
    )
    assert (starts.cells[rows, right] == shown).all()
    wrong = np.where(
        starts.right_cell < starts.wrong_cell, starts.wrong_cell + 9, starts.wrong_cell - 9
    )
    assert (starts.cells[rows, wrong] != shown).all()


def test_memory_shows_the_object_first_and_never_again_beside_the_choice():
    level = memory(9)
    grid, starts = Grid(level), pool(level.generate)
    two = take_rows(
        starts, np.array([0, int(np.flatnonzero(starts.cells[:, 28] != starts.cells[0, 28])[0])])
    )
    first = grid.observe(two)["view"]
    assert (first[0] != first[1]).any()
    state = two
    for action in (LEFT, LEFT, FORWARD, FORWARD, FORWARD):
        state, _, _ = transition(level, state, np.full(2, action), NO_LUCK)
        objects = np.isin(grid.observe(state)["view"][..., 0], [5, 6]).sum(axis=(1, 2))
        assert (objects <= 2).all()
    assert (np.isin(grid.observe(state)["view"][..., 0], [5, 6]).sum(axis=(1, 2)) == 2).all()


def test_the_right_choice_in_memory_pays_and_ends():
    level = memory(9)
    start = take_rows(pool(level.generate), np.array([0]))
    turn = LEFT if start.right_cell[0] < start.wrong_cell[0] else RIGHT
    way = [LEFT, LEFT, *[FORWARD] * 5, turn, FORWARD]
    _, reward, terminated = play(level, start, way)
    assert reward == pytest.approx(1 - 0.9 * 9 / (5 * 81))
    assert terminated


def test_the_wrong_choice_in_memory_ends_without_pay():
    level = memory(9)
    start = take_rows(pool(level.generate), np.array([0]))
    turn = RIGHT if start.right_cell[0] < start.wrong_cell[0] else LEFT
    way = [LEFT, LEFT, *[FORWARD] * 5, turn, FORWARD]
    assert play(level, start, way)[1:] == (0.0, True)


def test_the_empty_room_pays_one_less_the_time_it_took():
    # 4 x 4: two free cells a side. East, south: 3 actions of 64.
    level = empty(4)
    start = take_rows(pool(level.generate), np.array([0]))
    _, reward, terminated = play(level, start, [FORWARD, RIGHT, FORWARD])
    assert reward == pytest.approx(1 - 0.9 * 3 / 64)
    assert terminated


def lava_ahead(level):
    """A start right before the lava, facing it."""
    board = pool(level.generate).cells
    row = int(np.flatnonzero(board[:, level.width + 2] == LAVA)[0])
    return take_rows(pool(level.generate), np.array([row]))


def test_lava_ends_the_episode_without_pay():
    level = lava_gap(7)
    assert play(level, lava_ahead(level), [FORWARD])[1:] == (0.0, True)


def test_harmless_lava_lets_the_episode_go_on():
    level = lava_gap(7, is_lava_deadly=False)
    assert play(level, lava_ahead(level), [FORWARD])[1:] == (0.0, False)


def test_a_step_in_lava_costs_one():
    level = lava_gap(7, is_lava_deadly=False)
    grid = Grid(level)
    state, _, _ = play(level, lava_ahead(level), [FORWARD])
    assert grid.measure(state)["cost"].tolist() == [1.0]
    state, _, _ = play(level, state, [RIGHT])
    assert grid.measure(state)["cost"].tolist() == [1.0]


def test_costs_are_told_with_their_mask():
    world = build("grid/lava-gap-7", 2)
    world.reset(seed=0)
    infos = world.step(np.array([0, 0]))[4]
    assert infos["cost"].tolist() == [0.0, 0.0]
    assert infos["_cost"].tolist() == [True, True]


def test_the_television_changes_whatever_one_does():
    world = build("grid/noisy-tv", 1, full=True)
    world.reset(seed=0)
    colours = set()
    for _ in range(40):
        view = world.step(np.array([6]))[0]["view"][0]
        colours.add(int(view[view[..., 0] == 7][0, 1]))
    assert colours == set(range(6))


def test_a_transition_leaves_its_state_alone():
    level = door_key(5)
    start = take_rows(pool(level.generate), np.arange(50))
    kept = take_rows(start, np.arange(50))
    for action in range(7):
        transition(level, start, np.full(50, action), NO_LUCK)
    assert (start.cells == kept.cells).all()
    assert (start.position == kept.position).all()


def test_hands_hold_every_key_and_ball():
    assert len(CARRIED) == 1 + 2 * 6


def test_codes_are_those_of_minigrid_triples():
    assert codes_of(np.array([4, 4, 2])) == code("door", "yellow", "locked")


def test_pixels_painted_bit_by_bit_equal_a_fresh_painting():
    world = build("grid/noisy-tv", 6, observation="pixels")
    frames, _ = world.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(80):
        frames, _, terminated, truncated, _ = world.step(rng.integers(0, 7, 6))
        if (terminated | truncated).any():
            frames, _ = world.reset(options={"reset_mask": terminated | truncated})
        fresh = Canvas(11, 11, 64).paint(world.save().state)
        assert (frames == fresh).all()


def test_pixels_tell_directions_apart():
    world = build("grid/empty-8x8", 1, observation="pixels")
    seen = {world.reset(seed=0)[0].tobytes()}
    for _ in range(3):
        seen.add(world.step(np.array([RIGHT]))[0].tobytes())
    assert len(seen) == 4


def test_turning_right_turns_the_picture_right():
    world = build("grid/empty-8x8", 1, observation="pixels")
    east = world.reset(seed=0)[0][0, 8:16, 8:16]
    south = world.step(np.array([RIGHT]))[0][0, 8:16, 8:16]
    red_east, red_south = east[..., 0] > 100, south[..., 0] > 100
    # Facing east the agent is pointed on its right; its red columns thin out that way.
    assert red_east[:, 2].sum() > red_east[:, -2].sum()
    assert red_south[2].sum() > red_south[-2].sum()


def test_text_says_what_is_ahead():
    world = build("grid/empty-8x8", 1, observation="text")
    assert world.reset(seed=0)[0] == ["You face east. Ahead: 5 free cells, then a wall."]


def test_text_names_what_is_carried():
    level = door_key(5)
    grid = Grid(level, observation="text")
    key = code("key", "yellow")
    starts = pool(level.generate)
    stride = np.array([1, 5, -1, -5])
    ahead = starts.cells[np.arange(POOL_SIZE), starts.position + stride[starts.direction]]
    state = take_rows(starts, np.flatnonzero(ahead == key)[:1])
    assert "then a yellow key." in grid.observe(state)[0]
    state, _, _ = play(level, state, [PICK_UP])
    assert grid.observe(state)[0].endswith("You carry a yellow key.")


def test_text_says_where_things_are():
    level = fetch(8)
    grid = Grid(level, observation="text")
    state = take_rows(pool(level.generate), np.array([0]))
    state.cells[0, :-1][state.cells[0, :-1] != WALL] = EMPTY
    state.position[0], state.direction[0] = 5 * 8 + 3, 3
    state.cells[0, 3 * 8 + 4] = code("ball", "blue")
    assert "A blue ball is 2 ahead and 1 to the right." in grid.observe(state)["text"][0]


def test_missions_are_words_where_the_world_speaks():
    world = build("grid/fetch-8x8", 3, observation="text")
    missions = world.reset(seed=0)[0]["mission"]
    words = {word for mission in missions for word in mission.split()}
    assert words & {"key", "ball"}


def test_missions_are_symbols_elsewhere():
    world = build("grid/fetch-8x8", 8)
    mission = world.reset(seed=0)[0]["mission"]
    assert set(mission[:, 0].tolist()) <= {5, 6}


def test_an_unknown_face_is_refused():
    with pytest.raises(ConfigError, match="symbols"):
        Grid(empty(5), observation="smell")


@pytest.mark.parametrize("make", [lambda: door_key(4), lambda: memory(8), lambda: fetch(4, 9)])
def test_impossible_sizes_are_refused(make):
    with pytest.raises(ConfigError):
        make()


def test_another_limit_makes_rewards_fade_accordingly():
    world = build("grid/empty-4x4", 1, max_steps=10)
    world.reset(seed=0)
    for action in (FORWARD, RIGHT, FORWARD):
        reward, terminated = world.step(np.array([action]))[1:3]
    assert reward[0] == pytest.approx(1 - 0.9 * 3 / 10)
    assert terminated[0]


def test_two_faces_of_a_level_share_their_starts():
    assert pool(Grid(door_key(6), max_steps=5).level.generate) is pool(door_key(6).generate)
