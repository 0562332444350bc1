import pytest

from mindseye.core.episode import Origin
from mindseye.core.errors import ConfigError
from mindseye.experience import rollout
from mindseye.models.world.transcript import transitions
from mindseye.stages.places import SHOP, Place

ORIGIN = Origin("real", "place")


@pytest.mark.parametrize("name", [SHOP, "text/household"])
def test_whoever_demonstrates_succeeds_and_chance_does_not(name):
    place = Place(name, seed=100)
    paid = []
    for noise in (0.0, 1.0):
        agent, world = place.demonstrator(noise, 1), place.worlds(16)
        played = rollout(agent, world, origin=ORIGIN, episodes=32, seed=100)
        paid.append(sum(e.total_reward for e in played))
        assert all(len(e) <= place.horizon for e in played)
    place.close()
    assert paid[0] > 28
    assert paid[1] < 8


def test_steps_in_a_house_are_explained_by_the_task():
    place = Place("text/household", seed=100)
    (episode,) = rollout(
        place.demonstrator(0.0, 1), place.worlds(1), origin=ORIGIN, episodes=1, seed=100
    )
    told = [step.outcome.reason for step in transitions(episode, "one", place.explain)]
    assert told[-1].endswith("all is done.")
    assert all(reason.endswith("more is to be done.") for reason in told[:-1])
    assert any("the task names" in reason for reason in told)


def test_nobody_demonstrates_elsewhere():
    with pytest.raises(ConfigError, match="nobody demonstrates"):
        Place("puzzles/sokoban", seed=0)
