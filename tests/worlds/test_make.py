import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from mindseye.core.errors import ConfigError, MissingExtra, WorldError
from mindseye.worlds import make


def test_every_world_is_in_the_mode_where_nothing_resets():
    for name in ("CartPole-v1", "MiniGrid-Empty-5x5-v0", "Taxi-v4"):
        assert make(name, 2).metadata["autoreset_mode"] is AutoresetMode.DISABLED


def test_an_unknown_name_lists_near_matches():
    with pytest.raises(WorldError, match="near matches: CartPole-v1"):
        make("CartPol-v1")


def test_a_missing_package_names_its_extra():
    with pytest.raises(MissingExtra, match="mindseye\\[atari\\]"):
        make("ALE/Pong-v5")


def test_a_missing_simulator_names_its_extra(monkeypatch):
    for name in [m for m in sys.modules if m.startswith("gymnasium.envs.mujoco")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [m for m in sys.modules if m.split(".")[0] == "mujoco"] + ["mujoco"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match="mindseye\\[mujoco\\]"):
        make("Hopper-v5")


def test_an_unknown_option_is_told_in_one_line():
    with pytest.raises(WorldError, match=r"CartPole-v1 cannot be built.*nonsense") as caught:
        make("CartPole-v1", nonsense=3)
    assert "\n" not in str(caught.value)


def test_options_reach_the_environment():
    world = make("Pendulum-v1", 2, g=1.5)
    assert [env.unwrapped.g for env in world.envs] == [1.5, 1.5]


def test_max_steps_truncates():
    world = make("Pendulum-v1", max_steps=3)
    world.reset(seed=0)
    flags = [world.step(np.zeros((1, 1), np.float32))[3][0] for _ in range(3)]
    assert flags == [False, False, True]


def test_max_steps_truncates_what_a_callable_builds():
    world = make(lambda: gymnasium.make("Pendulum-v1").unwrapped, max_steps=2)
    world.reset(seed=0)
    flags = [world.step(np.zeros((1, 1), np.float32))[3][0] for _ in range(2)]
    assert flags == [False, True]


def test_max_steps_is_minigrids_own_limit():
    world = make("MiniGrid-Empty-5x5-v0", max_steps=2)
    world.reset(seed=0)
    assert [world.step(np.array([0]))[3][0] for _ in range(2)] == [False, True]


def test_pixels_are_frames_of_64_by_64():
    pytest.importorskip("pygame")
    world = make("CartPole-v1", 2, observation="pixels")
    observation, _ = world.reset(seed=0)
    assert observation.shape == (2, 64, 64, 3)
    assert observation.dtype == np.uint8
    assert observation.std() > 0


def test_a_vectorised_world_that_resets_by_itself_is_refused():
    world = gymnasium.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    with pytest.raises(WorldError, match="expected autoreset_mode DISABLED"):
        make(world)


def test_a_vectorised_world_takes_no_options():
    with pytest.raises(ConfigError, match="taken as it is"):
        make(make("CartPole-v1"), max_steps=3)


def test_processes_give_the_same_episodes_as_this_process():
    serial, parallel = make("CartPole-v1", 2), make("CartPole-v1", 2, vectorise="async")
    np.testing.assert_array_equal(serial.reset(seed=0)[0], parallel.reset(seed=0)[0])
    for step in range(60):
        actions = np.array([step % 2, 0])
        for mine, other in zip(serial.step(actions)[:4], parallel.step(actions)[:4], strict=True):
            np.testing.assert_array_equal(mine, other)
    parallel.close()


@pytest.mark.parametrize("asked", [{"vectorise": "threads"}, {"num_worlds": 0}])
def test_an_impossible_option_is_refused(asked):
    with pytest.raises(ConfigError):
        make("CartPole-v1", **asked)


class Crashing(gymnasium.Env):
    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return 0, {}

    def step(self, action):
        raise ZeroDivisionError("oh")


@pytest.mark.filterwarnings("ignore")
def test_a_crash_in_another_process_is_told():
    world = make(Crashing, 2, vectorise="async")
    world.reset()
    with pytest.raises(WorldError, match=r"Crashing: failed \(ZeroDivisionError: oh\)"):
        world.step(np.array([0, 0]))
    world.close()


def test_a_done_row_of_another_process_is_skipped():
    world = make("CartPole-v1", 2, vectorise="async", max_steps=3)
    world.reset(seed=0)
    world.step(np.array([0, 1]))
    world.step(np.array([0, 1]))
    last, _, _, truncated, _ = world.step(np.array([0, 1]))
    assert truncated.all()
    again, rewards, _, _, _ = world.step(np.array([0, 1]))
    np.testing.assert_array_equal(again, last)
    assert not rewards.any()
    world.close()
