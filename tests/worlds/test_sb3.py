import numpy as np
import pytest

from mindseye.core.episode import Origin
from mindseye.core.errors import SpecError
from mindseye.experience.rollout import rollout
from mindseye.worlds import DreamWorld, as_sb3, flatten_observations, make

pytest.importorskip("stable_baselines3")


class Sb3Agent:
    """A Stable-Baselines3 policy as an agent."""

    def __init__(self, policy):
        self.policy = policy

    def initial(self, batch_size):
        return None

    def act(self, observation, memory, *, explore=False):
        return self.policy.predict(observation, deterministic=not explore)[0], memory, {}


def test_the_true_last_observation_is_in_the_information():
    ours, world = as_sb3(make("CartPole-v1", 2)), make("CartPole-v1", 2)
    ours.seed(3)
    np.testing.assert_array_equal(ours.reset(), world.reset(seed=3)[0])
    while True:
        last, _, terminated, _, _ = world.step(np.array([0, 1]))
        observation, _, done, infos = ours.step(np.array([0, 1]))
        np.testing.assert_array_equal(done, terminated)
        if done.any():
            break
    row = int(np.flatnonzero(done)[0])
    np.testing.assert_array_equal(infos[row]["terminal_observation"], last[row])
    assert infos[row]["TimeLimit.truncated"] is False
    assert np.abs(observation[row]).max() <= 0.05


def test_an_episode_that_was_only_cut_says_so():
    world = as_sb3(make("Pendulum-v1", 2, max_steps=2))
    world.reset()
    world.step(np.zeros((2, 1), np.float32))
    infos = world.step(np.zeros((2, 1), np.float32))[3]
    assert [info["TimeLimit.truncated"] for info in infos] == [True, True]


def test_rows_of_a_shared_world_cannot_be_changed_one_by_one():
    with pytest.raises(SpecError, match="share one world"):
        as_sb3(make("CartPole-v1", 2)).set_attr("gravity", 3)


def test_grids_of_integers_reach_stable_baselines_flat():
    from stable_baselines3 import PPO

    pytest.importorskip("minigrid")
    world = as_sb3(flatten_observations(make("MiniGrid-Empty-5x5-v0", 2)))
    PPO("MlpPolicy", world, n_steps=16, batch_size=16, n_epochs=1, device="cpu").learn(32)


def test_unmodified_ppo_learns_inside_a_dream_and_works_outside(cart_model, cart_starts):
    from stable_baselines3 import PPO

    dream = DreamWorld(cart_model, 8, starts=cart_starts, horizon=500)
    policy = PPO(
        "MlpPolicy", as_sb3(dream), n_steps=128, batch_size=256, n_epochs=10, seed=0, device="cpu"
    )

    def real_return(explore):
        world = make("CartPole-v1", 8)
        episodes = rollout(
            Sb3Agent(policy),
            world,
            episodes=16,
            seed=100,
            explore=explore,
            origin=Origin("real", "CartPole-v1"),
        )
        return np.mean([episode.total_reward for episode in episodes])

    # Before it learned anything, a policy that explores is a random one.
    random_return = real_return(explore=True)
    policy.learn(8192)
    assert real_return(explore=False) > 3 * random_return
