import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindseye.core.card import Claim
from mindseye.core.report import Measure, Report
from mindseye.evaluation.claims import check, over_seeds
from mindseye.evaluation.statistics import bootstrap, kendall, mean_measure, ranks, spearman


def test_ranks_share_ties():
    assert ranks(np.array([10, 30, 20, 20])).tolist() == [0, 3, 1.5, 1.5]


def test_kendall_of_one_swapped_pair_by_hand():
    # six pairs, five in order and one swapped: (5 − 1) / 6
    assert kendall(np.arange(4), np.array([0, 2, 1, 3])) == pytest.approx(4 / 6)


def test_agreement_is_one_for_the_same_order_and_minus_one_for_the_reverse():
    x = np.array([3.0, 1.0, 2.0, 9.0])
    for statistic in (kendall, spearman):
        assert statistic(x, np.exp(x)) == pytest.approx(1)
        assert statistic(x, -x) == pytest.approx(-1)


def test_a_constant_side_agrees_with_nothing():
    assert math.isnan(kendall(np.ones(3), np.arange(3)))
    assert math.isnan(spearman(np.ones(3), np.arange(3)))


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20))
def test_an_interval_contains_its_mean_and_stays_within_the_data(values):
    measure = mean_measure("x", values)
    slack = 1e-9 + 1e-9 * max(map(abs, values))
    assert min(values) - slack <= measure.low <= measure.value + slack
    assert measure.value - slack <= measure.high <= max(values) + slack
    assert measure.n == len(values)


def test_the_bootstrap_interval_of_a_mean_is_near_the_textbook_one():
    data = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap(lambda rng: data[rng.integers(400, size=400)].mean())
    half = 1.96 * data.std() / 20
    assert low == pytest.approx(data.mean() - half, abs=0.02)
    assert high == pytest.approx(data.mean() + half, abs=0.02)


def reports(**columns):
    count = len(next(iter(columns.values())))
    return [
        Report(
            name="toy",
            preset="cpu",
            seeds=[seed],
            measures=[Measure(k, v[seed], v[seed], v[seed], 1) for k, v in columns.items()],
        )
        for seed in range(count)
    ]


CLAIM = Claim("better", method="m", baseline="b", ablation="a")


def test_a_claim_holds_when_the_method_wins_on_every_seed():
    verdict = check(CLAIM, reports(m=[5, 6, 7, 6, 5], b=[1, 2, 1, 2, 1], a=[2, 2, 2, 3, 2]))
    assert verdict.holds
    assert verdict.method == {"name": "m", "values": [5, 6, 7, 6, 5]}


def test_a_claim_falls_when_the_ablation_does_not_lose():
    assert not check(CLAIM, reports(m=[5, 6, 7], b=[1, 2, 1], a=[5, 6, 7])).holds


def test_a_claim_falls_when_the_interval_includes_no_difference():
    assert not check(CLAIM, reports(m=[9, 0, 0, 0], b=[0, 1, 1, 1], a=[0, 0, 0, 0])).holds


def test_less_turns_the_comparison_round():
    claim = Claim("smaller", method="m", baseline="b", ablation="a", relation="less")
    assert check(claim, reports(m=[1, 1, 1], b=[2, 3, 2], a=[4, 4, 4])).holds


def test_the_margin_must_be_beaten():
    claim = Claim("much better", method="m", baseline="b", ablation="a", margin=2)
    assert not check(claim, reports(m=[3, 3, 3], b=[2, 2, 2], a=[0, 0, 0])).holds


def test_seeds_are_pooled_with_their_raw_values():
    pooled = over_seeds(reports(m=[1.0, 3.0], b=[0.0, 0.0], a=[0.0, 0.0]), [CLAIM])
    assert pooled.seeds == [0, 1]
    assert pooled.measure("m").value == 2.0
    assert pooled.details["per_seed"]["1"]["m"] == 3.0
    assert Report.from_json(pooled.to_json()) == pooled
