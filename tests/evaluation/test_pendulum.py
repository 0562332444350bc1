import numpy as np
import pytest
import torch

from mindseye.core.protocols import Prediction
from mindseye.evaluation.pendulum import draw_swings, imagined_errors, motion_errors, swing
from mindseye.worlds import make


def motion(steps=30, rows=5):
    world, rng = make("Pendulum-v1", rows), np.random.default_rng(0)
    seen, acted = [world.reset(seed=0)[0]], []
    for _ in range(steps):
        acted.append(rng.uniform(-2, 2, (rows, 1)).astype(np.float32))
        seen.append(world.step(acted[-1])[0])
    return np.stack(seen, 1).astype(np.float64), np.stack(acted, 1).astype(np.float64)


def test_it_swings_as_the_world_does():
    seen, acted = motion()
    np.testing.assert_allclose(swing(seen[:, :-1], acted), seen[:, 1:], atol=1e-5)


def test_true_motions_have_no_errors():
    assert max(motion_errors(*motion()).values()) < 1e-6


def test_a_wrong_last_observation_is_counted_as_computed_by_hand():
    seen, acted = motion(steps=4, rows=1)
    seen[0, -1, 2] += 3.0
    found = motion_errors(seen, acted)
    assert found["drift"] == pytest.approx(9 / 3, rel=1e-3)
    assert found["dynamics"] == pytest.approx(9 / 3 / 4, rel=1e-3)


class Physics:
    """A world model that knows the truth, and adds `wrong` to the speed."""

    def __init__(self, wrong):
        self.wrong = wrong

    def initial(self, batch_size):
        return torch.zeros(batch_size, 3)

    def observe(self, state, action, observation, is_first):
        return observation

    def imagine(self, state, action):
        reached = torch.from_numpy(swing(state.double().numpy(), action.double().numpy()))
        return reached + torch.tensor([0.0, 0.0, self.wrong])

    def predict(self, state):
        return Prediction(state, torch.zeros(len(state)), torch.ones(len(state)))


@pytest.mark.parametrize(("wrong", "error"), [(0.0, 0.0), (0.3, 0.03)])
def test_a_model_is_as_wrong_as_its_speed(wrong, error):
    first = torch.from_numpy(motion()[0][:, 0])
    found = imagined_errors(Physics(wrong), lambda x: torch.zeros(len(x), 1).double(), first, 5)
    assert found["dynamics"] == pytest.approx(error, abs=1e-6)


def test_a_picture_of_motions_is_drawn(tmp_path):
    draw_swings(tmp_path / "media" / "true.png", *motion(steps=3))
    assert (tmp_path / "media" / "true.png").read_bytes()[:4] == b"\x89PNG"
