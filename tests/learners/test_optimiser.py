"""Optimiser: what Muon moves, what AdamW moves, and going on after a stop."""

import copy

import pytest
import torch
from torch import nn

from mindseye.core.errors import LearnerError
from mindseye.learners.optimiser import FASTER, Optimiser


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))


def fitted(net, optimiser, steps):
    inputs = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
    for _ in range(steps):
        optimiser.step((net(inputs) - 1).square().mean(), "test")
    return [p.detach().clone() for p in net.parameters()]


def with_muon(net):
    return Optimiser(net.parameters(), learning_rate=0.01, matrices=[net[0].weight])


def test_muon_moves_all_directions_of_a_matrix_alike():
    net = network()
    before = net[0].weight.detach().clone()
    fitted(net, with_muon(net), 1)
    moved = torch.linalg.svdvals(net[0].weight.detach() - before)
    # a gradient of rank 4 becomes nearly orthogonal
    assert moved.min() > 0.2 * moved.max()


def test_adam_moves_what_muon_does_not():
    net = network()
    before = net[2].weight.detach().clone()
    fitted(net, with_muon(net), 1)
    moved = (net[2].weight.detach() - before).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 0.01), rtol=1e-3, atol=0)


def test_rates_are_set_and_scaled_for_both():
    optimiser = with_muon(network())
    optimiser.set_rate(0.5)
    optimiser.scale_rate(0.1)
    assert optimiser.adam.param_groups[0]["lr"] == pytest.approx(0.05)
    assert optimiser.muon is not None
    assert optimiser.muon.param_groups[0]["lr"] == pytest.approx(0.05 * FASTER)


def test_a_restored_optimiser_goes_on_bit_for_bit():
    net = network()
    optimiser = with_muon(net)
    fitted(net, optimiser, 3)
    other = network()
    other.load_state_dict(net.state_dict())
    resumed = with_muon(other)
    # torch shares what it is given
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for a, b in zip(fitted(net, optimiser, 2), fitted(other, resumed, 2), strict=True):
        assert torch.equal(a, b)


def test_a_loss_that_is_not_finite_leaves_all_as_it_was():
    net = network()
    before = [p.detach().clone() for p in net.parameters()]
    with pytest.raises(LearnerError, match="not finite"):
        with_muon(net).step(net(torch.full((1, 4), torch.inf)).sum(), "test")
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
