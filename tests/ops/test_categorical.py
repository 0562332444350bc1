import math

import torch

from mindseye import ops


def test_unimix_keeps_every_class_possible():
    log_prob = ops.unimix(torch.tensor([100.0, 0.0, 0.0, 0.0]), share=0.04)
    assert torch.allclose(log_prob.exp(), torch.tensor([0.97, 0.01, 0.01, 0.01]), atol=1e-6)


def test_samples_follow_the_probabilities():
    torch.manual_seed(0)
    log_prob = torch.tensor([0.1, 0.2, 0.7]).log().expand(20_000, 3)
    share = ops.sample_one_hot(log_prob).mean(0)
    assert torch.allclose(share, torch.tensor([0.1, 0.2, 0.7]), atol=0.02)


def test_straight_through_forwards_the_sample_and_backwards_the_probability():
    logits = torch.tensor([1.0, 2.0], requires_grad=True)
    log_prob = logits.log_softmax(-1)
    out = ops.straight_through(torch.tensor([1.0, 0.0]), log_prob)
    assert torch.allclose(out, torch.tensor([1.0, 0.0]))
    out[0].backward()
    p = log_prob.exp().detach()
    assert torch.allclose(logits.grad, p[0] * (torch.tensor([1.0, 0.0]) - p))


def test_kl_divergence_of_two_coins_by_hand():
    p, q = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
    expected = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    assert math.isclose(float(ops.kl_divergence(p, q)), expected, rel_tol=1e-5)


def test_free_nats_silence_the_gradient_of_a_small_divergence():
    logits = torch.zeros(1, 2, requires_grad=True)
    loss = ops.balanced_kl(
        torch.tensor([[0.6, 0.4]]).log(),
        logits.log_softmax(-1),
        dynamics_weight=1.0,
        representation_weight=0.0,
        free_nats=1.0,
    )
    loss.sum().backward()
    assert loss == 1.0
    assert torch.equal(logits.grad, torch.zeros(1, 2))


def test_masked_mean_ignores_padding():
    x, mask = torch.tensor([[1.0, 100.0]]), torch.tensor([[1.0, 0.0]])
    assert ops.masked_mean(x, mask) == 1.0


def test_linear_scan_equals_the_loop_and_zero_decay_resets():
    generator = torch.Generator().manual_seed(0)
    decay = torch.randn(2, 9, 3, generator=generator, dtype=torch.complex64)
    decay[:, 4] = 0
    added = torch.randn(2, 9, 3, generator=generator, dtype=torch.complex64)
    start = torch.randn(2, 3, generator=generator, dtype=torch.complex64)
    x, expected = start, []
    for t in range(9):
        x = decay[:, t] * x + added[:, t]
        expected.append(x)
    out = ops.linear_scan(decay, added, start)
    assert torch.allclose(out, torch.stack(expected, 1), atol=1e-5)
    assert torch.allclose(out[:, 4], added[:, 4])
