import numpy as np
import pytest

from mindseye.agents.scripted import ScriptedPusher
from mindseye.core.errors import ConfigError
from mindseye.core.protocols import Agent
from mindseye.worlds import make


def success(agent, **options):
    world = make("tabletop/push", 200, **options)
    observation, _ = world.reset(seed=0)
    done = np.zeros(200, bool)
    for _ in range(40):
        action, _, _ = agent.act(observation, None)
        observation, _, terminated, _, _ = world.step(action)
        done |= terminated
    return done.mean()


@pytest.mark.parametrize("variant", ["sim", "real"])
def test_the_scripted_pusher_reaches_nearly_every_goal(variant):
    assert success(ScriptedPusher(seed=0), variant=variant) > 0.9


def test_noise_makes_it_worse():
    assert success(ScriptedPusher(seed=0, noise=3.0)) < success(ScriptedPusher(seed=0)) - 0.2


@pytest.mark.parametrize("manner", ["astray", "short", "idle"])
def test_every_failing_manner_fails(manner):
    assert success(ScriptedPusher(seed=0, manner=manner)) < 0.1


def test_actions_lie_in_the_action_space():
    agent = ScriptedPusher(seed=0, noise=2.0)
    assert isinstance(agent, Agent)
    world = make("tabletop/push", 50)
    action, _, _ = agent.act(world.reset(seed=0)[0], agent.initial(50))
    assert world.action_space.contains(action)


def test_an_unknown_manner_is_refused():
    with pytest.raises(ConfigError, match="no manner 'bravely'"):
        ScriptedPusher(seed=0, manner="bravely")
