import math

import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.batch import Batch
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import ConfigError, DataError, ModelError, SpecError, WorldError
from mindseye.core.protocols import Prediction, Snapshots
from mindseye.core.spaces import Words
from mindseye.experience import Replay, rollout
from mindseye.worlds import DreamWorld, make, starts_from


def steps(world, actions, count=1):
    for _ in range(count):
        result = world.step(np.asarray(actions))
    return result


@pytest.fixture
def counting(count_model, count_starts):
    def build(num_worlds=3, horizon=4, **options):
        return DreamWorld(count_model, num_worlds, starts=count_starts, horizon=horizon, **options)

    return build


def test_a_perfect_dream_is_the_real_world(cart_model, cart_starts):
    real = make("CartPole-v1", 4)
    dream = DreamWorld(cart_model, 4, starts=cart_starts, horizon=500)
    first, _ = real.reset(seed=0)
    # CartPole keeps float64 inside and shows float32.
    exact = np.array([env.unwrapped.state for env in real.envs])
    dream.reset(options={"observations": first})
    dream._state = {"x": torch.as_tensor(exact)}
    rng = np.random.default_rng(0)
    for _ in range(100):
        actions = rng.integers(2, size=4)
        for name, dreamed, happened in zip(
            "orte", dream.step(actions)[:4], real.step(actions)[:4], strict=True
        ):
            np.testing.assert_allclose(dreamed, happened, rtol=1e-5, atol=1e-6, err_msg=name)
    assert dream._held.all()


def test_the_first_observation_is_the_real_start(counting):
    dream = counting()
    given = np.array([2, 0, 1])
    assert dream.reset(options={"observations": given})[0].tolist() == [2, 0, 1]


def test_predictions_become_members_of_the_observation_space(counting):
    dream = counting()
    dream.reset(options={"observations": np.array([2, 4, 5])})
    observation = steps(dream, [1, 1, 2])[0]
    assert observation.dtype == np.int64
    assert observation.tolist() == [3, 5, 5]


def test_reward_is_paid_for_arriving(counting):
    dream = counting()
    dream.reset(options={"observations": np.array([2, 0, 1])})
    assert steps(dream, [1, 2, 0])[1].tolist() == [3, 2, 1]


def test_the_horizon_truncates(counting):
    dream = counting(horizon=2)
    dream.reset(seed=0)
    assert not steps(dream, [0, 0, 0])[3].any()
    assert steps(dream, [0, 0, 0])[3].all()


def test_doubt_truncates_and_says_so(counting):
    dream = counting(max_uncertainty=2.5)
    dream.reset(options={"observations": np.array([0, 1, 2])})
    _, _, _, truncated, infos = steps(dream, [1, 1, 1])
    assert truncated.tolist() == [False, False, True]
    assert infos["ended_by_doubt"].tolist() == [False, False, True]
    assert infos["uncertainty"].tolist() == [1, 2, 3]


def test_doubt_needs_a_model_that_has_some(cart_model, cart_starts):
    dream = DreamWorld(cart_model, 2, starts=cart_starts, horizon=9, max_uncertainty=1.0)
    dream.reset(seed=0)
    with pytest.raises(ModelError, match="CartPoleModel which predicts none"):
        dream.step(np.array([0, 1]))


def test_ends_are_drawn_with_the_predicted_probability(count_model, count_starts):
    count_model.continuation = 0.75
    dream = DreamWorld(count_model, 20_000, starts=count_starts, horizon=9)
    dream.reset(seed=0)
    ended = steps(dream, np.zeros(20_000, np.int64))[2]
    # Four standard errors of a fraction of 20,000.
    assert abs(ended.mean() - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 20_000)


def test_ends_can_be_taken_at_one_half(count_model, count_starts):
    count_model.continuation = 0.6
    dream = DreamWorld(count_model, 50, starts=count_starts, horizon=99, stochastic_end=False)
    dream.reset(seed=0)
    assert not steps(dream, np.zeros(50, np.int64), 10)[2].any()


def test_a_done_row_is_skipped_until_it_is_reset(counting):
    dream = counting(max_uncertainty=2.5)
    dream.reset(options={"observations": np.array([0, 0, 2])})
    steps(dream, [1, 1, 1])
    observation, rewards, _, truncated, infos = steps(dream, [1, 1, 1])
    assert observation.tolist() == [2, 2, 3]
    assert rewards.tolist() == [2, 2, 0]
    assert truncated.tolist() == [False, False, True]
    assert not infos["ended_by_doubt"].any()


def test_a_mask_resets_only_its_rows(counting):
    dream = counting()
    dream.reset(options={"observations": np.array([0, 1, 2])})
    steps(dream, [1, 1, 1])
    options = {
        "reset_mask": np.array([True, False, False]),
        "observations": np.array([2, 0, 0]),
    }
    assert dream.reset(options=options)[0].tolist() == [2, 2, 3]
    assert set(options) == {"reset_mask", "observations"}
    assert steps(dream, [1, 1, 1])[0].tolist() == [3, 3, 4]


def test_a_rows_horizon_begins_at_its_own_reset(counting):
    dream = counting(horizon=3)
    dream.reset(seed=0)
    steps(dream, [0, 0, 0])
    dream.reset(options={"reset_mask": np.array([False, True, False])})
    assert steps(dream, [0, 0, 0], 2)[3].tolist() == [True, False, True]


def test_a_row_depends_on_its_own_seed_alone(counting, count_model):
    count_model.continuation = 0.8

    def play(num_worlds, seed, row):
        dream = counting(num_worlds, horizon=50)
        seen = [dream.reset(seed=seed)[0][row]]
        for _ in range(20):
            observation, _, terminated, _, _ = dream.step(np.zeros(num_worlds, np.int64))
            seen += [observation[row], terminated[row]]
        return seen

    for seed in range(1, 20):
        assert play(1, [seed], 0) == play(3, [None, 5, seed], 2) == play(2, seed - 1, 1)


def test_randomise_is_told_which_rows_begin(counting):
    masks = []
    dream = counting(randomise=lambda rng, rows: masks.append((rng.random() < 1, rows.tolist())))
    dream.reset(seed=0)
    dream.reset(options={"reset_mask": np.array([False, True, False])})
    assert masks == [(True, [True] * 3), (True, [False, True, False])]


def test_a_context_is_observed_before_the_dream(count_model):
    def starts(n, rng):
        return {
            "observation": np.tile([0, 1, 2], (n, 1)),
            "action": np.ones((n, 3), np.int64),
            "is_first": np.tile([True, False, False], (n, 1)),
        }

    dream = DreamWorld(count_model, 2, starts=starts, horizon=3)
    assert dream.reset(seed=0)[0].tolist() == [2, 2]
    assert dream.save()["state"]["seen"].tolist() == [3, 3]


@pytest.mark.parametrize(
    "actions", [np.zeros(2, np.int64), np.zeros((3, 1), np.int64), np.zeros(3)]
)
def test_actions_of_another_form_are_refused(counting, actions):
    dream = counting()
    dream.reset(seed=0)
    with pytest.raises(SpecError, match=r"expected actions of shape \(3,\) and dtype int64"):
        dream.step(actions)


def test_actions_out_of_range_are_refused(counting):
    dream = counting()
    dream.reset(seed=0)
    with pytest.raises(SpecError, match="expected actions in Discrete"):
        dream.step(np.array([0, 3, 0]))


def test_predictions_that_are_not_finite_name_the_step(counting, count_model):
    count_model.reward_scale = float("nan")
    dream = counting()
    dream.reset(seed=0)
    with pytest.raises(ModelError, match="at step 0 the predicted reward of row 0 is not finite"):
        dream.step(np.array([1, 1, 1]))


def test_a_dream_branches(counting):
    dream = counting()
    assert isinstance(dream, Snapshots)
    dream.reset(options={"observations": np.array([0, 1, 2])})
    moment = dream.save()
    expected = steps(dream, [1, 1, 1], 2)[0]
    dream.load(moment, np.array([2, 2, 0]))
    assert steps(dream, [1, 0, 1], 2)[0].tolist() == [4, 2, 2]
    dream.load(moment, np.array([0, 1, 2]))
    assert steps(dream, [1, 1, 1], 2)[0].tolist() == expected.tolist()


def test_returned_observations_cannot_disturb_the_dream(cart_model, cart_starts):
    dream = DreamWorld(cart_model, 2, starts=cart_starts, horizon=9)
    dream.reset(seed=0)[0][:] = 7
    moment = dream.save()
    dream.step(np.array([0, 1]))[0][:] = 7
    after = dream.step(np.array([0, 1]))[0]
    dream.load(moment, np.arange(2))
    np.testing.assert_array_equal(steps(dream, [0, 1], 2)[0], after)


@pytest.mark.parametrize("first_only", [True, False])
def test_a_replay_of_real_episodes_gives_starts(tmp_path, cart_model, first_only):
    class Pushing:
        def initial(self, batch_size):
            return None

        def act(self, observation, memory, *, explore=False):
            return np.arange(len(observation)) % 2, memory, {}

    real = make("CartPole-v1", 4)
    episodes = rollout(Pushing(), real, episodes=8, seed=0, origin=Origin("real", "CartPole-v1"))
    replay = Replay(tmp_path, real.single_observation_space, real.single_action_space)
    replay.add(episodes)
    starts = starts_from(replay, context=3, first_only=first_only)
    dream = DreamWorld(cart_model, 16, starts=starts, horizon=5)
    seen = {tuple(row) for episode in episodes for row in episode.observations[:-1].tolist()}
    for observation in (dream.reset(seed=0)[0], dream.reset()[0]):
        assert {tuple(row) for row in observation.tolist()} <= seen
        assert len(np.unique(observation, axis=0)) > 3
    replay.close()


class Painter:
    """Dreams pictures and a text, from floats."""

    observation_space = spaces.Dict(
        {"picture": spaces.Box(0, 255, (8, 8, 3), np.uint8), "words": Words()}
    )
    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def initial(self, batch_size):
        return [""] * batch_size

    def observe(self, state, action, observation, is_first):
        return list(observation["words"])

    def imagine(self, state, action):
        return [text + "!" for text in state]

    def predict(self, state):
        n = len(state)
        return Prediction(
            observation={"picture": torch.full((n, 8, 8, 3), 300.4), "words": state},
            reward=torch.zeros(n),
            continuation=torch.ones(n),
        )


def test_pictures_are_clipped_and_texts_are_lists():
    dream = DreamWorld(Painter(), 2, starts=None, horizon=5)
    first = {"picture": np.zeros((2, 8, 8, 3), np.uint8), "words": ["a", "b"]}
    dream.reset(options={"observations": first})
    dream.reset(
        options={
            "reset_mask": np.array([False, True]),
            "observations": {"picture": first["picture"], "words": ["x", "c"]},
        }
    )
    observation = dream.step(np.zeros((2, 2), np.float32))[0]
    assert observation["words"] == ["a!", "c!"]
    assert observation["picture"].dtype == np.uint8
    assert (observation["picture"] == 255).all()


def test_a_dream_without_pictures_cannot_be_rendered(counting):
    with pytest.raises(WorldError, match="no picture"):
        counting().render()


def test_a_first_reset_covers_all_rows(counting):
    with pytest.raises(WorldError, match="full reset first"):
        counting().reset(options={"reset_mask": np.array([True, False, False])})


def test_a_dream_needs_a_horizon(counting):
    with pytest.raises(ConfigError):
        counting(horizon=0)


class Store:
    """Two episodes, 0 1 2 (terminated) and 3 4 5 (cut), and a fixed batch."""

    def __init__(self, continuation=1.0):
        self.continuation = continuation

    def add(self, episodes):
        raise NotImplementedError

    def sample(self, batch_size, length, rng) -> Batch:
        first = rng.integers(3, size=(batch_size, 1))
        return {
            "observation": first + np.arange(length),
            "action": np.ones((batch_size, length), np.int64),
            "is_first": np.zeros((batch_size, length), np.bool_),
            "mask": np.ones((batch_size, length), np.float32),
            "continuation": np.where(first + np.arange(length) > 1, self.continuation, 1.0),
        }

    def __iter__(self):
        for begin in (0, 3):
            yield Episode(
                observations=np.arange(begin, begin + 3),
                actions=np.array([7, 8]),
                rewards=np.zeros(2, np.float32),
                terminated=begin == 0,
                truncated=begin == 3,
                origin=Origin("real", "store"),
            )

    def __len__(self):
        return 4


def test_contexts_never_end_where_an_episode_terminated():
    contexts = starts_from(Store(continuation=0.0), context=2)(200, np.random.default_rng(0))
    assert contexts["observation"].shape == (200, 2)
    assert (contexts["observation"][:, -1] <= 1).all()


def test_experience_that_only_ends_has_no_starts():
    store = Store(continuation=0.0)
    with pytest.raises(DataError, match="contexts of 3 observations"):
        starts_from(store, context=3)(5, np.random.default_rng(0))


def test_contexts_can_be_the_beginnings_of_episodes():
    contexts = starts_from(Store(), context=2, first_only=True)(50, np.random.default_rng(0))
    assert {tuple(row) for row in contexts["observation"].tolist()} == {(0, 1), (3, 4)}
    assert (contexts["action"] == [0, 7]).all()
    assert (contexts["is_first"] == [True, False]).all()


def test_beginnings_longer_than_episodes_are_refused():
    with pytest.raises(DataError, match="no episode has 3 observations"):
        starts_from(Store(), context=3, first_only=True)(1, np.random.default_rng(0))
