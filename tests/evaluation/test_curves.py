"""Curves of a refinement are drawn."""

import numpy as np
from PIL import Image

from mindseye.evaluation.curves import save_curves


def drawn(path, real, names=("refined", "loose")):
    rows = [{"round": i, "dream": 0.9, "real": share} for i, share in enumerate(real)]
    save_curves(dict.fromkeys(names, rows), path)
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_each_policy_has_a_panel(tmp_path):
    one = drawn(tmp_path / "one.png", [0.1], names=["refined"])
    assert drawn(tmp_path / "two.png", [0.1]).shape[1] == 2 * one.shape[1]


def test_what_reality_says_is_seen(tmp_path):
    first = drawn(tmp_path / "new" / "a.png", [0.1, 0.2])
    assert not np.array_equal(first, drawn(tmp_path / "b.png", [0.1, 0.8]))
