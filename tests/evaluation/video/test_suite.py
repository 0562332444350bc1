import numpy as np
import pytest
import torch

from mindseye.evaluation.video import Scene, Tracker, Tracks, fit_suite, fit_tracker, judge_clips
from mindseye.worlds.scenes import LAWS, film, plant, pushes

LAW, SIZE, CONTEXT = LAWS["toss"], 24, 4


@pytest.fixture(scope="module")
def films():
    actions = np.random.default_rng(0).integers(5, size=(48, 29))
    return actions, [film(LAW, actions, seed=5, take=take, size=SIZE) for take in range(3)]


@pytest.fixture(scope="module")
def suite(films):
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    tracker = Tracker(1, depth=8)
    _, (first, second, _) = films
    fit_tracker(tracker, first.frames, Tracks(first.positions, first.visible), updates=150, rng=rng)
    scene = Scene(np.array(LAW.radii), LAW.gravity, nearness=0.02)
    return fit_suite(
        tracker, scene, second.frames, pushes(LAW, second.actions), context=CONTEXT, side=3
    )


def judged(suite, films, clips):
    actions, takes = films
    return judge_clips(suite, clips, takes[0].frames, takes[1].frames, pushes(LAW, actions))


def test_a_third_take_is_lawful_and_close(suite, films):
    scores = judged(suite, films, films[1][2].frames)
    assert scores.physics.lawful().mean() > 0.95
    assert np.nanmean(scores.motion.score) > 80


def test_vanishing_breaks_permanence_and_zeroes_the_overall_score(suite, films):
    made = plant("vanish", LAW, films[0], seed=5, take=2, size=SIZE, context=CONTEXT)
    scores = judged(suite, films, made.frames)
    assert scores.physics.tripped("permanence").mean() > 0.9
    assert scores.overall().mean() < scores.overall(without=["permanence"]).mean()


def test_all_parts_are_measured(suite, films):
    names = [m.name for m in judged(suite, films, films[1][2].frames).measures("x")]
    assert {"motion/x", "broken/permanence/x", "psnr/x"} <= set(names)
