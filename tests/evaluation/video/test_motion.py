import numpy as np
import pytest

from mindseye.evaluation.video import (
    copy_last,
    motion_likeness,
    motion_masks,
    motion_scores,
    temporal_consistency,
)


def square(columns, *, side=8, size=32, shade=255, top=12):
    """One clip of a bright square whose left edge is at columns[t]."""
    clip = np.zeros((1, len(columns), size, size, 3), np.uint8)
    for t, left in enumerate(columns):
        clip[0, t, top : top + side, left : left + side] = shade
    return clip


MOVING = square(range(0, 24, 3))


def test_nothing_moves_in_the_first_frame_nor_in_a_still_clip():
    assert not motion_masks(MOVING)[:, 0].any()
    assert not motion_masks(square([5] * 6)).any()


def test_a_jump_marks_where_it_came_from_and_where_it_went():
    mask = motion_masks(square([0, 20]))[0, 1]
    assert mask[16, 3]
    assert mask[16, 24]
    assert not mask[16, 14]
    assert not mask[2, 3]


def test_changes_of_at_most_ten_grey_levels_do_not_count():
    # seven tenths of a change remain after the background has moved along
    assert not motion_masks(square([0, 20], shade=14), side=1).any()
    assert motion_masks(square([0, 20], shade=15), side=1).any()


def test_opening_removes_what_is_thinner_than_its_square():
    thin = square([4, 20], side=2)
    assert motion_masks(thin, side=1).any()
    assert not motion_masks(thin, side=7).any()


def test_likeness_to_itself_is_perfect():
    same = motion_likeness(MOVING, MOVING)
    assert (same.where, same.where_and_when, same.how_much, same.how) == (1, 1, 1, 0)


def test_backwards_motion_is_in_the_right_places_at_the_wrong_times():
    path = [4, 4, 8, 12, 16, 16]
    forth, back = square(path), square(path[::-1])
    found = motion_likeness(forth, back)
    assert found.where > 0.75
    assert found.where_and_when < found.where - 0.15


def test_how_is_the_mean_squared_difference_by_hand():
    # 128 of 1024 pixels differ by the full range, half of the time
    found = motion_likeness(square([0, 0]), square([0, 16]))
    assert found.how[0] == pytest.approx(128 / 1024 / 2)


def test_a_third_take_scores_a_hundred_and_a_frozen_one_little():
    take, other = MOVING, square([c + 1 for c in range(0, 24, 3)])
    assert motion_scores(other, take, other).score[0] == pytest.approx(100)
    assert motion_scores(copy_last(take, 2), take, other).score[0] < 50


def test_a_take_without_motion_cannot_be_scored():
    still = square([5] * 6)
    scores = motion_scores(MOVING[:, :6], still, still)
    assert np.isnan(scores.score[0])
    assert scores.measures("x")[0].n == 0


def test_consistency_is_one_for_stills_and_low_for_flicker():
    assert temporal_consistency(square([5] * 6))[0] == pytest.approx(1)
    assert temporal_consistency(square([0, 20] * 3))[0] < 0.6
