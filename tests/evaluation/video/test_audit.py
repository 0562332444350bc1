from dataclasses import dataclass, field

import numpy as np
import pytest

from mindseye.evaluation.video import alarm_shares, order_shares, tripped_share
from mindseye.evaluation.video.physics import Limits, PhysicsReport
from mindseye.evaluation.video.suite import SuiteScores


@dataclass(frozen=True)
class Motion:
    score: np.ndarray = field(default_factory=lambda: np.full(10, 90.0))


def scores(*, gone=0, motion=90.0, psnr=25.0):
    """Ten events, of which the first `gone` break permanence."""
    violations = {"permanence": np.arange(10) < gone, "gravity": np.zeros(10)}
    physics = PhysicsReport(violations, Limits({"permanence": 0.5, "gravity": 0.5}))
    return [SuiteScores(Motion(np.full(10, motion)), physics, None, np.full(10, psnr))]


SCORES = {
    "noise": scores(psnr=20.0),
    "third": scores(gone=1),
    "vanish": scores(gone=9, motion=92.0, psnr=24.0),
    "still": scores(motion=10.0, psnr=15.0),
}


def test_each_way_orders_what_it_can_see():
    found = order_shares(SCORES, ["vanish", "still"])
    assert found == {"suite": 1.0, "without_permanence": 0.5, "motion": 0.5, "psnr": 0.5}


def test_equal_scores_are_no_order():
    assert order_shares({**SCORES, "same": scores(psnr=20.0)}, ["same"])["suite"] == 0


def test_one_of_several_probes_is_enough():
    assert tripped_share(SCORES["vanish"], ["gravity", "permanence"]) == pytest.approx(0.9)


def test_alarms_by_hand():
    named = {"vanish": ["permanence"], "still": ["gravity"]}
    found = alarm_shares(SCORES, named, [16.0])
    assert found["recall/vanish"] == pytest.approx(0.9)
    assert found["alarm/recall"] == pytest.approx(0.45)
    # of ten films without fault one trips permanence, none gravity
    assert found["alarm/false"] == pytest.approx(0.05)
    assert found["alarm/psnr_recall"] == 0.5
