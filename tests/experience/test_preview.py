import numpy as np
import pytest
from PIL import Image

from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError
from mindseye.experience.preview import contact_sheet


def episode_of(observations, steps=5):
    rewards = np.zeros(steps, np.float32)
    origin = Origin("real", "hall")
    return Episode(observations, np.zeros(steps, int), rewards, True, False, origin)


def drawn(tmp_path, observations, **options):
    path = contact_sheet([episode_of(observations)], tmp_path / "sheet.png", **options)
    return np.asarray(Image.open(path).convert("RGB"))


def test_a_picture_is_shown_in_its_colours(tmp_path):
    red = np.zeros((6, 32, 32, 3), np.uint8)
    red[..., 0] = 200
    sheet = drawn(tmp_path, red, moments=4, size=40)
    assert sheet[-20, 20].tolist() == [200, 0, 0]


def test_layers_may_come_first(tmp_path):
    blue = np.zeros((6, 3, 32, 32), np.uint8)
    blue[:, 2] = 90
    sheet = drawn(tmp_path, blue, moments=4, size=40)
    assert sheet[-20, 20].tolist() == [0, 0, 90]


def test_the_last_observation_is_shown(tmp_path):
    pictures = np.zeros((6, 32, 32, 3), np.uint8)
    pictures[-1] = 77
    sheet = drawn(tmp_path, pictures, moments=3, size=40)
    assert sheet[-20, 100].tolist() == [77, 77, 77]


def test_a_symbolic_view_is_shown_as_tiles(tmp_path):
    view = np.zeros((6, 4, 4, 3), np.uint8)
    view[:, 0, :, 0] = 2
    sheet = drawn(tmp_path, view, moments=2, size=42)
    left, right = sheet[-20, 4], sheet[-20, 36]
    assert left.any()
    assert not right.any()


def test_numbers_are_drawn(tmp_path):
    sheet = drawn(tmp_path, np.random.default_rng(0).normal(size=(6, 3)))
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 5


def test_texts_of_any_alphabet_are_drawn(tmp_path):
    sheet = drawn(tmp_path, ["Tür 🗝\nзамок"] * 6)
    assert (sheet == 0).any()


def test_every_leaf_has_its_strip(tmp_path):
    pictures = np.zeros((6, 32, 32, 3), np.uint8)
    one = drawn(tmp_path, {"a": pictures}, size=40)
    two = drawn(tmp_path, {"a": pictures, "b": pictures}, size=40)
    assert two.shape[0] - one.shape[0] == 40


def test_no_episodes_make_no_sheet(tmp_path):
    with pytest.raises(DataError, match="at least one episode"):
        contact_sheet([], tmp_path / "sheet.png")
