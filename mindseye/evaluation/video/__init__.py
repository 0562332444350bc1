"""How good a dreamed video is: pixels, motion, physics, actions, policies, and doubt."""

from mindseye.evaluation.video.actions import (
    ActionAgreement,
    InverseDynamics,
    ShuffleRatio,
    action_shuffle_ratio,
    fit_inverse_dynamics,
    inverse_agreement,
)
from mindseye.evaluation.video.audit import alarm_shares, fault_table, order_shares, tripped_share
from mindseye.evaluation.video.clips import check_clips, copy_last, dream_clips
from mindseye.evaluation.video.examine import (
    doubt_quality,
    film_strip,
    follow_actions,
    judge_dreams,
)
from mindseye.evaluation.video.frechet import (
    FrechetDistance,
    RandomFeatures,
    frechet,
    frechet_distance,
    fvd,
    fvd_random,
)
from mindseye.evaluation.video.hallucination import (
    SampledWorldModel,
    SignalQuality,
    auroc,
    round_trip_residual,
    signal_quality,
)
from mindseye.evaluation.video.lpips import lpips
from mindseye.evaluation.video.motion import (
    MotionLikeness,
    MotionScores,
    motion_likeness,
    motion_masks,
    motion_scores,
    temporal_consistency,
)
from mindseye.evaluation.video.physics import (
    PROBES,
    Limits,
    PhysicsReport,
    Scene,
    fit_limits,
    probe_physics,
)
from mindseye.evaluation.video.pixels import PixelScores, pixel_scores, psnr, ssim
from mindseye.evaluation.video.policies import PolicyAgreement, mmrv, pearson, policy_agreement
from mindseye.evaluation.video.suite import Suite, SuiteScores, fit_suite, judge_clips
from mindseye.evaluation.video.tracks import (
    Tracker,
    TrackError,
    Tracks,
    fit_tracker,
    track,
    track_error,
)

__all__ = [
    "PROBES",
    "ActionAgreement",
    "FrechetDistance",
    "InverseDynamics",
    "Limits",
    "MotionLikeness",
    "MotionScores",
    "PhysicsReport",
    "PixelScores",
    "PolicyAgreement",
    "RandomFeatures",
    "SampledWorldModel",
    "Scene",
    "ShuffleRatio",
    "SignalQuality",
    "Suite",
    "SuiteScores",
    "TrackError",
    "Tracker",
    "Tracks",
    "action_shuffle_ratio",
    "alarm_shares",
    "auroc",
    "check_clips",
    "copy_last",
    "doubt_quality",
    "dream_clips",
    "fault_table",
    "film_strip",
    "fit_inverse_dynamics",
    "fit_limits",
    "fit_suite",
    "fit_tracker",
    "follow_actions",
    "frechet",
    "frechet_distance",
    "fvd",
    "fvd_random",
    "inverse_agreement",
    "judge_clips",
    "judge_dreams",
    "lpips",
    "mmrv",
    "motion_likeness",
    "motion_masks",
    "motion_scores",
    "order_shares",
    "pearson",
    "pixel_scores",
    "policy_agreement",
    "probe_physics",
    "psnr",
    "round_trip_residual",
    "signal_quality",
    "ssim",
    "temporal_consistency",
    "track",
    "track_error",
    "tripped_share",
]
