import numpy as np
import pytest

from mindseye.core.errors import WorldError
from mindseye.worlds.tabletop import build, errands


def test_the_second_half_of_errands_leads_across_the_wall():
    starts, goals = errands(build("tabletop/wall", 200), 10, seed=0)
    assert starts.shape == goals.shape == (10, 5)
    assert (starts[:, 0] * goals[:, 0] < 0).tolist() == [False] * 5 + [True] * 5


def test_errands_are_not_too_short():
    starts, goals = errands(build("tabletop/wall", 400), 20, seed=0, least=0.8)
    assert np.linalg.norm(starts[:, :2] - goals[:, :2], axis=1).min() > 0.8


def test_too_few_rows_to_choose_from_are_told():
    with pytest.raises(WorldError, match="make more rows"):
        errands(build("tabletop/wall", 4), 10, seed=0)
