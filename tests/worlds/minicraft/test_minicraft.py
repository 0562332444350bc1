import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.agents.crafting import ScriptedCrafter
from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError, WorldError
from mindseye.experience import rollout
from mindseye.worlds import branchable, check_snapshot, check_world, make, minicraft
from mindseye.worlds.grids.moves import DOWN, LEFT, NUM_MOVES, RIGHT, STAY, UP
from mindseye.worlds.minicraft.laws import DRINK, FOOD, HEALTH, LandState, Laws
from mindseye.worlds.rules import Draws

TABLE, WOOD_PICKAXE, STONE_PICKAXE = NUM_MOVES, NUM_MOVES + 1, NUM_MOVES + 2
TREE, STONE = 2, 3


def land(terrain, player, **changes):
    """One land of 4 x 4 cells."""
    cells = np.zeros(16, np.uint8)
    cells[list(terrain)] = list(terrain.values())
    fields = {
        "terrain": cells[None],
        "player": np.array([player]),
        "items": np.zeros((1, 4), np.int64),
        "achieved": np.zeros((1, 5), bool),
        "vitals": np.full((1, 3), 9),
        "cows": np.zeros((1, 0), np.int64),
        "zombies": np.zeros((1, 0), np.int64),
    }
    return LandState(**{**fields, **changes})


def act(state, *actions, laws=None):
    laws, paid = laws or Laws(minicraft.BASIC, 4, has_needs=False), []
    for step, action in enumerate(actions):
        draws = Draws(np.zeros(1, np.uint64), np.array([step]))
        state, reward, ended = laws.transition(state, np.array([action]), draws)
        paid.append(float(reward[0]))
    return state, paid, bool(ended[0])


@pytest.mark.parametrize("name", minicraft.names())
@pytest.mark.parametrize("observation", ["pixels", "symbols", "text"])
def test_every_land_keeps_the_rules(name, observation):
    world = make(name, 3, observation=observation)
    check_world(world)
    check_snapshot(branchable(world))


def test_walking_into_a_tree_yields_wood_once_paid():
    state, paid, _ = act(land({1: TREE}, 0), RIGHT, RIGHT)
    assert paid == [1.0, 0.0]
    assert state.items[0].tolist() == [2, 0, 0, 0]
    assert state.player[0] == 0


def test_the_border_stops():
    state, _, _ = act(land({}, 0), LEFT, UP)
    assert state.player[0] == 0


def test_stone_needs_a_pickaxe():
    state, paid, _ = act(land({1: STONE}, 0), RIGHT)
    assert (paid, state.items[0, 1], state.terrain[0, 1]) == ([0.0], 0, STONE)
    held = np.array([[0, 0, 1, 0]])
    state, paid, _ = act(land({1: STONE}, 0, items=held), RIGHT)
    assert (paid, state.items[0, 1], state.terrain[0, 1]) == ([1.0], 1, 1)


def test_a_table_costs_wood_and_stands_below():
    state, paid, _ = act(land({1: TREE}, 0), TABLE, RIGHT, TABLE)
    assert paid == [0.0, 1.0, 1.0]
    assert state.items[0, 0] == 0
    assert state.terrain[0, 0] == 4


def test_crafting_needs_the_table_near():
    held = np.array([[2, 0, 0, 0]])
    far, paid, _ = act(land({0: 4}, 10, items=held), WOOD_PICKAXE)
    assert paid == [0.0]
    assert far.items[0].tolist() == [2, 0, 0, 0]
    near, paid, _ = act(land({0: 4}, 5, items=held), WOOD_PICKAXE)
    assert paid == [1.0]
    assert near.items[0].tolist() == [1, 0, 1, 0]


def test_all_achievements_end_the_episode():
    plan = [RIGHT, TABLE, RIGHT, RIGHT, WOOD_PICKAXE, DOWN, STONE_PICKAXE]
    _, paid, ended = act(land({1: TREE, 4: STONE}, 0), *plan)
    assert paid == [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    assert ended


def test_staying_changes_nothing():
    before = land({1: TREE, 4: STONE}, 0)
    after, paid, ended = act(before, STAY)
    assert all(np.array_equal(getattr(after, f), getattr(before, f)) for f in before.__dict__)
    assert (paid, ended) == ([0.0], False)


def wild(**changes):
    fields = {
        "items": np.zeros((1, 9), np.int64),
        "achieved": np.zeros((1, 14), bool),
    }
    return land(changes.pop("terrain", {}), 0, **{**fields, **changes})


WILD = Laws(minicraft.FULL, 4, has_needs=True)


def test_water_quenches_and_cows_feed():
    thirsty = np.array([[9, 2, 3]])
    state, paid, _ = act(wild(terrain={1: 6}, vitals=thirsty), RIGHT, laws=WILD)
    assert state.vitals[0, DRINK] in (3, 4)
    assert paid[0] == 1.0
    state, _, _ = act(wild(cows=np.array([[1]]), vitals=thirsty), RIGHT, laws=WILD)
    assert state.vitals[0, FOOD] in (7, 8)
    assert state.cows[0, 0] == -1


def test_who_neither_eats_nor_drinks_dies():
    state, _, ended = act(wild(), *[STAY] * 600, laws=WILD)
    assert ended
    assert state.vitals[0, HEALTH] <= 0


def test_zombies_come_close_and_hurt():
    state, paid, _ = act(wild(zombies=np.array([[15]])), *[STAY] * 30, laws=WILD)
    assert state.vitals[0, HEALTH] < 9
    assert min(paid) == pytest.approx(-0.2)


def test_renaming_keeps_the_laws_and_changes_every_name():
    new = minicraft.renamed(minicraft.FULL, 3)
    assert not set(new.items) & set(minicraft.FULL.items)
    assert not set(new.materials) & set(minicraft.FULL.materials)
    for old_law, new_law in zip(minicraft.FULL.crafts, new.crafts, strict=True):
        assert new.items.index(new_law.item) == minicraft.FULL.items.index(old_law.item)
        assert len(new_law.costs) == len(old_law.costs)
    assert minicraft.renamed(minicraft.FULL, 3) == new


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), name=st.sampled_from(minicraft.names()))
def test_counts_stay_within_their_bounds(seed, name):
    world = make(name, 4, observation="symbols")
    world.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for _ in range(40):
        observation = world.step(rng.integers(world.single_action_space.n, size=4))[0]
        assert world.observation_space.contains(observation)


def test_words_say_what_is_seen_and_held():
    world = make("minicraft/yard", 1, observation="text")
    moment = None
    (words,), _ = world.reset(seed=0)
    assert words.startswith("You see ")
    assert "You hold nothing.\nYou can: stay; up;" in words
    moment = world.save()
    moment.state.items[0, 0] = 2
    world.load(moment, np.array([0]))
    (words,), *_ = world.step(["stay"])
    assert "You hold 2 wood." in words


@pytest.mark.parametrize("cell", [3, 4])
def test_frames_show_land_and_shelf(cell):
    world = make("minicraft/yard", 2, cell=cell)
    frames, _ = world.reset(seed=0)
    assert frames.shape == (2, 6 * cell, 5 * cell, 3)
    assert (frames == 250).all(-1).sum() == 2 * cell**2
    assert (frames[:, 5 * cell :] == 0).all()


def test_the_script_finishes_the_yard():
    world = make("minicraft/yard", 16)
    world.reset(seed=0)
    agent, origin = ScriptedCrafter(world, noise=0.0, seed=0), Origin("real", "minicraft/yard")
    found = rollout(agent, world, origin=origin, episodes=16, seed=0)
    assert np.mean([episode.total_reward for episode in found]) > 4.9


def test_the_script_crafts_iron_in_the_workshop():
    world = make("minicraft/workshop", 4)
    world.reset(seed=1)
    agent, origin = ScriptedCrafter(world, noise=0.0, seed=0), Origin("real", "workshop")
    found = rollout(agent, world, origin=origin, episodes=4, seed=1)
    assert max(episode.total_reward for episode in found) >= 10


def test_the_script_refuses_other_worlds():
    world = make("grid/empty-5x5", 1)
    with pytest.raises(ConfigError, match="expected a minicraft world"):
        ScriptedCrafter(world, noise=0.0, seed=0)


def test_unknown_names_and_sizes_are_refused():
    with pytest.raises(WorldError, match="no world 'minicraft/moon'"):
        make("minicraft/moon", 1)
    with pytest.raises(ConfigError, match="expected a size"):
        make("minicraft/yard", 1, size=3)
    with pytest.raises(ConfigError, match="no observation"):
        make("minicraft/yard", 1, observation="smell")
