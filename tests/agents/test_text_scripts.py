import numpy as np
import pytest

from mindseye.agents.housekeeping import ScriptedHousekeeper
from mindseye.agents.shopping import ScriptedShopper
from mindseye.core.episode import Origin
from mindseye.experience import rollout
from mindseye.worlds import make


@pytest.mark.parametrize(
    ("name", "agent"), [("text/shop", ScriptedShopper), ("text/household", ScriptedHousekeeper)]
)
def test_scripts_solve_every_task_by_reading(name, agent):
    origin = Origin("real", name)
    episodes = rollout(agent(), make(name, 64), origin=origin, episodes=256, seed=0)
    assert all(episode.rewards.sum() == 1.0 for episode in episodes)
    noisy = rollout(agent(noise=0.5, seed=1), make(name, 64), origin=origin, episodes=64, seed=0)
    assert 0.05 < np.mean([episode.rewards.sum() for episode in noisy]) < 0.95
