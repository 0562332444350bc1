import numpy as np
import pytest

from mindseye.core.errors import ConfigError
from mindseye.worlds import make

pytest.importorskip("minigrid")


def test_symbols_are_members_of_their_space():
    world = make("MiniGrid-DoorKey-5x5-v0", 2)
    observation, _ = world.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert world.observation_space.contains(observation)
        observation = world.step(rng.integers(7, size=2))[0]


@pytest.mark.parametrize(
    "name",
    [
        "MiniGrid-DoorKey-5x5-v0",
        "MiniGrid-ObstructedMaze-1Q-v1",
        "BabyAI-BossLevel-v0",
        "MiniGrid-MultiRoom-N2-S4-v0",
        "MiniGrid-Dynamic-Obstacles-6x6-v0",
    ],
)
def test_symbols_are_minigrids_own(name):
    import gymnasium

    world, theirs = make(name), gymnasium.make(name)
    observation, seen = world.reset(seed=3)[0], theirs.reset(seed=3)[0]
    rng = np.random.default_rng(1)
    for _ in range(300):
        np.testing.assert_array_equal(observation["view"][0], seen["image"])
        assert observation["direction"][0] == seen["direction"]
        action = int(rng.integers(theirs.action_space.n))
        observation, reward, terminated, truncated, _ = world.step(np.array([action]))
        seen, *expected = theirs.step(action)
        assert [reward[0], terminated[0], truncated[0]] == expected[:3]
        if terminated[0] or truncated[0]:
            observation, seen = world.reset(seed=5)[0], theirs.reset(seed=5)[0]


@pytest.mark.parametrize("name", ["MiniGrid-DoorKey-8x8-v0", "MiniGrid-Dynamic-Obstacles-6x6-v0"])
def test_pixels_are_minigrids_own(name):
    import gymnasium
    from PIL import Image

    world, theirs = make(name, observation="pixels"), gymnasium.make(name)
    rng = np.random.default_rng(1)
    done = True
    for step in range(120):
        if done:
            observation = world.reset(seed=step)[0]
            theirs.reset(seed=step)
        grid = theirs.unwrapped
        frame = grid.get_frame(highlight=False, tile_size=64 // grid.width)
        if frame.shape != (64, 64, 3):
            frame = np.asarray(Image.fromarray(frame).resize((64, 64), Image.Resampling.BOX))
        np.testing.assert_array_equal(observation[0], frame)
        action = int(rng.integers(theirs.action_space.n))
        observation, _, terminated, truncated, _ = world.step(np.array([action]))
        theirs.step(action)
        done = bool(terminated[0] or truncated[0])


def test_pixels_show_the_whole_grid():
    world = make("MiniGrid-Empty-8x8-v0", 2, observation="pixels")
    before, _ = world.reset(seed=0)
    after = world.step(np.array([1, 0]))[0]
    assert before.shape == (2, 64, 64, 3)
    assert before.dtype == np.uint8
    changed = (before != after).any(axis=(1, 3))
    # The agent of the first row turns within its 8x8 tile at (1, 1).
    assert set(np.argwhere(changed)[:, 1].tolist()) <= set(range(8, 16))


def test_text_tells_the_mission_and_what_is_in_view():
    world = make("MiniGrid-DoorKey-5x5-v0", observation="text")
    text = world.reset(seed=0)[0][0]
    assert text.startswith("use the key to open the door and then get to the goal.")
    assert "key" in text.split("You see")[1]


def test_a_carried_thing_is_told():
    world = make("MiniGrid-Fetch-5x5-N2-v0", observation="text")
    rng = np.random.default_rng(0)
    world.reset(seed=0)
    told = []
    for _ in range(200):
        observation, _, terminated, truncated, _ = world.step(rng.integers(4, size=1))
        told += observation
        if terminated[0] or truncated[0]:
            world.reset()
    assert any("You carry a" in text for text in told)


def test_nothing_is_printed_while_a_level_is_sought(capsys):
    world = make("BabyAI-GoToLocalS8N7-v0", 2)
    for seed in range(10):
        world.reset(seed=seed)
    world.reset()
    assert capsys.readouterr().out == ""


def test_an_unknown_face_is_refused():
    with pytest.raises(ConfigError, match="choose symbols, pixels or text"):
        make("MiniGrid-Empty-5x5-v0", observation="smell")
