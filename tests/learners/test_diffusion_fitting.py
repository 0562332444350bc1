import numpy as np
import pytest
import torch
from gymnasium import spaces

from mindseye.core.errors import LearnerError
from mindseye.learners.diffusion_fitting import DiffusionFitting
from mindseye.models.world.diffusion import DiffusionWorldModel

SPACE, PUSH = spaces.Box(-9, 9, (2,), np.float32), spaces.Box(-1, 1, (1,), np.float32)


def batch(rows=32):
    generator = torch.Generator().manual_seed(0)
    return {
        "observation": torch.randn(rows, 3, 2, generator=generator),
        "action": torch.rand(rows, 3, 1, generator=generator),
        "reward": torch.zeros(rows, 3),
        "continuation": torch.ones(rows, 3),
        "is_first": torch.tensor([True, False, False]).expand(rows, 3),
        "mask": torch.ones(rows, 3),
    }


def fitting(**options):
    torch.manual_seed(0)
    return DiffusionFitting(DiffusionWorldModel(SPACE, PUSH, units=16, layers=1), **options)


def test_the_losses_fall():
    learner = fitting(learning_rate=3e-3, warm_up=0)
    losses = [sum(v for k, v in learner.update(batch()).items() if "loss" in k) for _ in range(80)]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])


def test_the_average_trails_the_weights():
    learner = fitting(warm_up=0)
    first = learner.averaged.form.denoiser.net[-1].bias.clone()
    learner.update(batch())
    now, averaged = (m.form.denoiser.net[-1].bias for m in (learner.model, learner.averaged))
    torch.testing.assert_close(averaged, first + (now - first) * (1 - 2 / 11))


def test_the_learning_rate_rises_and_falls():
    learner, rates = fitting(learning_rate=1.0, updates=100, warm_up=10), []
    for done in (0, 4, 9, 50, 100):
        learner.average.updates = done
        rates.append(learner._rate())
    assert rates == pytest.approx([0.1, 0.498, 0.980, 0.5, 0.0], abs=0.01)


def test_a_restored_fitting_goes_on_equally():
    first, second = fitting(), fitting()
    for _ in range(3):
        first.update(batch())
    second.load_state_dict(first.state_dict())
    results = []
    for learner in (first, second):
        torch.manual_seed(1)
        results.append(learner.update(batch()))
    assert results[0] == results[1]


def test_an_update_that_is_not_finite_is_refused():
    spoiled = batch()
    spoiled["observation"][0, 1] = torch.inf
    with pytest.raises(LearnerError, match="diffusion fitting"):
        fitting().update(spoiled)
