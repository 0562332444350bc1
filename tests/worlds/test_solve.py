import numpy as np
import pytest

from mindseye.agents.oracle import OracleAgent
from mindseye.core.episode import Origin
from mindseye.core.errors import WorldError
from mindseye.experience import rollout
from mindseye.worlds import make
from mindseye.worlds.rules.solve import Solution


def solved(name, rows=8):
    world = make(name, rows)
    world.reset(seed=0)
    states = world.save().state
    solution = Solution(world.rules, states)
    return world, solution, solution.numbers(states)


def test_the_distance_in_an_empty_room_is_counted_by_hand():
    """From one corner, facing along the wall, to the other: 2 + 2 steps and a turn."""
    _, solution, number = solved("grid/empty-5x5")
    assert set(solution.distance[number]) == {5.0}


def test_following_the_solution_takes_as_many_steps_as_it_says():
    world, solution, number = solved("grid/door-key-6x6")
    promised, taken = solution.distance[number], np.zeros(8)
    done = np.zeros(8, bool)
    while not done.all():
        state = solution.numbers(world.save().state)
        _, _, terminated, truncated, _ = world.step(solution.action[state])
        taken += ~done
        done |= terminated | truncated
    assert np.array_equal(taken, promised)


def test_a_deadly_end_is_no_way_to_a_reward():
    world, solution, number = solved("grid/lava-gap-5")
    earned = np.zeros(8)
    for _ in range(int(solution.distance[number].max())):
        state = solution.numbers(world.save().state)
        earned += world.step(solution.action[state])[1]
    assert earned.min() > 0


def test_a_world_too_large_to_try_is_refused():
    world = make("grid/door-key-6x6", 4)
    world.reset(seed=0)
    with pytest.raises(WorldError, match="more than 100 states"):
        Solution(world.rules, world.save().state, most=100)


def test_the_oracle_succeeds_and_noise_slows_it():
    def lengths(noise):
        world = make("grid/door-key-6x6", 16)
        agent = OracleAgent(world, noise=noise, seed=0)
        origin = Origin("real", "grid/door-key-6x6")
        found = rollout(agent, world, origin=origin, episodes=16, seed=0)
        assert all(episode.terminated for episode in found)
        return np.mean([len(episode) for episode in found])

    assert lengths(0.0) < lengths(0.5)
