import numpy as np
import pytest

from mindseye.core.errors import DataError
from mindseye.evaluation.video import mmrv, pearson, policy_agreement


def test_the_same_order_violates_nothing():
    real = np.array([0.1, 0.5, 0.9])
    assert mmrv(real, real**2) == 0


def test_one_swap_by_hand():
    # policies 0 and 1 are swapped, 0.4 apart: (0.4 + 0.4 + 0) / 3
    assert mmrv(np.array([0.1, 0.5, 0.9]), np.array([0.6, 0.5, 0.9])) == pytest.approx(0.8 / 3)


def test_pearson_by_hand():
    # deviations (−1, 0, 1) and (−1, −1, 2): 3 / √(2 · 6)
    assert pearson(np.array([0, 1, 2.0]), np.array([0, 0, 3.0])) == pytest.approx(3 / 12**0.5)


def outcomes(rates, episodes, seed):
    rng = np.random.default_rng(seed)
    return (rng.uniform(size=(len(rates), episodes)) < np.array(rates)[:, None]).astype(float)


RATES = [0.05, 0.2, 0.4, 0.6, 0.8, 0.95]


def test_an_honest_dream_agrees_with_intervals_around_its_values():
    found = policy_agreement(outcomes(RATES, 200, 0), outcomes(RATES, 200, 1))
    assert found.pearson.value > 0.95
    assert found.slope.low < 1 < found.slope.high
    assert found.bias.low < 0 < found.bias.high
    for measure in found.measures("x"):
        assert measure.low <= measure.value <= measure.high


def test_a_flattering_dream_is_biased_by_what_it_adds():
    real = outcomes(RATES, 200, 0)
    found = policy_agreement(real, real / 2 + 0.5)
    assert found.slope.value == pytest.approx(0.5)
    assert found.intercept.value == pytest.approx(0.5)
    assert found.bias.value == pytest.approx((1 - real.mean()) / 2)


def test_shuffled_policies_do_not_correlate_on_average():
    real, rng = outcomes(RATES, 200, 0), np.random.default_rng(0)
    found = [pearson(real.mean(1), rng.permutation(real.mean(1))) for _ in range(300)]
    assert abs(np.mean(found)) < 0.1


def test_more_corruption_is_ranked_worse():
    real, rng = outcomes(RATES, 200, 0), np.random.default_rng(3)
    worse = [
        np.mean([mmrv(real.mean(1), real.mean(1) + s * rng.normal(size=6)) for _ in range(200)])
        for s in (0.05, 0.3, 3.0)
    ]
    assert worse[0] < worse[1] < worse[2]


def test_policies_must_be_the_same_two_or_more():
    with pytest.raises(DataError, match="policies"):
        policy_agreement(np.zeros((1, 5)), np.zeros((1, 5)))
