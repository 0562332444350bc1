"""Judging the judge: does a suite of checks notice planted faults, and is it silent otherwise?"""

from collections.abc import Mapping, Sequence

import numpy as np

from mindseye.evaluation.video.physics import PROBES
from mindseye.evaluation.video.suite import SuiteScores

RIGHT = 0.9
"""Share of events in which noise must score higher for a kind of fault to be ordered rightly."""


def order_shares(
    scores: Mapping[str, Sequence[SuiteScores]], kinds: Sequence[str]
) -> dict[str, float]:
    """Share of kinds of faults that each way of scoring puts below harmless noise.

    A kind is ordered rightly if noise scores higher than the fault in nine of ten events; equal
    scores count one half. The ways: the suite, the suite without its permanence probe, PSNR, and
    the motion score alone.

    Args:
        scores: By fault, one entry per scene, the same events in the same order; and of "noise".
        kinds: Faults to compare with the noise.
    """
    ways = {
        "suite": lambda s: s.overall(),
        "without_permanence": lambda s: s.overall(without=["permanence"]),
        "motion": lambda s: s.motion.score,
        "psnr": lambda s: s.psnr,
    }
    shares = {}
    for way, read in ways.items():
        noise = np.concatenate([read(s) for s in scores["noise"]])
        wins = [_wins(noise, np.concatenate([read(s) for s in scores[kind]])) for kind in kinds]
        shares[way] = float(np.mean(np.array(wins) >= RIGHT))
    return shares


def _wins(first: np.ndarray, second: np.ndarray) -> float:
    known = np.isfinite(first) & np.isfinite(second)
    return float(((first > second) + 0.5 * (first == second))[known].mean())


def tripped_share(scores: Sequence[SuiteScores], probes: Sequence[str]) -> float:
    """Share of clips in which at least one of the probes trips; mean over scenes."""
    return float(
        np.mean([np.any([s.physics.tripped(p) for p in probes], 0).mean() for s in scores])
    )


def alarm_shares(
    scores: Mapping[str, Sequence[SuiteScores]],
    named: Mapping[str, Sequence[str]],
    floors: Sequence[float],
) -> dict[str, float]:
    """How often alarms sound.

    Args:
        scores: By fault, one entry per scene; and of "third", a film without fault.
        named: Probes that are to notice each fault; one of them is enough.
        floors: Lowest PSNR between two real takes, per scene: the limit of an alarm on PSNR.

    Returns:
        "recall/FAULT"; "alarm/recall", their mean; "alarm/false", the same probes on films without
        fault; "alarm/psnr_recall", share of faults whose PSNR is below the floor.
    """
    recall = {kind: tripped_share(scores[kind], probes) for kind, probes in named.items()}
    false = [tripped_share(scores["third"], probes) for probes in named.values()]
    heard = [
        (s.psnr < floor).mean() for k in named for s, floor in zip(scores[k], floors, strict=True)
    ]
    return {
        "alarm/recall": float(np.mean(list(recall.values()))),
        "alarm/false": float(np.mean(false)),
        "alarm/psnr_recall": float(np.mean(heard)),
        **{f"recall/{kind}": share for kind, share in recall.items()},
    }


def fault_table(scores: Mapping[str, Sequence[SuiteScores]]) -> dict[str, dict[str, float]]:
    """Per fault: motion score, PSNR, and share of clips that trip each probe."""
    return {
        name: {
            "motion": float(np.nanmean([s.motion.score for s in parts])),
            "psnr": float(np.mean([s.psnr for s in parts])),
            **{probe: tripped_share(parts, [probe]) for probe in PROBES},
        }
        for name, parts in scores.items()
    }
