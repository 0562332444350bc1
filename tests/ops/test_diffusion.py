import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mindseye.core.errors import SpecError
from mindseye.ops import diffusion

MEAN, DEVIATION = 2.0, 0.3


def exact(noisy, sigma):
    """Posterior mean of Gaussian data under Gaussian noise."""
    wide = sigma.reshape(-1, *(1,) * (noisy.ndim - 1))
    share = DEVIATION**2 / (DEVIATION**2 + wide**2)
    return MEAN + share * (noisy - MEAN)


def draw(steps, rows=20_000, **options):
    torch.manual_seed(0)
    schedule = diffusion.sigma_schedule(steps, low=0.002, high=80.0)
    start = schedule[0] * torch.randn(rows, 2)
    return diffusion.sample(exact, start, schedule, **options)


def test_samples_have_mean_and_deviation_of_gaussian_data():
    drawn = draw(64)
    assert drawn.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert drawn.std().item() == pytest.approx(DEVIATION, rel=0.08)


def test_the_second_order_needs_fewer_steps():
    errors = [
        abs(draw(32, second_order=second).std().item() - DEVIATION) for second in (True, False)
    ]
    assert errors[0] < 0.3 * errors[1]


def test_churn_keeps_the_distribution():
    drawn = draw(128, second_order=True, churn=diffusion.Churn(20.0))
    assert drawn.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert drawn.std().item() == pytest.approx(DEVIATION, rel=0.08)


def test_churn_outside_its_window_changes_nothing():
    churn = diffusion.Churn(20.0, low=1e4)
    assert torch.equal(draw(8, 10, churn=churn), draw(8, 10))


def test_a_single_step_says_the_guess_at_the_highest_noise():
    torch.manual_seed(0)
    start = 80.0 * torch.randn(5, 2)
    torch.testing.assert_close(draw(1, 5), exact(start, torch.full((5,), 80.0)))


def test_guidance_is_added_in_every_step_but_the_last():
    told = []

    def guide(noisy, clean, step):
        told.append((step, noisy.shape, clean.shape))
        return torch.zeros_like(noisy)

    draw(4, 7, guide=guide)
    assert told == [(step, (7, 2), (7, 2)) for step in range(3)]


def test_guidance_moves_samples():
    plain = draw(16, 2_000)
    moved = draw(16, 2_000, guide=lambda noisy, clean, step: torch.full_like(noisy, 0.05))
    assert (moved - plain).mean().item() > 0.05


def test_the_schedule_is_as_in_the_paper():
    found = diffusion.sigma_schedule(3, low=1.0, high=128.0, rho=7.0)
    assert found == pytest.approx([128.0, 1.5**7, 1.0, 0.0])


@pytest.mark.parametrize(("steps", "low", "high"), [(0, 0.1, 1.0), (3, 0.0, 1.0), (3, 2.0, 1.0)])
def test_impossible_schedules_are_refused(steps, low, high):
    with pytest.raises(SpecError, match="sigma_schedule"):
        diffusion.sigma_schedule(steps, low=low, high=high)


def test_the_scales_are_as_computed_by_hand():
    by = diffusion.scales(torch.tensor([2.0]), 1.0, 3)
    assert by.skip.shape == (1, 1, 1)
    assert by.skip.item() == pytest.approx(1 / 5)
    assert by.out.item() == pytest.approx(2 / math.sqrt(5))
    assert by.into.item() == pytest.approx(1 / math.sqrt(5))
    assert by.noise.item() == pytest.approx(math.log(2) / 4)


@given(st.floats(0.01, 50), st.floats(0.1, 3))
def test_the_network_sees_and_says_unit_variance(sigma, data_deviation):
    by = diffusion.scales(torch.tensor([sigma]), data_deviation, 1)
    seen = by.into**2 * (data_deviation**2 + sigma**2)
    # target (x − skip (x + σ ε)) / out
    said = ((1 - by.skip) ** 2 * data_deviation**2 + by.skip**2 * sigma**2) / by.out**2
    assert seen.item() == pytest.approx(1, rel=1e-4)
    assert said.item() == pytest.approx(1, rel=1e-3)


def test_the_loss_weighs_the_error_of_the_denoiser():
    def network(x, noise):
        return 0.5 * x + noise.reshape(-1, 1)

    torch.manual_seed(0)
    clean, sigma = torch.randn(6, 3), diffusion.draw_sigmas(6)
    torch.manual_seed(1)
    loss = diffusion.denoising_loss(network, clean, sigma, 0.5)
    torch.manual_seed(1)
    noisy = clean + sigma[:, None] * torch.randn_like(clean)
    error = diffusion.preconditioned(network, 0.5)(noisy, sigma) - clean
    weight = (sigma**2 + 0.25) / (sigma * 0.5) ** 2
    torch.testing.assert_close(loss, weight * error.square().mean(1))


def test_sigmas_are_log_normal():
    torch.manual_seed(0)
    drawn = diffusion.draw_sigmas(50_000, mean=-0.4, deviation=0.7).log()
    assert drawn.mean().item() == pytest.approx(-0.4, abs=0.02)
    assert drawn.std().item() == pytest.approx(0.7, abs=0.02)


def test_classifier_free_guidance_exaggerates_the_condition():
    denoise = diffusion.classifier_free(lambda x, s: x + 1, lambda x, s: x, 2.0)
    assert denoise(torch.zeros(1), torch.ones(1)).item() == 3.0
