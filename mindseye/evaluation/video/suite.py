"""The checks together: a suite fitted on real films of a scene, then asked about any other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mindseye.core.report import Measure
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.motion import MotionScores, motion_scores
from mindseye.evaluation.video.physics import (
    Limits,
    PhysicsReport,
    Scene,
    fit_limits,
    probe_physics,
)
from mindseye.evaluation.video.pixels import psnr
from mindseye.evaluation.video.tracks import Tracker, Tracks, track


@dataclass(frozen=True)
class Suite:
    """What is needed to judge clips of one scene."""

    tracker: Tracker
    scene: Scene
    limits: Limits
    context: int
    """Frames that were given and are not judged by pixels or motion."""
    side: int = 5
    """Pixels of the square that cleans motion masks."""


@dataclass(frozen=True)
class SuiteScores:
    """What a suite says of some clips."""

    motion: MotionScores
    physics: PhysicsReport
    tracks: Tracks
    psnr: np.ndarray
    """Mean over judged frames in decibels, shape (clips,)."""

    def overall(self, *, without: Sequence[str] = ()) -> np.ndarray:
        """The motion score of clips that break no law, 0 for those that do, shape (clips,).

        Args:
            without: Probes left out.
        """
        probes = [name for name in self.physics.violations if name not in without]
        return np.where(self.physics.lawful(probes) == 1, self.motion.score, 0.0)

    def measures(self, name: str) -> list[Measure]:
        """Motion, broken laws and pixels."""
        return [
            *self.motion.measures(name),
            *self.physics.measures(name),
            mean_measure(f"psnr/{name}", self.psnr, "dB"),
        ]


def fit_suite(
    tracker: Tracker,
    scene: Scene,
    clips: np.ndarray,
    pushes: np.ndarray,
    *,
    context: int,
    side: int = 5,
) -> Suite:
    """Learn from real clips how large violations of real clips look through this tracker.

    Args:
        tracker: Already fitted, on other clips.
        scene: What is known.
        clips: Real clips that will not be judged.
        pushes: As of `probe_physics`.
        context, side: See `Suite`.
    """
    limits = fit_limits(probe_physics(track(tracker, clips), pushes, scene))
    return Suite(tracker, scene, limits, context, side)


def judge_clips(
    suite: Suite, clips: np.ndarray, take: np.ndarray, other_take: np.ndarray, pushes: np.ndarray
) -> SuiteScores:
    """Judge clips against two real takes of the same events."""
    found = track(suite.tracker, clips)
    # the last given frame stays, so that what moves first is seen to move
    shown = slice(suite.context - 1, None)
    motion = motion_scores(clips[:, shown], take[:, shown], other_take[:, shown], side=suite.side)
    return SuiteScores(
        motion=motion,
        physics=PhysicsReport(probe_physics(found, pushes, suite.scene), suite.limits),
        tracks=found,
        psnr=psnr(clips, take)[:, suite.context :].mean(1),
    )
