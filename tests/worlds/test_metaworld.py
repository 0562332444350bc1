import numpy as np
import pytest

from mindseye.core.episode import Origin
from mindseye.core.errors import WorldError
from mindseye.experience import rollout
from mindseye.worlds import make

pytest.importorskip("metaworld")

TASK = "metaworld/button-press-v3"


@pytest.fixture(scope="module")
def world():
    return make(TASK, 2, max_steps=90)


def test_the_scripted_expert_succeeds_and_success_ends(world):
    from mindseye.agents.metaworld import MetaWorldExpert

    agent = MetaWorldExpert(world, noise=0.0, seed=0)
    episodes = rollout(agent, world, origin=Origin("real", TASK), episodes=2, seed=5)
    assert all(episode.terminated for episode in episodes)
    assert all(episode.rewards.sum() == episode.rewards[-1] == 1 for episode in episodes)


def test_the_same_seed_begins_equally_and_another_one_differently(world):
    first = world.reset(seed=3)[0]
    assert np.array_equal(world.reset(seed=3)[0], first)
    assert not np.array_equal(world.reset(seed=30)[0], first)


def test_unknown_tasks_are_refused():
    with pytest.raises(WorldError, match="no task"):
        make("metaworld/fly-v3")
