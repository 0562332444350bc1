import numpy as np
import pytest

from mindseye.agents.puzzling import ScriptedPuzzler
from mindseye.core.errors import ConfigError, WorldError
from mindseye.core.spaces import commands
from mindseye.worlds import check_snapshot, check_world, make
from mindseye.worlds.puzzles import FrozenLake, Minesweeper, Sokoban, names
from mindseye.worlds.puzzles.boards import BAD, FLOOR, GOAL, nothing_told
from mindseye.worlds.puzzles.frozen_lake import LakeState, distances
from mindseye.worlds.puzzles.levels import NEVER, POOL_SIZE, levels, solutions
from mindseye.worlds.puzzles.minesweeper import HIDDEN, MinesState
from mindseye.worlds.puzzles.sokoban import SokobanState
from mindseye.worlds.rules import Draws, take_rows

UP, LEFT, DOWN, RIGHT = range(4)
CODES = {"D": FLOOR, "C": BAD, "B": GOAL, "A": FLOOR, "E": FLOOR}


def luck(step=1):
    return Draws(np.zeros(1, np.uint64), np.full(1, step))


def board(*lines):
    letters = "".join(lines)
    ground = np.array([[CODES[letter] for letter in letters]], np.uint8)
    return ground, np.array([letters.index("A")])


def lake(*lines):
    ground, player = board(*lines)
    return FrozenLake(), LakeState(ground, player, nothing_told(1))


def store(*lines):
    ground, player = board(*lines)
    box = np.array(["".join(lines).index("E")])
    return Sokoban(), SokobanState(ground, player, box, nothing_told(1))


def say(rules, state, *said):
    for words in said:
        state, reward, ended = rules.transition(state, [words], luck())
    return state, float(reward[0]), bool(ended[0]), rules.observe(state)[0]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("observation", ["text", "symbols", "pixels"])
def test_puzzles_keep_the_rules(name, observation):
    world = make(name, 3, observation=observation, alphabet=5)
    check_world(world, steps=40)
    check_snapshot(world)
    assert world.render()[0].dtype == np.uint8


def test_ice_carries_holes_drown_and_the_goal_pays():
    rules, state = lake("ADDD", "CDDD", "DDDD", "DDDB")
    assert rules.observe(state)[0] == (
        "Row 1: A D D D.\nRow 2: C D D D.\nRow 3: D D D D.\nRow 4: D D D B.\n"
        "You can: up; left; down; right."
    )
    _, reward, ended, text = say(rules, state, "right")
    assert (reward, ended) == (0, False)
    assert text.startswith("You did right: A moved right onto D. Reward 0.\nRow 1: D A D D.\n")
    _, reward, ended, text = say(rules, state, "down")
    assert (reward, ended) == (0, True)
    assert text.startswith("You did down: A moved down onto C. Reward 0. The game ended.\n")
    _, reward, ended, text = say(rules, state, *["right"] * 3, *["down"] * 3)
    assert (reward, ended) == (1, True)
    assert text.startswith("You did down: A moved down onto B. Reward 1. The game ended.\n")


def test_the_border_and_strange_words_move_nobody():
    rules, state = lake("ADDD", "CDDD", "DDDD", "DDDB")
    text = say(rules, state, "up")[3]
    assert text.startswith("You did up: nothing moved. Reward 0.\nRow 1: A D D D.\n")
    text = say(rules, state, "dance")[3]
    assert text.startswith("That cannot be done: nothing moved. Reward 0.\nRow 1: A D D D.\n")


def test_every_lake_can_be_crossed_and_differs():
    world = make("puzzles/frozen-lake", 256, size=6, observation="symbols")
    world.reset(seed=100)
    state = world.save().state
    goal = (state.ground == GOAL).argmax(1)
    steps = distances(state.ground != BAD, goal)[np.arange(256), state.player]
    assert ((steps > 0) & (steps < 36)).all()
    assert len({row.tobytes() for row in state.ground}) > 250


def test_slipping_turns_aside():
    rules = FrozenLake(slip=1.0)
    _, state = lake("DDDD", "DADD", "DDDD", "DDDB")
    rows = take_rows(state, np.zeros(200, np.int64))
    draws = Draws(np.arange(200, dtype=np.uint64), np.ones(200, np.int64))
    after, _, _ = rules.transition(rows, ["up"] * 200, draws)
    assert set(after.player.tolist()) == {4, 6}


def test_boxes_are_pushed_and_walls_stop_them():
    lines = ("CCCCCC", "CDDDDC", "CAEDBC", "CDDDDC", "CDDDDC", "CCCCCC")
    rules, state = store(*lines)
    after, reward, ended, text = say(rules, state, "right")
    assert (reward, ended) == (0, False)
    assert text.startswith(
        "You did right: A moved right onto D. E moved right onto D. Reward 0.\n"
        "Row 1: C C C C C C.\nRow 2: C D D D D C.\nRow 3: C D A E B C.\n"
    )
    _, reward, ended, text = say(rules, after, "right")
    assert (reward, ended) == (1, True)
    assert text.startswith(
        "You did right: A moved right onto D. E moved right onto B. Reward 1. The game ended.\n"
    )
    assert say(rules, state, "left")[3].startswith("You did left: nothing moved. Reward 0.")
    against = store("CCCCCC", "CBDDDC", "CDDAEC", "CDDDDC", "CDDDDC", "CCCCCC")
    assert say(*against, "right")[3].startswith("You did right: nothing moved. Reward 0.")


def test_the_goal_under_the_player_is_told():
    rules, state = store("CCCCCC", "CABDDC", "CDDEDC", "CDDDDC", "CDDDDC", "CCCCCC")
    text = say(rules, state, "right")[3]
    assert "\nA stands on B.\nYou can" in text


@pytest.mark.parametrize("size", [6, 7])
def test_every_level_of_sokoban_can_be_solved(size):
    is_wall, goal, player, box = levels(size, 12)
    rows = np.arange(POOL_SIZE)
    steps = solutions(is_wall, goal)[rows, player, box]
    assert steps.min() >= 2
    assert steps.max() <= 12 < NEVER
    assert not is_wall[rows, player].any()
    assert not is_wall[rows, box].any()
    assert (player != box).all()
    whole = np.concatenate([is_wall, np.stack([goal, player, box], 1)], 1)
    assert len(np.unique(whole, axis=0)) > 900


def mines(*cells):
    """A field of five by five in which the first cell is opened already if nothing is laid."""
    order = np.array([[*cells, *(cell for cell in range(25) if cell not in cells)]])
    nothing = np.zeros((1, 25), bool)
    return Minesweeper(), MinesState(order, nothing, nothing, np.array([[-1, 0, 0, 0]]))


def test_the_first_cell_is_safe_and_emptiness_spreads():
    rules, state = mines(0, 1, 24)
    after, reward, ended, text = say(rules, state, "open 1 1")
    assert after.is_mine[0].nonzero()[0].tolist() == [1, 2, 24]
    assert (reward, ended) == (0, False)
    assert text.startswith("You did open 1 1: it was 1. Reward 0.\nRow 1: 1 A A A A.\n")
    _, _, _, text = say(rules, after, "open 5 1")
    assert "Row 2: 1 2 2 1 0.\nRow 3: 0 0 0 0 0.\nRow 4: 0 0 0 1 1.\nRow 5: 0 0 0 1 A." in text
    assert commands(text) == ["open 1 2", "open 1 3", "open 5 5"]


def test_a_mine_ends_it_and_clearing_pays():
    rules, state = mines(0, 1, 24)
    after = say(rules, state, "open 1 1", "open 5 1")[0]
    _, reward, ended, text = say(rules, after, "open 1 2")
    assert (reward, ended) == (0, True)
    assert text.startswith("You did open 1 2: it was B. Reward 0. The game ended.\n")
    _, reward, ended, text = say(*mines(0, 1, 24), "open 3 3")
    assert (reward, ended) == (1, True)
    assert text.startswith("You did open 3 3: it was 0, 22 became known. Reward 1. The game ended.")


def test_what_is_open_or_unknown_changes_nothing():
    rules, state = mines(7, 12, 17)
    after = say(rules, state, "open 1 1")[0]
    assert "open 1 1: nothing changed. Reward 0." in say(rules, after, "open 1 1")[3]
    assert "That cannot be done: nothing changed." in say(rules, after, "open 9 9")[3]
    _, state = mines(0, 1, 24)
    assert not say(rules, state, "dig")[0].is_mine.any()


def test_an_alphabet_renames_everything_but_counts():
    plain = make("puzzles/frozen-lake", 1)
    strange = make("puzzles/frozen-lake", 1, alphabet=7)
    first, second = plain.reset(seed=1)[0][0], strange.reset(seed=1)[0][0]
    assert len(set(commands(second)) - set(commands(first))) == 4
    renamed = dict(zip("ABCD", strange.rules.boards.names.letters, strict=True))
    rows = first.split("\n")[:4]
    told = [f"{r[:7]}{' '.join(renamed[x] for x in r[7:-1].split())}." for r in rows]
    assert second.split("\n")[:4] == told
    field = make("puzzles/minesweeper", 1, alphabet=7).rules
    assert field.names.letters[:9] == tuple("012345678")
    assert field.names.letters[HIDDEN] not in "0123456789"


@pytest.mark.parametrize(
    ("name", "least"),
    [("puzzles/frozen-lake", 1.0), ("puzzles/sokoban", 1.0), ("puzzles/minesweeper", 0.75)],
)
@pytest.mark.parametrize("observation", ["text", "symbols"])
def test_the_script_solves_puzzles(name, least, observation):
    world = make(name, 64, observation=observation)
    observed, _ = world.reset(seed=100)
    agent, paid = ScriptedPuzzler(world), np.zeros(64)
    for _ in range(30):
        actions, _, _ = agent.act(observed, None)
        observed, reward, *_ = world.step(actions)
        paid += reward
    assert paid.mean() >= least


def test_impossible_puzzles_are_refused():
    for name, options in (
        ("frozen-lake", {"size": 9}),
        ("sokoban", {"size": 9}),
        ("minesweeper", {"mines": 20}),
        ("minesweeper", {"observation": "smell"}),
        ("sokoban", {"observation": "smell"}),
    ):
        with pytest.raises(ConfigError):
            make(f"puzzles/{name}", **options)
    with pytest.raises(WorldError, match="puzzles/sokoban"):
        make("puzzles/chess")
    with pytest.raises(ConfigError, match="puzzle"):
        ScriptedPuzzler(make("grid/ring-48"))
