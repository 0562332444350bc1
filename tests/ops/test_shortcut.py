import pytest
import torch

from mindseye import ops

FINEST = 8


def exact(clean):
    """A denoiser that knows the answer."""
    return lambda noisy, level, size: clean.expand_as(noisy)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_a_perfect_denoiser_arrives_in_any_number_of_steps(steps):
    clean = torch.randn(3, 5)
    found = ops.shortcut_sample(exact(clean), torch.randn(3, 5), steps, FINEST)
    assert torch.allclose(found, clean, atol=1e-5)


def test_the_sampler_tells_level_and_size_of_every_step():
    told = []

    def denoise(noisy, level, size):
        told.append((int(level[0]), int(size[0])))
        return noisy

    ops.shortcut_sample(denoise, torch.zeros(1, 2), 4, FINEST)
    assert told == [(0, 1), (2, 1), (4, 1), (6, 1)]
    told.clear()
    ops.shortcut_sample(denoise, torch.zeros(1, 2), 2, FINEST, is_shortcut=False)
    assert told == [(0, 0), (4, 0)]


def test_levels_are_multiples_of_their_step_and_leave_room_for_it():
    torch.manual_seed(0)
    level, size = ops.draw_levels((4_000,), FINEST, is_long=True)
    step = 2**size
    assert set(size.tolist()) == {1, 2, 3}
    assert torch.equal(level % step, torch.zeros_like(level))
    assert torch.all(level + step <= FINEST)


def test_the_finest_steps_reach_every_level():
    torch.manual_seed(0)
    level, size = ops.draw_levels((4_000,), FINEST, is_long=False)
    assert set(level.tolist()) == set(range(FINEST))
    assert size.max() == 0


def test_level_zero_is_noise_and_the_top_is_nearly_clean():
    torch.manual_seed(0)
    clean = torch.full((2_000, 4), 3.0)
    noise = ops.corrupt(clean, torch.zeros(2_000), FINEST)
    assert abs(noise.mean()) < 0.1
    assert abs(noise.std() - 1) < 0.1
    almost = ops.corrupt(clean, torch.full((2_000,), 7), FINEST)
    assert abs(almost.mean() - 7 / 8 * 3) < 0.05
    assert abs(almost.std() - 1 / 8) < 0.02


def test_velocity_times_what_remains_leads_to_clean():
    clean, noisy = torch.randn(3, 5), torch.randn(3, 5)
    level = torch.tensor([0, 4, 6])
    rest = (1 - level / FINEST).unsqueeze(-1)
    way = ops.velocity(clean, noisy, level, FINEST)
    assert torch.allclose(noisy + way * rest, clean, atol=1e-5)


def test_the_target_of_a_long_step_is_the_mean_of_its_halves():
    """By hand: from 0 to τ = 1/2 with f(x, τ) = x + 1, so every velocity is 1 / (1 − τ)."""
    level, size = torch.zeros(1, dtype=torch.long), torch.full((1,), 2)
    target = ops.shortcut_target(lambda x, at, by: x + 1, torch.zeros(1, 2), level, size, FINEST)
    assert torch.allclose(target, torch.full((1, 2), (1 + 1 / (1 - 2 / 8)) / 2))


def test_the_target_carries_no_gradient():
    weight = torch.ones(1, requires_grad=True)
    level, size = torch.zeros(1, dtype=torch.long), torch.ones(1, dtype=torch.long)
    noisy = torch.zeros(1, 2)
    target = ops.shortcut_target(lambda x, at, by: weight * x, noisy, level, size, FINEST)
    assert not target.requires_grad


def test_losses_are_weighted_squared_errors_of_clean_latents():
    clean, said = torch.zeros(1, 2), torch.full((1, 2), 2.0)
    weight = torch.tensor([[0.5, 1.5]])
    assert torch.allclose(ops.forcing_loss(said, clean, weight), torch.tensor([4.0]))
    noisy, level = torch.ones(1, 2), torch.tensor([4])
    target = ops.velocity(clean, noisy, level, FINEST)
    loss = ops.shortcut_loss(said, noisy, target, weight, level, FINEST)
    assert torch.allclose(loss, torch.tensor([4.0]))


def test_the_ramp_rises_with_the_signal():
    assert torch.allclose(ops.ramp(torch.tensor([0, 4]), FINEST), torch.tensor([0.1, 0.55]))
