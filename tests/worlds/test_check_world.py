import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from mindseye.core.errors import SpecError, WorldError
from mindseye.worlds import DreamWorld, branchable, check_snapshot, check_world, make, tabletop


class Walk(gymnasium.Env):
    """Walks from a seeded start; ends after six steps."""

    observation_space = spaces.Box(-99, 99, (2,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = self.np_random.normal(size=2).astype(np.float32), 0
        return self.place.copy(), {}

    def step(self, action):
        self.place, self.steps = self.place + np.float32(action), self.steps + 1
        return self.place.copy(), 1.0, self.steps == 6, False, {}


@pytest.mark.parametrize(
    "name",
    ["CartPole-v1", "Taxi-v4", "FrozenLake-v1", "Pendulum-v1", "Acrobot-v1"],
)
def test_gymnasiums_worlds_keep_the_rules(name):
    check_world(make(name, 3))


@pytest.mark.parametrize("observation", ["symbols", "text", "pixels"])
def test_minigrid_keeps_the_rules(observation):
    pytest.importorskip("minigrid")
    check_world(make("MiniGrid-DoorKey-5x5-v0", 2, observation=observation), steps=20)


def test_processes_keep_the_rules():
    world = make("CartPole-v1", 2, vectorise="async")
    check_world(world)
    world.close()


def test_dreams_keep_the_rules(cart_model, cart_starts, count_model, count_starts):
    count_model.continuation = 0.9
    for model, starts in ((cart_model, cart_starts), (count_model, count_starts)):
        dream = DreamWorld(model, 3, starts=starts, horizon=20)
        check_world(dream)
        check_snapshot(dream)


def test_our_own_worlds_keep_the_rules():
    for name in ("grid/door-key-6x6", "grid/ring-48", "grid/dodge", *tabletop.names()):
        world = make(name, 3)
        check_world(world)
        check_snapshot(branchable(world))


def test_a_world_that_resets_by_itself_is_refused():
    world = gymnasium.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    with pytest.raises(WorldError, match="expected autoreset_mode DISABLED"):
        check_world(world)


def test_randomness_that_ignores_the_seed_is_refused():
    class Unseeded(Walk):
        def step(self, action):
            self.place = np.random.default_rng().normal(size=2).astype(np.float32)
            return super().step(action)

    with pytest.raises(WorldError, match="the same seed and actions differ at step 1"):
        check_world(make(Unseeded, 2))


def test_an_observation_of_another_dtype_is_refused():
    class Double(Walk):
        observation_space = spaces.Box(-99, 99, (2,), np.float32)

    world = make(Double, 2)
    world.single_observation_space = spaces.Box(-99, 99, (2,), np.float64)
    with pytest.raises(SpecError, match=r"expected float64 \(2, 2\), got float32 \(2, 2\)"):
        check_world(world)


def test_an_observation_out_of_bounds_is_refused():
    class Tight(Walk):
        observation_space = spaces.Box(-0.001, 0.001, (2,), np.float32)

    with pytest.raises(SpecError, match="row 0 is not in Box"):
        check_world(make(Tight, 2))


def test_rewards_that_are_not_finite_are_refused():
    class Rich(Walk):
        def step(self, action):
            observation, _, *rest = super().step(action)
            return observation, np.inf, *rest

    with pytest.raises(WorldError, match="row 0 paid inf at step 0"):
        check_world(make(Rich, 2))


class Broken(gymnasium.vector.VectorWrapper):
    """A sound world with one fault."""

    def __init__(self, fault):
        super().__init__(make(Walk, 3))
        self.fault = fault

    def reset(self, *, seed=None, options=None):
        if self.fault == "options" and options:
            mask = options.pop("reset_mask")
            options = {"reset_mask": mask}
        if self.fault == "mask":
            options = None
        if self.fault == "seeds" and isinstance(seed, list) and None not in seed:
            seed = seed[0]
        return self.env.reset(seed=seed, options=options)

    def step(self, actions):
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        if self.fault == "moving":
            observation = observation + terminated[:, None]
            observation[terminated, 0] += self.env.envs[0].steps + actions.sum()
        if self.fault == "paid":
            rewards = rewards + terminated
        if self.fault == "flags":
            terminated = terminated.astype(np.int64)
        return observation.astype(np.float32), rewards, terminated, truncated, infos


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("options", "changed the caller's options"),
        ("mask", "touched rows it does not name"),
        ("seeds", "depends on other rows' seeds"),
        ("moving", "moved on before it was reset"),
        ("paid", "was paid before it was reset"),
        ("flags", r"expected terminated bool \(3,\), got int64 \(3,\)"),
    ],
)
def test_every_broken_rule_is_named(fault, cause):
    with pytest.raises((WorldError, SpecError), match=cause):
        check_world(Broken(fault))


def test_snapshots_that_forget_are_refused():
    class Forgetful(gymnasium.vector.VectorWrapper):
        def save(self):
            return None

        def load(self, moment, which):
            pass

    with pytest.raises(WorldError, match="the future differs after load"):
        check_snapshot(Forgetful(make(Walk, 2)))


def test_snapshots_that_keep_rows_in_place_are_refused():
    class Rigid(gymnasium.vector.VectorWrapper):
        def save(self):
            return self.env.save()

        def load(self, moment, which):
            self.env.load(moment, np.arange(self.num_envs))

    with pytest.raises(WorldError, match="observations differ after rows changed places"):
        check_snapshot(Rigid(branchable(make(Walk, 2))))


def test_a_world_without_snapshots_is_told_how_to_get_them():
    with pytest.raises(WorldError, match="wrap it with branchable"):
        check_snapshot(make(Walk, 2))
