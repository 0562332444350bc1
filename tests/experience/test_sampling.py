import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import CheckpointError, ConfigError, DataError, SpecError
from mindseye.experience import Prioritised, Recency, Replay, SuccessShare
from mindseye.experience.starts import Starts
from mindseye.experience.sumtree import SumTree

TABLE = [("start", "i8"), ("rows", "i8"), ("total_reward", "f8")]


def starts_of(*episodes, length=3, crossing=True):
    return Starts(np.array(list(episodes), TABLE), length=length, crossing=crossing)


def all_rows(starts):
    return starts.rows(np.arange(len(starts))).tolist()


def row_numbers(folder, *lengths, strategy=None, rewards=()):
    """Episodes whose observations are the numbers of their rows."""
    space = spaces.Box(0, 1e6, (), np.float32)
    replay = Replay(folder, space, spaces.Discrete(2), strategy=strategy)
    row = 0
    for i, steps in enumerate(lengths):
        observations = np.arange(row, row + steps + 1, dtype=np.float32)
        reward = np.zeros(steps, np.float32)
        reward[-1] = rewards[i] if rewards else 0.0
        origin = Origin("real", "line")
        replay.add([Episode(observations, np.ones(steps, int), reward, True, False, origin)])
        row += steps + 1
    return replay


def test_crossing_segments_start_wherever_they_fit():
    assert all_rows(starts_of((0, 4, 0), (4, 3, 0))) == [0, 1, 2, 3, 4]


def test_crossing_segments_do_not_span_a_gap():
    assert all_rows(starts_of((0, 4, 0), (9, 5, 0))) == [0, 1, 9, 10, 11]


def test_segments_within_episodes_start_where_a_step_follows():
    assert all_rows(starts_of((0, 4, 0), (4, 3, 0), crossing=False)) == [0, 1, 2, 4, 5]


def test_segments_within_episodes_stop_at_their_end():
    starts = starts_of((0, 4, 0), (4, 3, 0), crossing=False)
    assert starts.counts(np.array([0, 1, 2, 4, 5])).tolist() == [3, 3, 2, 3, 2]


def test_rows_clamp_to_the_start_before_them():
    starts = starts_of((0, 4, 0), (9, 5, 0))
    assert starts.clamp(np.array([0, 1, 3, 8, 9, 13])).tolist() == [0, 1, 1, 1, 9, 11]


def test_too_little_experience_is_refused():
    with pytest.raises(DataError, match="no segment of 9 rows fits into 4 rows"):
        starts_of((0, 4, 0), length=9)


def test_uniform_reaches_every_start_equally(tmp_path):
    replay = row_numbers(tmp_path, 4, 4)
    batch = replay.sample(8000, 3, np.random.default_rng(0))
    first = batch["observation"][:, 0].numpy().astype(int)
    assert np.bincount(first) / 8000 == pytest.approx(np.full(8, 1 / 8), abs=0.015)


def test_segments_are_consecutive_rows(tmp_path):
    replay = row_numbers(tmp_path, 4, 4)
    rows = replay.sample(50, 3, np.random.default_rng(0))["observation"]
    assert (rows[:, 1:] - rows[:, :-1] == 1).all()


def test_is_first_tells_where_another_episode_begins(tmp_path):
    replay = row_numbers(tmp_path, 4, 4)
    batch = replay.sample(50, 3, np.random.default_rng(0))
    assert (batch["is_first"] == ((batch["observation"] == 0) | (batch["observation"] == 5))).all()


def test_segments_that_do_not_cross_are_masked_after_their_end(tmp_path):
    replay = row_numbers(tmp_path, 4, 4)
    batch = replay.sample(200, 4, np.random.default_rng(0), crossing=False)
    rows = batch["observation"][:, :1].numpy() + np.arange(4)
    end = np.where(rows[:, :1] < 5, 5, 10)
    assert np.array_equal(batch["mask"].numpy(), rows < end)


def test_padding_is_zero(tmp_path):
    replay = row_numbers(tmp_path, 4, 4)
    batch = replay.sample(200, 4, np.random.default_rng(0), crossing=False)
    padding = batch["mask"] == 0
    for field in ("observation", "action", "reward", "continuation", "is_first", "origin"):
        assert not batch[field][padding].any()


def test_the_same_rng_draws_the_same_segments(tmp_path):
    replay = row_numbers(tmp_path, 9, 9)
    first = replay.sample(8, 3, np.random.default_rng(5))["observation"].clone()
    assert (replay.sample(8, 3, np.random.default_rng(5))["observation"] == first).all()


def test_buffers_are_reused(tmp_path):
    replay = row_numbers(tmp_path, 9)
    first = replay.sample(2, 3, np.random.default_rng(0))["observation"]
    assert replay.sample(2, 3, np.random.default_rng(1))["observation"] is first


def test_age_halves_the_chance_of_a_start():
    starts = starts_of((0, 400, 0), length=1)
    rows, _ = Recency(half_life=100).draw(starts, 40_000, np.random.default_rng(0))
    ages = 399 - rows
    recent, older = (ages < 100).sum(), ((ages >= 100) & (ages < 200)).sum()
    assert recent / older == pytest.approx(2.0, rel=0.05)


def test_recency_reaches_only_starts():
    starts = starts_of((0, 5, 0), length=1)
    rows, _ = Recency(half_life=1e9).draw(starts, 1000, np.random.default_rng(0))
    assert set(rows.tolist()) == {0, 1, 2, 3, 4}


def test_a_share_of_segments_comes_from_successes():
    starts = starts_of((0, 50, 0.0), (50, 5, 1.0), (55, 50, -1.0), length=2)
    rows, _ = SuccessShare(0.25).draw(starts, 8, np.random.default_rng(0))
    assert ((rows[:2] >= 50) & (rows[:2] < 54)).all()


def test_without_successes_one_warning_is_given():
    starts = starts_of((0, 50, 0.0), length=2)
    strategy = SuccessShare(0.25)
    with pytest.warns(UserWarning, match="no successful episode among 1; sampling uniformly"):
        strategy.draw(starts, 8, np.random.default_rng(0))
    strategy.draw(starts, 8, np.random.default_rng(0))


def test_an_impossible_share_is_refused():
    with pytest.raises(ConfigError, match="share"):
        SuccessShare(1.5)


def test_priorities_steer_the_draw():
    starts, strategy = starts_of((0, 4, 0), length=1), Prioritised(exponent=1.0)
    strategy.draw(starts, 1, np.random.default_rng(0))
    strategy.update_priorities(np.arange(4), np.array([1.0, 0.0, 2.0, 1.0]))
    rows, _ = strategy.draw(starts, 8000, np.random.default_rng(0))
    assert np.bincount(rows, minlength=4) / 8000 == pytest.approx([0.25, 0, 0.5, 0.25], abs=0.02)


def test_weights_undo_the_bias_of_priorities():
    starts, strategy = starts_of((0, 2, 0), length=1), Prioritised(exponent=1.0, correction=1.0)
    strategy.draw(starts, 1, np.random.default_rng(0))
    strategy.update_priorities(np.arange(2), np.array([1.0, 4.0]))
    rows, fields = strategy.draw(starts, 50, np.random.default_rng(0))
    assert fields["weight"][:, 0].tolist() == np.where(rows == 0, 1.0, 0.25).tolist()


def test_new_rows_get_the_greatest_priority():
    strategy = Prioritised(exponent=1.0)
    strategy.draw(starts_of((0, 2, 0), length=1), 1, np.random.default_rng(0))
    strategy.update_priorities(np.arange(2), np.array([3.0, 0.0]))
    rows, _ = strategy.draw(starts_of((0, 3, 0), length=1), 4000, np.random.default_rng(0))
    assert np.bincount(rows) / 4000 == pytest.approx([0.5, 0, 0.5], abs=0.03)


def test_rows_that_left_are_not_drawn():
    strategy = Prioritised()
    strategy.draw(starts_of((0, 4, 0), length=1), 1, np.random.default_rng(0))
    rows, _ = strategy.draw(starts_of((2, 2, 0), length=1), 100, np.random.default_rng(0))
    assert set(rows.tolist()) == {2, 3}


def test_nothing_left_to_learn_is_drawn_uniformly():
    starts, strategy = starts_of((0, 4, 0), length=1), Prioritised()
    strategy.draw(starts, 1, np.random.default_rng(0))
    strategy.update_priorities(np.arange(4), np.zeros(4))
    rows, _ = strategy.draw(starts, 100, np.random.default_rng(0))
    assert set(rows.tolist()) == {0, 1, 2, 3}


def test_a_batch_says_where_to_put_priorities(tmp_path):
    replay = row_numbers(tmp_path, 9, strategy=Prioritised())
    batch = replay.sample(4, 3, np.random.default_rng(0))
    assert batch["index"].tolist() == batch["observation"][:, 0].tolist()
    assert batch["weight"].shape == (4, 3)


def test_impossible_priorities_are_refused():
    with pytest.raises(SpecError, match="finite priority"):
        Prioritised().update_priorities(np.arange(2), np.array([1.0, np.nan]))


def test_priorities_survive_a_checkpoint(tmp_path):
    replay = row_numbers(tmp_path, 9, strategy=Prioritised())
    replay.sample(1, 2, np.random.default_rng(0))
    replay.strategy.update_priorities(np.arange(8), np.arange(8.0))
    again = Replay.open(tmp_path, strategy=Prioritised())
    again.load_state_dict(replay.state_dict())
    expected = replay.sample(64, 2, np.random.default_rng(1))["index"]
    assert (again.sample(64, 2, np.random.default_rng(1))["index"] == expected).all()


def test_a_checkpoint_of_another_strategy_is_refused():
    with pytest.raises(CheckpointError, match="no priorities"):
        Prioritised().load_state_dict({})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3000), st.floats(0, 10)), min_size=1, max_size=30))
def test_a_sum_tree_holds_the_sum_of_what_was_set(changes):
    tree, expected = SumTree(), {}
    for leaf, weight in changes:
        tree.set(np.array([leaf]), weight)
        expected[leaf] = weight
    assert tree.total == pytest.approx(sum(expected.values()))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.1, 1.0, 7.0]), min_size=1, max_size=40).filter(any),
    st.floats(0, 1),
)
def test_a_sum_tree_finds_the_leaf_under_a_mass(weights, share):
    tree, weights = SumTree(), np.array(weights)
    tree.set(np.arange(len(weights)), weights)
    (leaf,) = tree.find(np.array([share * tree.total]))
    assert weights[leaf] > 0
    ends = np.cumsum(weights)
    assert ends[leaf] - weights[leaf] - 1e-9 <= share * tree.total <= ends[leaf] + 1e-9
