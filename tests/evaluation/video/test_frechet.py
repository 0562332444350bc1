import numpy as np
import pytest
import torch
from torch import nn

from mindseye.core.errors import DataError, MissingExtra
from mindseye.evaluation.video import (
    RandomFeatures,
    frechet,
    frechet_distance,
    fvd,
    fvd_random,
    lpips,
)

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(256, size=(6, 4, 16, 16, 3), dtype=np.uint8)


class Brightness(nn.Module):
    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return clips.mean((2, 3, 4))


def test_frechet_of_numbers_by_hand():
    # means 1 and 4, variances 1 and 9 (with n − 1): 3² + (1 − 3)²
    first, second = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [4.0], [7.0]])
    assert frechet(first, second) == pytest.approx(13)


def test_frechet_of_turned_gaussians_by_hand():
    # diagonal covariances (4, 1) and (1, 4): (2 − 1)² + (1 − 2)²
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * np.sqrt(3 / 4)
    assert frechet(corners * (2, 1), corners * (1, 2)) == pytest.approx(2)


def test_a_set_is_not_apart_from_itself():
    assert fvd_random(CLIPS, CLIPS).value == pytest.approx(0, abs=1e-6)


def test_random_features_are_the_same_everywhere():
    clips = torch.from_numpy(CLIPS[:2]).permute(0, 4, 1, 2, 3).float() / 255
    torch.manual_seed(1)
    first = RandomFeatures()(clips)
    torch.manual_seed(2)
    assert torch.equal(first, RandomFeatures()(clips))


def test_more_corruption_is_farther_away():
    a_bit, much = CLIPS.copy(), CLIPS.copy()
    a_bit[:, 2:] //= 2
    much[:] //= 4
    assert fvd_random(CLIPS, a_bit).value < fvd_random(CLIPS, much).value


def test_the_measure_says_which_features_were_used():
    assert fvd_random(CLIPS, CLIPS).measures("dream")[0].name == "fvd_random/dream"
    own = frechet_distance(CLIPS, CLIPS, Brightness(), features="brightness")
    assert own.measures("dream")[0].name == "fvd_brightness/dream"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fvd_uses_the_network_of_the_file(tmp_path):
    path = tmp_path / "network.pt"
    torch.jit.script(Brightness()).save(str(path))
    found = fvd(CLIPS, CLIPS // 2, path)
    own = frechet_distance(CLIPS, CLIPS // 2, Brightness(), features="i3d")
    assert found.value == pytest.approx(own.value)
    assert found.measures("dream")[0].name == "fvd/dream"


def test_fvd_without_its_file_says_what_is_missing(tmp_path):
    with pytest.raises(DataError, match="no file"):
        fvd(CLIPS, CLIPS, tmp_path / "nothing.pt")


def test_one_clip_has_no_covariance():
    with pytest.raises(DataError, match="two clips"):
        fvd_random(CLIPS[:1], CLIPS)


def test_lpips_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lpips", None)
    with pytest.raises(MissingExtra, match=r"mindseye\[video\]"):
        lpips(CLIPS, CLIPS, "weights.safetensors")
