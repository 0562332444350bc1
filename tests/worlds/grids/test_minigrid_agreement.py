"""Side by side with the real MiniGrid, from the same levels under the same actions."""

import gymnasium
import numpy as np
import pytest

from mindseye.worlds.grids.dynamics import GridState, transition
from mindseye.worlds.grids.grid import Grid
from mindseye.worlds.grids.levels import door_key, fetch, four_rooms, lava_gap, memory
from mindseye.worlds.grids.objects import WALL, codes_of
from mindseye.worlds.rules.randomness import Draws

pytest.importorskip("minigrid")
wrappers = pytest.importorskip("minigrid.wrappers")

NO_LUCK = Draws(np.zeros(1, np.uint64), np.zeros(1, np.int64))
CASES = [
    ("MiniGrid-DoorKey-5x5-v0", door_key(5)),
    ("MiniGrid-DoorKey-8x8-v0", door_key(8)),
    ("MiniGrid-FourRooms-v0", four_rooms(19)),
    ("MiniGrid-LavaGapS5-v0", lava_gap(5)),
    ("MiniGrid-Fetch-5x5-N2-v0", fetch(5, 2)),
    ("MiniGrid-MemoryS11-v0", memory(11)),
]


def as_state(real) -> GridState:
    """The real world's moment as a state of ours."""
    cells = codes_of(real.grid.encode().swapaxes(0, 1)).ravel()

    def cell(place):
        return np.array([int(place[1]) * real.width + int(place[0])])

    target = [0]
    if "targetType" in vars(real):
        kind = {"key": 5, "ball": 6}[real.targetType]
        target = codes_of(np.array([[kind, colour_index(real.targetColor), 0]]))
    return GridState(
        cells=np.append(cells, np.uint8(WALL))[None],
        position=cell(real.agent_pos),
        direction=np.array([int(real.agent_dir)]),
        carried=np.zeros(1, np.uint8),
        steps=np.zeros(1, np.int64),
        target=np.array(target, np.uint8),
        phrase=np.zeros(1, np.uint8),
        right_cell=cell(vars(real).get("success_pos", (-1, 0))),
        wrong_cell=cell(vars(real).get("failure_pos", (-1, 0))),
        screen=np.array([-1]),
    )


def colour_index(name: str) -> int:
    return ("red", "green", "blue", "purple", "yellow", "grey").index(name)


def busy_actions(rng: np.random.Generator, count: int) -> np.ndarray:
    """Random, but with enough walking and handling to open doors."""
    return rng.choice(7, size=count, p=[0.14, 0.14, 0.36, 0.12, 0.05, 0.16, 0.03])


def episodes(name, seeds, steps):
    """Triples (real world, what step returned or None at the start, action)."""
    world = gymnasium.make(name).unwrapped
    for seed in seeds:
        world.reset(seed=seed)
        rng = np.random.default_rng(seed)
        yield world, busy_actions(rng, steps)
    world.close()


@pytest.mark.parametrize(("name", "level"), CASES)
def test_hundreds_of_random_steps_agree_with_minigrid(name, level):
    for world, actions in episodes(name, range(10), 200):
        state = as_state(world)
        for action in actions:
            _, reward, terminated, _, _ = world.step(action)
            state, our_reward, ours_terminated = transition(
                level, state, np.array([action]), NO_LUCK
            )
            carried = world.carrying.encode() if world.carrying else (0, 0, 0)
            assert divmod(int(state.position[0]), level.width) == (
                world.agent_pos[1],
                world.agent_pos[0],
            )
            assert state.direction[0] == world.agent_dir
            assert state.carried[0] == codes_of(np.array(carried))
            cells = codes_of(world.grid.encode().swapaxes(0, 1)).ravel()
            assert (state.cells[0, :-1] == cells).all()
            assert our_reward[0] == pytest.approx(reward, abs=1e-6)
            assert ours_terminated[0] == terminated
            if terminated:
                break


@pytest.mark.parametrize(("name", "level"), [case for case in CASES if "Fetch" not in case[0]])
def test_the_view_with_its_shadows_agrees_with_minigrid(name, level):
    grid = Grid(level)
    for world, actions in episodes(name, range(100, 106), 40):
        state = as_state(world)
        for action in actions:
            seen, _, terminated, _, _ = world.step(action)
            state, _, _ = transition(level, state, np.array([action]), NO_LUCK)
            ours = grid.observe(state)
            assert (ours["view"][0] == seen["image"]).all()
            if terminated:
                break


def test_the_full_view_agrees_with_minigrid():
    wrapped = gymnasium.make("MiniGrid-DoorKey-6x6-v0")
    full = wrappers.FullyObsWrapper(wrapped)
    seen, _ = full.reset(seed=4)
    grid = Grid(door_key(6), full=True)
    assert (grid.observe(as_state(full.unwrapped))["view"][0] == seen["image"]).all()


def test_the_fuzz_reaches_doors_keys_and_goals():
    opened = carried = finished = 0
    for world, actions in episodes("MiniGrid-DoorKey-5x5-v0", range(10), 200):
        for action in actions:
            _, _, terminated, _, _ = world.step(action)
            carried += world.carrying is not None
            opened += (world.grid.encode()[..., 0] == 4)[world.grid.encode()[..., 2] == 0].any()
            finished += terminated
            if terminated:
                break
    assert carried > 0
    assert opened > 0
    assert finished > 0
