import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from mindseye.core.errors import SpecError, WorldError
from mindseye.worlds import SerialWorlds, make


class Line(gymnasium.Env):
    """Observes (seed, place); action 1 walks; ends at place 2."""

    observation_space = spaces.Dict(
        {"seed": spaces.Discrete(100), "place": spaces.Box(0, 9, (1,), np.float32)}
    )
    action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        self.seed_, self.place = seed or 0, (options or {}).get("place", 0)
        return self._seen(), {}

    def step(self, action):
        if action == 2:
            raise ValueError("no such way")
        self.place += action
        reward = float("nan") if self.place > 2 else 1.0
        return self._seen(), reward, self.place == 2, False, {"place": self.place}

    def _seen(self):
        return {"seed": self.seed_, "place": np.array([self.place], np.float32)}


@pytest.fixture
def line():
    return SerialWorlds([Line] * 3, name="line")


def test_an_int_seed_counts_up_over_rows(line):
    assert line.reset(seed=4)[0]["seed"].tolist() == [4, 5, 6]


def test_a_list_of_seeds_goes_row_by_row(line):
    assert line.reset(seed=[7, None, 1])[0]["seed"].tolist() == [7, 0, 1]


def test_a_mask_resets_only_its_rows(line):
    line.reset(seed=0)
    line.step(np.array([1, 1, 0]))
    observation, _ = line.reset(seed=9, options={"reset_mask": np.array([True, False, False])})
    assert observation["place"][:, 0].tolist() == [0, 1, 0]
    assert observation["seed"].tolist() == [9, 1, 2]


def test_the_callers_options_are_never_changed(line):
    line.reset()
    options = {"reset_mask": np.array([True, False, True]), "place": 1}
    line.reset(options=options)
    assert set(options) == {"reset_mask", "place"}


def test_options_reach_the_environments(line):
    assert line.reset(options={"place": 1})[0]["place"][:, 0].tolist() == [1, 1, 1]


def test_a_done_row_is_skipped_until_it_is_reset(line):
    line.reset(options={"place": 1})
    line.step(np.array([1, 0, 0]))
    observation, rewards, terminated, truncated, _ = line.step(np.array([1, 0, 0]))
    assert observation["place"][:, 0].tolist() == [2, 1, 1]
    assert rewards.tolist() == [0, 1, 1]
    assert terminated.tolist() == [True, False, False]
    assert not truncated.any()


def test_a_crash_names_the_row_and_the_step(line):
    line.reset()
    line.step(np.array([0, 0, 0]))
    with pytest.raises(WorldError, match=r"line: row 1 failed at step 1 \(ValueError: no such"):
        line.step(np.array([0, 2, 0]))


def test_a_reward_that_is_not_finite_names_the_row_and_the_step(line):
    line.reset(options={"place": 3})
    with pytest.raises(WorldError, match="line: row 0 paid nan at step 0"):
        line.step(np.array([0, 0, 0]))


def test_stepping_before_the_first_reset_is_refused(line):
    with pytest.raises(WorldError, match="row 0 was never reset"):
        line.step(np.array([0, 0, 0]))


def test_too_few_actions_are_refused(line):
    line.reset()
    with pytest.raises(SpecError, match=r"expected actions of shape \(3,\), got \(2,\)"):
        line.step(np.array([0, 0]))


def test_a_mask_of_another_shape_is_refused(line):
    with pytest.raises(SpecError, match=r"reset_mask bool \(3,\), got bool \(2,\)"):
        line.reset(options={"reset_mask": np.array([True, False])})


def test_returned_observations_are_the_callers_own():
    world = make("CartPole-v1", 2)
    first, _ = world.reset(seed=0)
    kept = first.copy()
    world.step(np.array([0, 1]))
    np.testing.assert_array_equal(first, kept)


def test_views_are_returned_when_no_copy_is_asked():
    world = SerialWorlds([Line] * 2, copy=False)
    first, _ = world.reset()
    world.step(np.array([1, 0]))
    assert first["place"][:, 0].tolist() == [1, 0]


def test_information_is_listed_per_row(line):
    line.reset()
    infos = line.step(np.array([1, 0, 0]))[4]
    assert infos == {"infos": [{"place": 1}, {"place": 0}, {"place": 0}]}


def test_worlds_of_different_spaces_are_refused():
    factories = [lambda: gymnasium.make("CartPole-v1"), lambda: gymnasium.make("Pendulum-v1")]
    with pytest.raises(WorldError, match="row 1 has other spaces"):
        SerialWorlds(factories)


def test_serial_worlds_match_gymnasiums_own_vectoriser():
    ours = make("Acrobot-v1", 2)
    theirs = gymnasium.make_vec("Acrobot-v1", 2, vectorization_mode="sync")
    np.testing.assert_array_equal(ours.reset(seed=1)[0], theirs.reset(seed=1)[0])
    for step in range(50):
        actions = np.array([step % 3, 2])
        for mine, other in zip(ours.step(actions)[:4], theirs.step(actions)[:4], strict=True):
            np.testing.assert_array_equal(mine, other)
