import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from mindseye.core.errors import ConfigError, SpecError, WorldError
from mindseye.core.spaces import Words
from mindseye.worlds import AutoresetView, DreamWorld, flatten_observations, make
from mindseye.worlds.views import SingleView


def same(mine, other):
    """Equal trees, object arrays and dicts of information included."""
    if isinstance(other, dict):
        assert set(mine) == set(other)
        for key in other:
            same(mine[key], other[key])
    elif isinstance(other, np.ndarray) and other.dtype == object:
        for a, b in zip(mine, other, strict=True):
            same(a, b)
    else:
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("name", ["CartPole-v1", "Taxi-v4"])
def test_autoreset_is_gymnasiums_own_to_the_letter(name, mode):
    theirs = gymnasium.make_vec(
        name, 3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}
    )
    ours = AutoresetView(make(name, 3), mode)
    for mine, other in zip(ours.reset(seed=4), theirs.reset(seed=4), strict=True):
        same(mine, other)
    rng, ended = np.random.default_rng(0), 0
    for _ in range(450):
        actions = rng.integers(theirs.single_action_space.n, size=3)
        expected = theirs.step(actions)
        for mine, other in zip(ours.step(actions), expected, strict=True):
            same(mine, other)
        ended += (expected[2] | expected[3]).sum()
    assert ended >= 6
    assert ours.metadata["autoreset_mode"] is mode


def test_autoreset_keeps_the_dreams_doubt(count_model, count_starts):
    dream = DreamWorld(count_model, 2, starts=count_starts, horizon=9, max_uncertainty=2.5)
    view = AutoresetView(dream, AutoresetMode.SAME_STEP)
    view.reset(options={"observations": np.array([0, 2])})
    infos = view.step(np.array([1, 1]))[4]
    assert infos["_uncertainty"].tolist() == [True, False]
    assert infos["final_info"]["uncertainty"].tolist() == [1, 3]
    assert infos["final_info"]["_ended_by_doubt"].tolist() == [False, True]
    assert infos["final_obs"].tolist() == [None, 3]


def test_autoreset_of_a_world_that_resets_by_itself_is_refused():
    world = gymnasium.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    with pytest.raises(WorldError, match="resets by itself"):
        AutoresetView(world, AutoresetMode.SAME_STEP)


@pytest.mark.filterwarnings("ignore:.*A Box observation space m..imum value is")
def test_a_dream_is_a_registered_environment(cart_model, cart_starts):
    env = gymnasium.make(
        "mindseye/Dream-v0", model=cart_model, starts=cart_starts, horizon=9
    ).unwrapped
    check_env(env, skip_render_check=True)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_dream_is_a_registered_vector_environment(cart_model, cart_starts, mode):
    world = gymnasium.make_vec(
        "mindseye/Dream-v0",
        num_envs=3,
        model=cart_model,
        starts=cart_starts,
        horizon=9,
        autoreset_mode=mode,
    )
    assert world.metadata["autoreset_mode"] is mode
    assert world.reset(seed=0)[0].shape == (3, 4)


def test_a_single_view_steps_as_the_environment_itself():
    env, view = gymnasium.make("Taxi-v4"), SingleView(make("Taxi-v4"))
    for mine, other in zip(view.reset(seed=1), env.reset(seed=1), strict=True):
        same(mine, other)
    for action in (0, 1, 2, 3, 4, 5):
        for mine, other in zip(view.step(action), env.step(action), strict=True):
            same(mine, other)


def test_a_single_view_needs_a_single_row():
    with pytest.raises(ConfigError, match="expected one row, got 2"):
        SingleView(make("CartPole-v1", 2))


class Mixed(gymnasium.Env):
    observation_space = spaces.Dict(
        {
            "a": spaces.Discrete(3, start=1),
            "b": spaces.Tuple((spaces.MultiDiscrete([2, 3]), spaces.Box(-1, 1, (2,)))),
            "c": spaces.MultiBinary(2),
        }
    )
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        seen = {
            "a": 3,
            "b": (np.array([0, 2]), np.array([0.5, -1], np.float32)),
            "c": np.array([1, 0], np.int8),
        }
        return seen, {}

    def step(self, action):
        return self.reset()[0], 0.0, False, False, {}


def test_flat_observations_are_one_hot_in_order():
    world = flatten_observations(make(Mixed, 2))
    expected = [0, 0, 1, 1, 0, 0, 0, 1, 0.5, -1, 1, 0]
    assert world.reset()[0].tolist() == [expected, expected]
    assert world.step(np.array([0, 1]))[0].tolist() == [expected, expected]
    assert world.single_observation_space.shape == (12,)


def test_texts_cannot_be_flattened():
    class Speaker(Mixed):
        observation_space = Words()

        def reset(self, *, seed=None, options=None):
            return "hello", {}

    with pytest.raises(SpecError, match="no fixed size"):
        flatten_observations(make(Speaker))
