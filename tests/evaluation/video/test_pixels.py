import numpy as np
import pytest

from mindseye.core.errors import SpecError
from mindseye.evaluation.video import copy_last, pixel_scores, psnr, ssim

RNG = np.random.default_rng(0)
NOISE = RNG.integers(256, size=(2, 3, 16, 16, 3), dtype=np.uint8)


def flat(value):
    return np.full((1, 1, 16, 16, 3), value, np.uint8)


def test_psnr_of_a_constant_difference_by_hand():
    # 20 log10(255 / 5)
    assert psnr(flat(100), flat(105))[0, 0] == pytest.approx(34.1514, abs=1e-3)


def test_psnr_of_equal_frames_is_the_ceiling():
    assert psnr(NOISE, NOISE).tolist() == [[100.0] * 3] * 2


def test_ssim_of_flat_frames_is_their_luminance_term():
    # (2 · 100 · 200 + 6.5025) / (100² + 200² + 6.5025); contrast and structure are 1
    expected = (40_000 + 6.5025) / (50_000 + 6.5025)
    assert ssim(flat(100), flat(200))[0, 0] == pytest.approx(expected, abs=1e-9)


def test_ssim_of_a_negative_by_the_formula_written_out_for_one_window():
    first = RNG.integers(256, size=(1, 1, 11, 11, 3), dtype=np.uint8)
    second = 255 - first
    place = np.arange(11) - 5
    weight = np.exp(-np.add.outer(place**2, place**2) / (2 * 1.5**2))
    weight /= weight.sum()
    found = []
    for channel in range(3):
        x, y = first[0, 0, ..., channel].astype(float), second[0, 0, ..., channel].astype(float)
        mx, my = (weight * x).sum(), (weight * y).sum()
        vx, vy = (weight * (x - mx) ** 2).sum(), (weight * (y - my) ** 2).sum()
        cov = (weight * (x - mx) * (y - my)).sum()
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        found.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    assert ssim(first, second)[0, 0] == pytest.approx(np.mean(found), abs=1e-6)


def test_ssim_is_one_for_equal_and_symmetric():
    assert ssim(NOISE, NOISE) == pytest.approx(1.0)
    assert ssim(NOISE, NOISE[::-1]) == pytest.approx(ssim(NOISE[::-1], NOISE))


def test_curves_are_means_over_clips_per_frame():
    scores = pixel_scores(NOISE, NOISE[::-1])
    assert scores.curves()["psnr"] == pytest.approx(scores.psnr.mean(0).tolist())
    assert [m.name for m in scores.measures("x")] == ["psnr/x", "ssim/x"]


def test_frames_smaller_than_the_window_are_refused():
    small = np.zeros((1, 1, 8, 8, 3), np.uint8)
    with pytest.raises(SpecError, match="11 pixels"):
        ssim(small, small)


@pytest.mark.parametrize("bad", [NOISE.astype(np.float32), NOISE[0], NOISE[..., :1], NOISE[:, :2]])
def test_what_is_no_clip_of_the_same_shape_is_refused(bad):
    with pytest.raises(SpecError, match="clips"):
        psnr(NOISE, bad)


def test_copy_last_freezes_after_the_context():
    frozen = copy_last(NOISE, 2)
    assert (frozen[:, :2] == NOISE[:, :2]).all()
    assert (frozen[:, 2] == NOISE[:, 1]).all()
