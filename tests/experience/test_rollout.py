import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError, SpecError, WorldError
from mindseye.core.spaces import Words
from mindseye.experience.rollout import rollout
from mindseye.worlds import make

REAL = Origin("real", "test")


class Counter(gymnasium.Env):
    """Observes (seed, steps taken); ends after 2 + seed % 3 steps, by truncation if seed is odd."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = spaces.Discrete(10)
    render_mode = "rgb_array"
    fail_at = None

    def reset(self, *, seed=None, options=None):
        self.seed_, self.t = -1 if seed is None else seed, 0
        return np.array([self.seed_, 0.0]), {}

    def step(self, action):
        self.t += 1
        if self.fail_at == (self.seed_, self.t):
            raise RuntimeError("boom")
        end = self.t == 2 + self.seed_ % 3
        odd = bool(self.seed_ % 2)
        return np.array([self.seed_, self.t]), float(action), end and not odd, end and odd, {}

    def render(self):
        return np.full((2, 2, 3), self.t, np.uint8)


class Failing(Counter):
    fail_at = (1, 2)


class Speaker(Counter):
    observation_space = Words()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return f"{self.seed_} at 0", {}

    def step(self, action):
        _, reward, terminated, truncated, info = super().step(action)
        return f"{self.seed_} at {self.t}", reward, terminated, truncated, info


class Remembering:
    """Acts with the number of steps it remembers."""

    def initial(self, batch_size):
        return np.zeros(batch_size, np.int64)

    def act(self, observation, memory, *, explore=False):
        return memory, memory + 1, {"remembered": memory}


def test_an_episode_has_one_observation_more_than_actions():
    (episode,) = rollout(Remembering(), make(Counter), episodes=1, seed=0, origin=REAL)
    assert episode.observations.tolist() == [[0, 0], [0, 1], [0, 2]]
    assert episode.actions.tolist() == [0, 1]


def test_termination_and_truncation_are_told_apart():
    episodes = rollout(Remembering(), make(Counter), episodes=2, seed=0, origin=REAL)
    ends = [(e.terminated, e.truncated, e.stop_reason) for e in episodes]
    assert ends == [(True, False, "completed"), (False, True, "max_steps")]


def test_memory_begins_anew_with_every_episode():
    episodes = rollout(Remembering(), make(Counter, 2), episodes=7, seed=0, origin=REAL)
    for episode in episodes:
        assert episode.extras["remembered"].tolist() == list(range(len(episode)))


def test_rewards_are_paid_for_the_action_of_their_step():
    (episode,) = rollout(Remembering(), make(Counter), episodes=1, seed=2, origin=REAL)
    assert episode.rewards.tolist() == [0, 1, 2, 3]
    assert episode.rewards.dtype == np.float32


@settings(deadline=None, max_examples=30)
@given(num_worlds=st.integers(1, 6), episodes=st.integers(1, 13))
def test_episodes_do_not_depend_on_the_batch_size(num_worlds, episodes):
    batch = rollout(
        Remembering(), make(Counter, num_worlds), episodes=episodes, seed=5, origin=REAL
    )
    assert [e.observations[0, 0] for e in batch] == list(range(5, 5 + episodes))
    assert [len(e) for e in batch] == [2 + (5 + i) % 3 for i in range(episodes)]


def test_a_list_of_seeds_names_the_seed_of_every_episode():
    episodes = rollout(Remembering(), make(Counter, 2), episodes=4, seed=[9, 4, 7, 4], origin=REAL)
    assert [e.observations[0, 0] for e in episodes] == [9, 4, 7, 4]


def test_steps_are_recorded_until_there_are_enough():
    episodes = rollout(Remembering(), make(Counter, 3), steps=10, seed=0, origin=REAL)
    assert sum(map(len, episodes)) == 12
    assert all(e.truncated or e.terminated for e in episodes)


def test_open_episodes_are_cut_when_enough_steps_are_recorded():
    (episode,) = rollout(Remembering(), make(Counter), steps=1, seed=0, origin=REAL)
    assert (len(episode), episode.truncated, episode.stop_reason) == (1, True, "max_steps")


def test_long_episodes_survive_several_chunks():
    world = make("Pendulum-v1", 2, max_steps=700)

    class Still(Remembering):
        def act(self, observation, memory, *, explore=False):
            return np.zeros((2, 1), np.float32), memory, {"seen": observation}

    for episode in rollout(Still(), world, episodes=4, seed=0, origin=REAL):
        assert len(episode) == 700
        np.testing.assert_array_equal(episode.extras["seen"], episode.observations[:-1])


def test_texts_are_kept_as_lists():
    (episode,) = rollout(Remembering(), make(Speaker), episodes=1, seed=0, origin=REAL)
    assert episode.observations == ["0 at 0", "0 at 1", "0 at 2"]


def test_frames_show_what_the_agent_saw():
    (episode,) = rollout(Remembering(), make(Counter), episodes=1, frames=True, origin=REAL, seed=0)
    assert episode.extras["frames"][:, 0, 0, 0].tolist() == [0, 1]


def test_progress_is_told_whenever_an_episode_ends():
    told = []
    rollout(
        Remembering(),
        make(Counter),
        episodes=2,
        seed=0,
        origin=REAL,
        on_progress=lambda episodes, steps: told.append((episodes, steps)),
    )
    assert told == [(1, 2), (2, 5)]


def test_actions_without_a_batch_axis_are_refused():
    class Single(Remembering):
        def act(self, observation, memory, *, explore=False):
            return np.zeros(1, np.float32), memory, {}

    with pytest.raises(SpecError, match=r"expected actions of shape \(2, 1\), got \(1,\)"):
        rollout(Single(), make("Pendulum-v1", 2), episodes=1, origin=REAL)


def test_a_world_that_resets_by_itself_is_refused():
    world = gymnasium.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    with pytest.raises(WorldError, match=r"AutoresetMode\.DISABLED"):
        rollout(Remembering(), world, episodes=1, origin=REAL)


def test_a_raw_gymnasium_vectoriser_is_rolled_out_through_make():
    world = gymnasium.make_vec(
        "CartPole-v1",
        3,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED},
    )

    class Left(Remembering):
        def act(self, observation, memory, *, explore=False):
            return np.zeros(3, np.int64), memory, {}

    ours = rollout(Left(), make("CartPole-v1", 3), episodes=5, seed=3, origin=REAL)
    theirs = rollout(Left(), make(world), episodes=5, seed=3, origin=REAL)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine.observations, other.observations)


@pytest.mark.parametrize("asked", [{}, {"steps": 1, "episodes": 1}, {"steps": 0}])
def test_how_long_to_play_must_be_said_once(asked):
    with pytest.raises(ConfigError):
        rollout(Remembering(), make(Counter), origin=REAL, **asked)


def test_a_crash_is_raised_by_default():
    with pytest.raises(WorldError, match="row 1 failed at step 1"):
        rollout(Remembering(), make(Failing, 2), episodes=4, seed=0, origin=REAL)


def test_a_crash_is_kept_as_data_when_asked():
    episodes = rollout(
        Remembering(), make(Failing, 2), episodes=6, seed=0, origin=REAL, keep_errors=True
    )
    assert [e.stop_reason == "error" for e in episodes] == [True, True, False, False, False, False]
    assert len(episodes[1]) == 1
    assert "boom" in episodes[1].error


def test_nothing_but_crashes_is_raised():
    with pytest.raises(WorldError, match="boom"):
        rollout(Remembering(), make(Failing), episodes=1, seed=1, origin=REAL, keep_errors=True)
