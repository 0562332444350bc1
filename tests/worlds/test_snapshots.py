import threading

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core import tree
from mindseye.core.errors import ModelError, SpecError, WorldError
from mindseye.core.protocols import Snapshots, WorldModel
from mindseye.worlds import DreamWorld, SimulatorModel, branchable, check_snapshot, make
from mindseye.worlds.snapshot import CopiedWorlds, ReplayedWorlds


class Locked(gymnasium.Env):
    """Holds what cannot be copied; a noisy walk."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = spaces.Discrete(2)

    def __init__(self):
        self.lock = threading.Lock()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.normal(size=1) + (options or {}).get("shift", 0)
        return self.place, {}

    def step(self, action):
        self.place = self.place + action + self.np_random.normal(size=1)
        return self.place, 0.0, bool(self.place > 3), False, {}


@pytest.mark.parametrize("name", ["CartPole-v1", "FrozenLake-v1", "MiniGrid-DoorKey-5x5-v0"])
@pytest.mark.parametrize("how", [CopiedWorlds, ReplayedWorlds])
def test_python_environments_branch_exactly(name, how):
    check_snapshot(how(make(name, 3)))


def test_what_can_be_copied_is_copied():
    assert isinstance(branchable(make("CartPole-v1")), CopiedWorlds)


def test_what_cannot_be_copied_is_played_again():
    world = branchable(make(Locked, 3))
    assert isinstance(world, ReplayedWorlds)
    check_snapshot(world)


def test_replays_begin_with_the_options_of_their_reset():
    world = branchable(make(Locked, 1))
    world.reset(options={"shift": 100})
    moment = world.save()
    first = world.step(np.array([0]))[0]
    world.load(moment, np.array([0]))
    assert world.step(np.array([0]))[0] == first > 90


def test_a_world_that_branches_is_left_alone(count_model, count_starts):
    dream = DreamWorld(count_model, 2, starts=count_starts, horizon=3)
    assert branchable(dream) is dream


def test_processes_cannot_branch():
    world = make("CartPole-v1", 1, vectorise="async")
    with pytest.raises(WorldError, match="vectorise='serial'"):
        branchable(world)
    world.close()


def test_one_row_branches_into_many():
    world = branchable(make("CartPole-v1", 3))
    world.reset(seed=0)
    world.load(world.save(), np.array([1, 1, 1]))
    observation = world.step(np.array([0, 0, 1]))[0]
    np.testing.assert_array_equal(observation[0], observation[1])
    assert (observation[0] != observation[2]).any()


def test_a_saved_moment_is_not_moved_by_later_steps():
    world = branchable(make("CartPole-v1", 2))
    world.reset(seed=0)
    moment = world.save()
    expected = world.step(np.array([0, 1]))[0]
    for _ in range(5):
        world.step(np.array([1, 1]))
    world.load(moment, np.arange(2))
    np.testing.assert_array_equal(world.step(np.array([0, 1]))[0], expected)


def test_a_selection_of_another_size_is_refused():
    world = branchable(make("CartPole-v1", 2))
    world.reset()
    with pytest.raises(SpecError, match=r"expected which \(2,\), got \(1,\)"):
        world.load(world.save(), np.array([0]))


@pytest.fixture
def live():
    world = branchable(make("CartPole-v1", 2))
    observation, _ = world.reset(seed=0)
    return world, observation


@pytest.fixture
def simulator(live):
    return SimulatorModel(live[0], lambda rows: make("CartPole-v1", rows))


def observed(model, observation):
    n = len(observation)
    return model.observe(
        model.initial(n),
        torch.zeros(n, dtype=torch.int64),
        torch.as_tensor(observation),
        torch.ones(n, dtype=torch.bool),
    )


def test_imagining_in_the_simulator_is_what_then_happens(live, simulator):
    world, observation = live
    assert isinstance(simulator, WorldModel)
    assert isinstance(world, Snapshots)
    state = observed(simulator, observation)
    for _ in range(30):
        state = simulator.imagine(state, torch.tensor([0, 1]))
        predicted = simulator.predict(state)
        seen, rewards, terminated, _, _ = world.step(np.array([0, 1]))
        np.testing.assert_array_equal(predicted.observation.numpy(), seen)
        np.testing.assert_array_equal(predicted.reward.numpy(), rewards)
        np.testing.assert_array_equal(predicted.continuation.numpy(), 1.0 - terminated)
    assert simulator.steps_used == 60


def test_candidates_branch_from_repeated_rows(live, simulator):
    state = observed(simulator, live[1])
    many = tree.take(state, np.array([0, 0, 1]))
    predicted = simulator.predict(simulator.imagine(many, torch.tensor([0, 1, 0]))).observation
    assert predicted.shape == (3, 4)
    # Pushed left and right: the velocities part.
    assert predicted[0, 1] < predicted[1, 1]


def test_rows_of_different_moments_are_imagined_together(live, simulator):
    start = observed(simulator, live[1])
    later = simulator.imagine(start, torch.tensor([1, 1]))
    mixed = tree.where(np.array([True, False]), later, start)
    together = simulator.predict(simulator.imagine(mixed, torch.tensor([1, 0]))).observation
    apart = simulator.predict(simulator.imagine(later, torch.tensor([1, 0]))).observation
    torch.testing.assert_close(together[0], apart[0])
    apart = simulator.predict(simulator.imagine(start, torch.tensor([1, 0]))).observation
    torch.testing.assert_close(together[1], apart[1])


def test_searching_leaves_the_live_world_where_it_is(live, simulator):
    world, observation = live
    twin = make("CartPole-v1", 2)
    twin.reset(seed=0)
    state = observed(simulator, observation)
    for _ in range(5):
        state = simulator.imagine(state, torch.tensor([1, 1]))
    actions = np.array([0, 0])
    np.testing.assert_array_equal(world.step(actions)[0], twin.step(actions)[0])


def test_nothing_can_be_imagined_before_something_was_observed(simulator):
    with pytest.raises(ModelError, match="nothing was observed yet"):
        simulator.imagine(simulator.initial(2), torch.tensor([0, 1]))


def test_the_live_world_needs_snapshots():
    with pytest.raises(SpecError, match="hand over branchable"):
        SimulatorModel(make("CartPole-v1"), lambda rows: make("CartPole-v1", rows))
