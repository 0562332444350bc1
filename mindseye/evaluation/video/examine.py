"""Asking a world that takes actions: does it obey them, and does it know when it dreams?"""

import time

import numpy as np

from mindseye.core.protocols import WorldModel
from mindseye.evaluation.video.actions import InverseDynamics, inverse_agreement
from mindseye.evaluation.video.clips import copy_last, dream_clips
from mindseye.evaluation.video.frechet import fvd, fvd_random
from mindseye.evaluation.video.hallucination import SampledWorldModel, auroc
from mindseye.evaluation.video.lpips import lpips
from mindseye.evaluation.video.motion import motion_masks, temporal_consistency
from mindseye.evaluation.video.pixels import ssim
from mindseye.evaluation.video.suite import Suite, judge_clips
from mindseye.evaluation.video.tracks import Tracker, track

WORST = 1 / 3
"""Share of a world's dreams, the farthest from what happened, that count as wrong."""


def follow_actions(
    model: WorldModel,
    reader: InverseDynamics,
    clips: np.ndarray,
    actions: np.ndarray,
    *,
    context: int,
) -> dict[str, float]:
    """Share of the true actions that a reader finds in dreams under them, under others, under none.

    Args:
        model: Over pictures, with discrete actions of which 0 does nothing.
        reader: Fitted on other real clips.
        clips, actions, context: As of `dream_clips`.

    Returns:
        "own", "shuffled" (those of the clip before), "idle" (action 0), and "real": what is read
        off the real clips themselves.
    """
    given = {"own": actions, "shuffled": np.roll(actions, 1, 0), "idle": np.zeros_like(actions)}
    films = {"real": clips}
    for name, taken in given.items():
        taken = np.concatenate((actions[:, : context - 1], taken[:, context - 1 :]), 1)
        films[name], _ = dream_clips(model, clips, taken, context=context)
    read = {n: inverse_agreement(reader, film, actions, first=context) for n, film in films.items()}
    return {name: float(each.agreement.mean()) for name, each in read.items()}


def doubt_quality(
    model: WorldModel,
    tracker: Tracker,
    clips: np.ndarray,
    actions: np.ndarray,
    *,
    context: int,
    copies: int,
) -> dict[str, float]:
    """How well disagreement between a world's samples tells its worst dreams from the others.

    Args:
        model, clips, actions, context: As of `dream_clips`.
        tracker: Says where objects are; a dream's error is their mean distance from the truth.
        copies: Samples.

    Returns:
        Areas under the curve of "disagreement", of a "constant" signal, and of the signal
        "of_another" dream; and the mean "error" in shares of the frame.
    """
    sampled = SampledWorldModel(model, copies)
    dream, doubt = dream_clips(sampled, clips, actions, context=context)
    apart = track(tracker, dream).positions - track(tracker, clips).positions
    error = np.linalg.norm(apart, axis=-1).mean(2)[:, context:].mean(1)
    wrong, signal = error > np.quantile(error, 1 - WORST), doubt.mean(1)
    signals = {"disagreement": signal, "constant": 0 * signal, "of_another": np.roll(signal, 1)}
    areas = {name: auroc(values, wrong) for name, values in signals.items()}
    return {**areas, "error": float(error.mean())}


def judge_dreams(
    suite: Suite,
    model: WorldModel,
    real: np.ndarray,
    other: np.ndarray,
    actions: np.ndarray,
    pushes: np.ndarray,
    *,
    fvd_weights: str = "",
    lpips_weights: str = "",
) -> tuple[dict[str, float], np.ndarray]:
    """Dream real clips open loop, and judge the dreams.

    Args:
        suite: Fitted on other clips.
        model: Over pictures.
        real, other: Two takes of the same events.
        actions, pushes: As of `dream_clips` and `probe_physics`.
        fvd_weights, lpips_weights: Files of these networks; empty: without them.

    Returns:
        Values by name, and the dreams.
    """
    began = time.perf_counter()
    dream, _ = dream_clips(model, real, actions, context=suite.context)
    seconds = (time.perf_counter() - began) / (len(real) * (real.shape[1] - suite.context))
    scores = judge_clips(suite, dream, real, other, pushes)
    copied = judge_clips(suite, copy_last(real, suite.context), real, other, pushes)
    found = {m.name.rpartition("/")[0]: m.value for m in scores.measures("dream")}
    found |= {
        "seconds_per_frame": seconds,
        "motion_of_copy": float(np.nanmean(copied.motion.score)),
        "psnr_of_copy": float(copied.psnr.mean()),
        "ssim": float(ssim(dream, real)[:, suite.context :].mean()),
        "consistency": float(temporal_consistency(dream).mean()),
        "fvd_random": fvd_random(real, dream).value,
    }
    if fvd_weights:
        found["fvd"] = fvd(real, dream, fvd_weights).value
    if lpips_weights:
        found["lpips"] = float(lpips(real, dream, lpips_weights).mean())
    return found, dream


def film_strip(real: np.ndarray, dream: np.ndarray, *, first: int, frames: int = 12) -> np.ndarray:
    """Reality, its motion, a dream, and its motion, one above the other, uint8 (height, width, 3).

    Args:
        real, dream: One clip each, (frames, height, width, 3).
        first: Frame to begin with.
        frames: To show.
    """
    rows = []
    for clip in (real, dream):
        mask = motion_masks(clip[None], side=3)[0]
        painted = np.repeat(255 * mask[..., None].astype(np.uint8), 3, -1)
        rows += [clip[first : first + frames], painted[first : first + frames]]
    return np.concatenate([np.concatenate(list(row), 1) for row in rows], 0)
