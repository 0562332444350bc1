import itertools

import numpy as np
import pytest

from mindseye.worlds.grids import ButtonGrid, OpenGrid, PanFlute, ProcMaze, build
from mindseye.worlds.grids.button_grid import ButtonState
from mindseye.worlds.grids.mazes import MazeState, OpenState, mazes
from mindseye.worlds.grids.pan_flute import invertible_bits
from mindseye.worlds.rules.randomness import Draws

STAY, UP, LEFT, DOWN, RIGHT = range(5)


class Dull(Draws):
    """Luck that never strikes."""

    def chance(self, probability, use=0):
        return np.zeros(len(self.keys), bool)


class Lucky(Draws):
    """Luck that always strikes."""

    def chance(self, probability, use=0):
        return np.ones(len(self.keys), bool)


def dull(rows=1):
    return Dull(np.arange(rows, dtype=np.uint64), np.zeros(rows, np.int64))


def lucky(rows=1):
    return Lucky(np.arange(rows, dtype=np.uint64), np.zeros(rows, np.int64))


def one(*values, dtype=np.int64):
    return np.array(values, dtype)


def test_notes_move_on_and_the_reward_comes_a_step_late():
    flute = PanFlute(3)
    state = flute.start(dull())
    heard, rewards = [], []
    for action in (2, 1, 0, 0, 1):
        state, reward, _ = flute.transition(state, one(action), dull())
        heard.append("".join(map(str, flute.observe(state)[0])))
        rewards.append(float(reward[0]))
    # Pipes of 1, 2 and 3 cells: the three notes reach their ends together after the third action.
    assert heard == ["000100", "010010", "101001", "100000", "010000"]
    assert rewards == [0, 0, 0, 1, 0]


def test_sudden_music_sounds_every_end():
    flute = PanFlute(3)
    state, reward, _ = flute.transition(flute.start(lucky()), one(2), lucky())
    assert flute.observe(state)[0].tolist() == [1, 0, 1, 1, 0, 1]
    assert reward[0] == 0
    assert flute.transition(state, one(0), dull())[1][0] == 1


def test_sudden_music_comes_as_often_as_the_paper_says():
    world = build("grid/pan-flute-4", 4000)
    world.reset(seed=0)
    ends = world.step(np.full(4000, 3))[0][:, [2, 5, 9]]
    # Nothing else can sound these after one note in the longest pipe.
    assert abs(ends.all(axis=1).mean() - 1 / 16) < 5 * np.sqrt(15 / 256 / 4000)


@pytest.mark.parametrize("seed", range(5))
def test_mixing_matrices_lose_nothing(seed):
    matrix = invertible_bits(6, seed)
    every = np.array(list(itertools.product((0, 1), repeat=6)))
    assert len(np.unique(every @ matrix % 2, axis=0)) == 64


def test_an_entangled_flute_plays_the_same_music_behind_a_veil():
    plain, veiled = build("grid/pan-flute-5", 8), build("grid/pan-flute-5", 8, entangle=3)
    plain.reset(seed=0)
    veiled.reset(seed=0)
    for action in np.random.default_rng(0).integers(0, 5, (30, 8)):
        bits, rewards = plain.step(action)[:2]
        mixed, also = veiled.step(action)[:2]
        assert (rewards == also).all()
        assert (mixed == bits @ invertible_bits(15, 3) % 2).all()
        # Independent bits would show through a permutation, too.
    assert (bits != mixed).any()


def buttons(player, places, on):
    return ButtonState(one(player), np.array([places]), np.array([on], bool))


def test_walking_onto_a_button_switches_it():
    grid = ButtonGrid(3, 2)
    after, reward, _ = grid.transition(buttons(0, [1, 8], [0, 0]), one(RIGHT), dull())
    assert after.is_on.tolist() == [[True, False]]
    assert reward[0] == 0


def test_staying_on_a_button_does_not_switch_it():
    grid = ButtonGrid(3, 2)
    assert not grid.transition(buttons(1, [1, 8], [0, 0]), one(STAY), dull())[0].is_on.any()


def test_bumping_into_the_border_does_not_switch_a_button():
    grid = ButtonGrid(3, 2)
    assert not grid.transition(buttons(1, [1, 8], [0, 0]), one(UP), dull())[0].is_on.any()


def test_a_button_goes_off_when_walked_onto_again():
    grid = ButtonGrid(3, 2)
    after = grid.transition(buttons(0, [1, 8], [1, 0]), one(RIGHT), dull())[0]
    assert after.is_on.tolist() == [[False, False]]


def test_the_step_after_all_buttons_are_on_pays_and_lays_out_anew():
    grid = ButtonGrid(3, 2)
    state, reward, _ = grid.transition(buttons(0, [1, 8], [0, 1]), one(RIGHT), dull())
    assert state.is_on.all()
    assert reward[0] == 0
    fresh, reward, terminated = grid.transition(state, one(STAY), dull())
    assert reward[0] == 1
    assert not fresh.is_on.any()
    assert not terminated[0]


def test_all_buttons_may_go_on_by_themselves():
    grid = ButtonGrid(3, 2)
    assert grid.transition(buttons(0, [1, 8], [0, 0]), one(STAY), lucky())[0].is_on.all()


def test_buttons_lie_on_different_cells():
    grid = ButtonGrid(2, 3)
    state = grid.start(dull(500))
    assert all(len(set(row)) == 3 for row in state.buttons.tolist())


def test_button_bits_are_player_on_off_per_cell():
    grid = ButtonGrid(2, 2)
    bits = grid.observe(buttons(1, [1, 3], [1, 0]))[0].reshape(4, 3)
    assert bits.tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]]


def maze(walls, goal, player):
    return MazeState(np.array([walls], bool), one(goal), one(player))


def test_the_episode_ends_on_the_step_after_the_goal():
    rules = ProcMaze(2)
    state, reward, terminated = rules.transition(maze([0, 0, 0, 1], 1, 0), one(RIGHT), dull())
    assert (state.player[0], reward[0], terminated[0]) == (1, -1, False)
    state, reward, terminated = rules.transition(state, one(LEFT), dull())
    assert (reward[0], terminated[0]) == (-1, True)


def test_walls_and_the_border_stop_the_player():
    rules = ProcMaze(2)
    for action in (RIGHT, UP, LEFT):
        state, _, _ = rules.transition(maze([0, 1, 0, 0], 3, 0), one(action), dull())
        assert state.player[0] == 0


def test_luck_puts_the_player_on_the_goal():
    state, _, terminated = ProcMaze(2).transition(maze([0, 0, 0, 1], 2, 0), one(STAY), lucky())
    assert state.player[0] == 2
    assert not terminated[0]


def test_maze_bits_are_player_goal_wall_empty_per_cell():
    bits = ProcMaze(2).observe(maze([0, 0, 1, 0], 3, 0))[0].reshape(4, 4)
    assert bits.tolist() == [[1, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 1]]


@pytest.mark.parametrize("size", [3, 4, 6])
def test_mazes_are_trees(size):
    for is_wall in mazes(size)[:300]:
        free = ~is_wall.reshape(size, size)
        links = (free[1:] & free[:-1]).sum() + (free[:, 1:] & free[:, :-1]).sum()
        assert links == free.sum() - 1


@pytest.mark.parametrize("size", [4, 5])
def test_mazes_are_connected(size):
    for is_wall in mazes(size)[:200]:
        free = set(np.flatnonzero(~is_wall).tolist())
        edge = [next(iter(free))]
        found = set(edge)
        while edge:
            y, x = divmod(edge.pop(), size)
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                there = (y + dy) * size + x + dx
                inside = 0 <= y + dy < size and 0 <= x + dx < size
                if inside and there in free and there not in found:
                    found.add(there)
                    edge.append(there)
        assert found == free


def test_mazes_leave_no_room_for_another_cell():
    for is_wall in mazes(4)[:200]:
        free = np.pad(~is_wall.reshape(4, 4), 1).astype(int)
        touching = free[:-2, 1:-1] + free[2:, 1:-1] + free[1:-1, :-2] + free[1:-1, 2:]
        assert not ((free[1:-1, 1:-1] == 0) & (touching == 1)).any()


def test_starts_and_goals_lie_in_the_open():
    state = ProcMaze(4).start(dull(1000))
    rows = np.arange(1000)
    assert not state.is_wall[rows, state.goal].any()
    assert not state.is_wall[rows, state.player].any()


def test_the_open_grid_ends_after_its_last_corner():
    rules = OpenGrid(2)
    state, reward, terminated = rules.transition(OpenState(one(1)), one(DOWN), dull())
    assert (state.player[0], reward[0], terminated[0]) == (3, -1, False)
    assert rules.transition(state, one(STAY), dull())[2][0]


def test_open_grid_bits_are_the_players_cell():
    assert OpenGrid(2).observe(OpenState(one(2)))[0].tolist() == [0, 0, 1, 0]


def test_factored_worlds_never_truncate_of_themselves():
    assert build("grid/pan-flute-5", 1).max_steps is None
