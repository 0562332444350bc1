import numpy as np
import pytest
import torch

from mindseye.core.errors import DataError
from mindseye.evaluation.video import Tracker, Tracks, fit_tracker, track, track_error

SIZE = 24


def scene(rng, clips, frames=4):
    """Clips of a red and a blue square, the second sometimes missing."""
    positions = rng.uniform(0.2, 0.8, size=(clips, frames, 2, 2))
    seen = np.ones((clips, frames, 2), bool)
    seen[..., 1] = rng.uniform(size=(clips, frames)) < 0.7
    pictures = np.full((clips, frames, SIZE, SIZE, 3), 40, np.uint8)
    place = (np.arange(SIZE) + 0.5) / SIZE
    for k, colour in ((0, (230, 40, 40)), (1, (40, 40, 230))):
        near = [
            np.abs(line[None, None] - at[..., None]) < 0.1
            for line, at in ((1 - place, positions[..., k, 1]), (place, positions[..., k, 0]))
        ]
        inside = near[0][..., :, None] & near[1][..., None, :] & seen[..., k, None, None]
        pictures[inside] = colour
    return pictures, Tracks(positions, seen)


@pytest.fixture(scope="module")
def fitted():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    tracker = Tracker(2, depth=12)
    fit_tracker(tracker, *scene(rng, 64), updates=150, batch=32, rng=rng)
    return tracker


def test_a_fitted_tracker_finds_objects_within_a_pixel(fitted):
    clips, truth = scene(np.random.default_rng(1), 16)
    error = track_error(track(fitted, clips), truth)
    assert np.nanmean(error.distance) < 1 / SIZE


def test_a_fitted_tracker_notices_what_is_missing(fitted):
    clips, truth = scene(np.random.default_rng(1), 16)
    error = track_error(track(fitted, clips), truth)
    assert np.nanmean(error.invented) < 0.1
    assert np.nanmean(error.missed) < 0.1


def test_an_untrained_tracker_does_not(fitted):
    clips, truth = scene(np.random.default_rng(1), 16)
    torch.manual_seed(0)
    error = track_error(track(Tracker(2, depth=12), clips), truth)
    assert np.nanmean(error.missed) > 0.9


def test_errors_by_hand():
    truth = Tracks(np.zeros((1, 2, 1, 2)), np.array([[[True], [False]]]))
    found = Tracks(np.full((1, 2, 1, 2), (3.0, 4.0)), np.array([[[True], [True]]]))
    error = track_error(found, truth)
    assert (error.distance[0], error.missed[0], error.invented[0]) == (5, 0, 1)
    assert error.measures("x")[0].name == "tracker/distance/x"


def test_truth_of_other_objects_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="tracker"):
        fit_tracker(Tracker(3), *scene(rng, 2), updates=1, rng=rng)
