import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mindseye.worlds.rules.randomness import Draws, episode_keys, mix, row_keys

SEEDS = st.integers(0, 2**63 - 1)


def draws(seed: int, rows: int, step: int = 0) -> Draws:
    keys = row_keys(np.full(rows, seed), np.arange(rows))
    return Draws(keys, np.full(rows, step, np.int64))


def test_mixing_agrees_with_the_published_generator():
    # First outputs of SplitMix64 from state 0: the state grows by the golden gamma, then is mixed.
    golden = np.uint64(0x9E3779B97F4A7C15)
    first = mix(np.array([1, 2], np.uint64) * golden)
    assert [hex(int(value)) for value in first] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]


@given(SEEDS, st.integers(1, 6), st.integers(0, 10**6), st.integers(0, 1000))
def test_a_rows_numbers_do_not_depend_on_the_batch(seed, rows, step, use):
    alone, batch = draws(seed, 1, step), draws(seed, rows, step)
    assert (alone.bits(3, use) == batch.bits(3, use)[:1]).all()


@given(SEEDS, st.integers(1, 1000))
def test_integers_stay_below_their_bound(seed, high):
    values = draws(seed, 20).integers(high, 5)
    assert (values >= 0).all()
    assert (values < high).all()


@given(SEEDS, st.integers(0, 50))
def test_later_numbers_can_be_asked_for_directly(seed, use):
    both = draws(seed, 4)
    assert (both.uniform(60)[:, use] == both.uniform(1, use)[:, 0]).all()


def test_uniform_numbers_are_spread_evenly():
    values = draws(0, 1000).uniform(100).ravel()
    counts = np.histogram(values, bins=10, range=(0, 1))[0]
    # Binomial(100 000, 0.1) has a standard deviation of 95.
    assert np.abs(counts - 10_000).max() < 5 * 95


def test_steps_and_rows_are_uncorrelated():
    first, second = draws(0, 20_000, 1).uniform(2), draws(0, 20_000, 2).uniform(2)
    assert abs(np.corrcoef(first[:, 0], first[:, 1])[0, 1]) < 0.03
    assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:, 0], first[:-1, 0])[0, 1]) < 0.03


def test_episodes_of_a_row_have_keys_of_their_own():
    keys = np.repeat(row_keys(np.array([3]), np.array([0])), 1000)
    assert len(np.unique(episode_keys(keys, np.arange(1000)))) == 1000


def test_chance_comes_as_often_as_asked():
    assert abs(draws(1, 100_000).chance(0.04).mean() - 0.04) < 5 * np.sqrt(0.04 * 0.96 / 100_000)
