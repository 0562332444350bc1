"""The truth report on worlds whose truth is known: a perfect dream and a lying one."""

import numpy as np
import pytest
import torch
from gymnasium import Env, spaces

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.core.protocols import Agent, Prediction, WorldModel
from mindseye.evaluation.distance import distance, unrelated
from mindseye.evaluation.open_loop import OpenLoop, open_loop
from mindseye.evaluation.playback import play_back
from mindseye.evaluation.success import Success, success_from
from mindseye.evaluation.truth import truth
from mindseye.worlds import make

GOAL = 4


class Corridor(Env):
    """Walk right to cell 4: reward 1 and the end; stay or walk left for nothing; 12 steps."""

    observation_space = spaces.Discrete(6)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell, self.steps = int(self.np_random.integers(2)), 0
        return self.cell, {}

    def step(self, action):
        self.steps += 1
        self.cell = max(0, self.cell + (1 if action else -1))
        done = self.cell == GOAL
        return self.cell, float(done), done, self.steps == 12 and not done, {}


class CorridorModel(WorldModel):
    """The same in tensors. `lie` is the chance, per agent's luck, of paying anywhere."""

    observation_space, action_space = Corridor.observation_space, Corridor.action_space

    def __init__(self, lies=False):
        self.lies = lies

    def initial(self, batch_size):
        return torch.zeros(batch_size, dtype=torch.long)

    def observe(self, state, action, observation, is_first):
        return observation.long()

    def imagine(self, state, action):
        return (state + torch.where(action > 0, 1, -1)).clamp(0, 5)

    def predict(self, state):
        done = state == (1 if self.lies else GOAL)
        wrong = state.float() * (2 if self.lies else 0)
        return Prediction(state, done.float(), 1 - done.float(), uncertainty=wrong)


class Walker(Agent):
    """Walks right with a given probability."""

    def __init__(self, probability):
        self.probability = probability

    def initial(self, batch_size):
        return None

    def act(self, observation, memory, *, explore=False):
        right = torch.rand(len(observation)) < self.probability
        return right.long().numpy(), None, {}


AGENTS = {f"walker {p}": Walker(p) for p in (1.0, 0.75, 0.5, 0.3, 0.0)}


def report(model, main="walker 1.0"):
    torch.manual_seed(0)
    return truth(
        AGENTS,
        main=main,
        real=make(Corridor, 40),
        model=model,
        success=Success(least_reward=0.5),
        horizon=12,
        seed=7,
        context=1,
        steps_ahead=3,
    )


def values(found):
    return {m.name: m.value for m in found.measures}


def test_a_perfect_dream_has_no_gap_and_ranks_agents_as_reality_does():
    found = values(report(CorridorModel()))
    assert found["gap/return"] == 0
    assert found["real/success"] == found["dream/success"] == 1
    assert found["agreement/dream_only"] == 0
    assert found["ranking/kendall_tau"] > 0.9
    assert found["horizon/trust_steps"] == 3
    assert found["replay/success_kept"] == 1
    assert found["replay/observation_error"] == 0


def test_a_dream_that_pays_too_early_is_found_out():
    found = values(report(CorridorModel(lies=True), main="walker 0.3"))
    assert found["agreement/dream_only"] > 0.5
    assert found["dream/success"] > found["real/success"]
    assert found["gap/return"] < 0
    assert found["replay/success_kept"] < 0.5


def test_the_agreement_matrix_counts_every_matched_pair_once():
    matrix = report(CorridorModel(lies=True), main="walker 0.5").details["agreement"]
    assert sum(matrix.values()) == 40


def test_real_acted_again_from_the_same_seed_has_no_noise():
    assert report(CorridorModel()).details["open_loop"]["noise_floor"] == 0


def corridor_episodes(count=6):
    from mindseye.experience import rollout

    torch.manual_seed(0)
    world = make(Corridor, count)
    return rollout(Walker(0.7), world, origin=Origin("real", "corridor"), episodes=count, seed=3)


def test_playing_back_recorded_actions_repeats_the_episode():
    lived = corridor_episodes()
    again = play_back(lived, make(Corridor, len(lived)), seed=3)
    for a, b in zip(lived, again, strict=True):
        assert a.observations.tolist() == b.observations.tolist()
        assert a.rewards.tolist() == b.rewards.tolist()


def test_open_loop_errors_of_a_perfect_model_are_zero():
    rng = np.random.default_rng(0)
    loop = open_loop(CorridorModel(), corridor_episodes(), context=1, horizon=3, count=20, rng=rng)
    assert loop.observation[loop.alive].max() == 0
    assert loop.reward[loop.alive].max() == 0
    assert loop.termination[loop.alive].max() == 0
    assert loop.copy_last[loop.alive].mean() > 0.5


def test_open_loop_needs_an_episode_longer_than_the_context():
    rng, episodes = np.random.default_rng(0), corridor_episodes()
    with pytest.raises(DataError, match="lower the context"):
        open_loop(CorridorModel(), episodes, context=50, horizon=3, count=4, rng=rng)


def loop_of(errors, doubt):
    x = np.array(errors, float)
    return OpenLoop(x, x, x, x, np.array(doubt, float), np.ones_like(x, dtype=bool))


def test_the_trust_horizon_ends_at_the_first_step_above_the_bound():
    loop = loop_of([[0.1, 0.2, 0.9, 0.1]], [[0, 0, 0, 0]])
    assert loop.trust_horizon(0.5) == 2


def test_doubt_that_follows_the_error_is_calibrated():
    errors = np.linspace(0, 1, 20).reshape(2, 10)
    assert loop_of(errors, errors * 3).calibration() == pytest.approx(1)
    assert loop_of(errors, errors * 3).coverage() == 1
    assert loop_of(errors, -errors).calibration() == pytest.approx(-1)
    assert loop_of(errors, -errors).coverage() == 0


def test_distance_counts_differing_symbols_and_measures_numbers():
    symbols = {"a": np.array([[1, 2], [1, 2]]), "b": np.array([0, 0])}
    other = {"a": np.array([[1, 3], [1, 2]]), "b": np.array([1, 0])}
    assert distance(symbols, other).tolist() == [0.75, 0.0]
    turned = {"b": other["b"], "a": other["a"]}
    assert distance(symbols, turned).tolist() == [0.75, 0.0]
    numbers = np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]])
    assert distance(*numbers)[0] == pytest.approx(np.sqrt(12.5))


def test_unrelated_observations_are_the_unit_and_never_zero():
    assert unrelated(np.zeros((5, 2)), np.random.default_rng(0)) == 1.0


def paying(*rewards):
    n = len(rewards)
    return Episode(
        np.zeros(n + 1),
        np.zeros(n),
        np.array(rewards, np.float32),
        True,
        False,
        Origin("real", "x"),
    )


def test_success_is_the_worlds_own_threshold_where_it_has_one():
    success = success_from(2.0, [paying(1, 1)])
    assert success(paying(1, 1))
    assert not success(paying(1, 0.5))


def test_many_tiny_dreamed_rewards_do_not_add_up_to_a_sparse_success():
    success = success_from(None, [paying(0, 0, 0.8), paying(0, 0)])
    assert success(paying(0, 0.6))
    assert not success(paying(*[0.1] * 30))


def test_without_any_success_in_the_data_nothing_passes():
    assert not success_from(None, [paying(0, 0)])(paying(5.0))
