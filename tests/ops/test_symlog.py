import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from mindseye import ops


@given(st.floats(-1e4, 1e4))
def test_symexp_undoes_symlog(x):
    back = ops.symexp(ops.symlog(torch.tensor(x, dtype=torch.float64)))
    assert math.isclose(float(back), x, rel_tol=1e-9, abs_tol=1e-9)


def test_two_hot_between_two_bins_by_hand():
    bins = torch.tensor([0.0, 1.0, 3.0])
    out = ops.two_hot(torch.tensor([0.25, 2.0]), bins)
    assert torch.allclose(out, torch.tensor([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]]))


@given(st.floats(-5, 5))
def test_the_mean_of_a_two_hot_is_the_number_within_the_bins(x):
    bins = ops.symexp(torch.linspace(-1, 1, 9))
    mean = float(ops.two_hot(torch.tensor([x]), bins) @ bins)
    assert math.isclose(mean, min(max(x, float(bins[0])), float(bins[-1])), abs_tol=1e-5)
