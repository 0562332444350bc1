import gymnasium
import pytest

from mindseye.agents.advised import Advised
from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError
from mindseye.core.spaces import Words, commands, with_commands
from mindseye.experience import rollout
from mindseye.worlds import make
from mindseye.worlds.advice import Advises

ORIGIN = Origin("real", "doors")


class Doors(gymnasium.Env, Advises):
    """Three doors; the seed says behind which one the prize is."""

    observation_space, action_space = Words(), Words()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.right = int(self.np_random.integers(3))
        return with_commands("Task: open a door.", ["open 0", "open 1", "open 2"]), {}

    def step(self, action):
        text = with_commands("Task: open a door.\nIt is open.", ["look"])
        return text, float(action == f"open {self.right}"), True, False, {}

    def advice(self):
        return f"open {self.right}"


def earned(noise):
    world = make(Doors, 4)
    episodes = rollout(
        Advised(world, noise=noise, seed=1), world, origin=ORIGIN, episodes=60, seed=100
    )
    return [e.total_reward for e in episodes], [e.actions[0] for e in episodes]


def test_every_row_follows_its_own_advice():
    paid, _ = earned(0.0)
    assert paid == [1.0] * 60


def test_noise_says_anything_that_is_listed():
    paid, said = earned(1.0)
    assert set(said) == {"open 0", "open 1", "open 2"}
    assert 5 < sum(paid) < 40


def test_worlds_that_do_not_advise_are_refused():
    with pytest.raises(ConfigError, match="advises nobody"):
        Advised(make("CartPole-v1", 2))
    with pytest.raises(ConfigError, match="expected a serial world"):
        Advised(make("text/shop", 2))


def test_what_is_advised_is_listed():
    env = Doors()
    text, _ = env.reset(seed=100)
    assert env.advice() in commands(text)
