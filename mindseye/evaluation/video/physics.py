"""Does what is seen obey the laws of the scene? Probes of tracks, each one number per clip.

Every probe measures how badly one law is broken: 0 is lawful, larger is worse, nan says that the
clip gave no occasion to tell. What still counts as lawful is learned from real clips
(`fit_limits`), so that a tracker's own errors raise no alarm.

Lengths are shares of the frame, times are frames, y points up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mindseye.core.errors import DataError
from mindseye.core.report import Measure
from mindseye.evaluation.statistics import mean_measure
from mindseye.evaluation.video.tracks import Tracks

_LEAST_FLIGHT = 3
"""Free frames needed to say anything of an acceleration."""
_LEAST_PUSHES = 2


@dataclass(frozen=True)
class Scene:
    """What is known of a scene with discs."""

    radii: np.ndarray
    """Of every object, shape (objects,)."""
    gravity: float
    """Downward acceleration per frame squared; 0 for none."""
    nearness: float
    """Gap to a wall or another object that counts as touching: what a tracker may err."""
    hidden: tuple[float, float] | None = None
    """Range of x that a panel hides."""


@dataclass(frozen=True)
class Limits:
    """The most that lawful clips break each law by."""

    most: Mapping[str, float]


@dataclass(frozen=True)
class PhysicsReport:
    """What the probes say of some clips."""

    violations: Mapping[str, np.ndarray]
    """By probe, shape (clips,); nan where it cannot tell."""
    limits: Limits

    def tripped(self, probe: str) -> np.ndarray:
        """Clips that break a law by more than real ones do, bool (clips,)."""
        return self.violations[probe] > self.limits.most[probe]

    def lawful(self, probes: Sequence[str] | None = None) -> np.ndarray:
        """Share of probes that each clip passes, shape (clips,); of all probes unless named."""
        names = list(self.violations) if probes is None else list(probes)
        return 1 - np.mean([self.tripped(name) for name in names], 0)

    def measures(self, name: str) -> list[Measure]:
        """Share of clips that break each law."""
        return [
            mean_measure(f"broken/{probe}/{name}", self.tripped(probe), "share of clips")
            for probe in self.violations
        ]


def probe_physics(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> dict[str, np.ndarray]:
    """All probes of some clips.

    Args:
        tracks: What was found in them.
        pushes: Change of velocity that the actions should give each object between two frames,
            shape (clips, frames - 1, objects, 2).
        scene: What is known.
    """
    if pushes.shape[:3] != (tracks.seen.shape[0], tracks.seen.shape[1] - 1, tracks.seen.shape[2]):
        raise DataError(
            f"physics: pushes of {pushes.shape} do not fit tracks of {tracks.seen.shape};"
            " give one per clip, step and object"
        )
    return {name: probe(tracks, pushes, scene) for name, probe in PROBES.items()}


def fit_limits(violations: Mapping[str, np.ndarray], *, slack: float = 1.25) -> Limits:
    """Take the worst real clip, and some more, as still lawful.

    Args:
        violations: Of real clips that will not be judged.
        slack: Factor on the worst of them.
    """
    worst = {
        name: np.nanmax(values) if np.isfinite(values).any() else np.inf
        for name, values in violations.items()
    }
    return Limits({name: float(slack * max(value, 1e-6)) for name, value in worst.items()})


# ---- the laws ----------------------------------------------------------------------------------


def permanence(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Objects do not vanish: longest stay out of sight without a place to hide, in frames."""
    hidden = np.zeros_like(tracks.seen)
    if scene.hidden is not None:
        x = _expected(tracks)
        # a tracker may lose what is half covered
        margin = scene.nearness + scene.radii / 2
        hidden = (x > scene.hidden[0] - margin) & (x < scene.hidden[1] + margin)
    return _longest(~tracks.seen & ~hidden).max(-1).astype(np.float64)


def continuity(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Objects do not jump: farthest way between two frames."""
    step = np.linalg.norm(np.diff(tracks.positions, axis=1), axis=-1)
    both = tracks.seen[:, 1:] & tracks.seen[:, :-1]
    return np.where(both, step, 0).max((1, 2))


def gravity(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Everything falls: relative error of the mean vertical acceleration in free flight."""
    if scene.gravity == 0:
        return np.full(len(tracks.seen), np.nan)
    acceleration, free = _free_flight(tracks, pushes, scene)
    count = free.sum((1, 2))
    mean = np.where(free, acceleration[..., 1], 0).sum((1, 2)) / np.maximum(count, 1)
    error = np.abs(mean + scene.gravity) / scene.gravity
    return np.where(count >= _LEAST_FLIGHT, error, np.nan)


def inertia(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Nothing starts or turns untouched: largest sideways acceleration in free flight."""
    acceleration, free = _free_flight(tracks, pushes, scene)
    sideways = np.abs(acceleration if scene.gravity == 0 else acceleration[..., :1]).max(-1)
    return np.where(free, sideways, 0).max((1, 2))


def solidity(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Objects do not pass into each other: deepest overlap in shares of the touching distance."""
    gap, both = _pairs(tracks)
    if gap.shape[-1] == 0:
        return np.full(len(gap), np.nan)
    touching = _sums_of_pairs(scene.radii)
    return np.where(both, np.maximum(0, 1 - gap / touching), 0).max((1, 2))


def energy(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Energy of free flight stays: mean absolute change per step, per unit of mass."""
    p, v = tracks.positions, np.diff(tracks.positions, axis=1)
    # between frames, height is the mean of both ends, which makes the sum exact for constant g
    total = np.square(v).sum(-1) / 2 + scene.gravity * (p[:, 1:, :, 1] + p[:, :-1, :, 1]) / 2
    _, free = _free_flight(tracks, pushes, scene)
    change = np.abs(np.diff(total, axis=1))
    count = free.sum((1, 2))
    mean = np.where(free, change, 0).sum((1, 2)) / np.maximum(count, 1)
    return np.where(count >= _LEAST_FLIGHT, mean, np.nan)


def response(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Actions act: |1 − gain|, the gain being acceleration over push where a push was free."""
    acceleration, untouched = _acceleration(tracks, scene)
    acceleration[..., 1] += scene.gravity
    given = pushes[:, 1:]
    pushed = untouched & (np.abs(given).sum(-1) > 0)
    asked = np.where(pushed, np.square(given).sum(-1), 0).sum((1, 2))
    got = np.where(pushed, (acceleration * given).sum(-1), 0).sum((1, 2))
    enough = pushed.sum((1, 2)) >= _LEAST_PUSHES
    return np.where(enough, np.abs(1 - got / np.maximum(asked, 1e-12)), np.nan)


def liveness(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> np.ndarray:
    """Nothing hangs in the air: longest standstill of an untouched object, in frames."""
    if scene.gravity == 0:
        return np.full(len(tracks.seen), np.nan)
    step = np.linalg.norm(np.diff(tracks.positions, axis=1), axis=-1)
    both = tracks.seen[:, 1:] & tracks.seen[:, :-1]
    touching = _touching(tracks, scene)
    alone = ~(touching[:, 1:] | touching[:, :-1])
    return _longest(both & alone & (step < scene.gravity)).max(-1).astype(np.float64)


Probe = Callable[[Tracks, np.ndarray, Scene], np.ndarray]
PROBES: dict[str, Probe] = {
    "permanence": permanence,
    "continuity": continuity,
    "gravity": gravity,
    "inertia": inertia,
    "solidity": solidity,
    "energy": energy,
    "response": response,
    "liveness": liveness,
}
"""All laws by name."""


# ---- parts -------------------------------------------------------------------------------------


def _free_flight(tracks: Tracks, pushes: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Accelerations at inner frames, and where nothing but gravity may have caused them."""
    acceleration, untouched = _acceleration(tracks, scene)
    unpushed = np.abs(pushes[:, 1:]).sum(-1) == 0
    return acceleration, untouched & unpushed


def _acceleration(tracks: Tracks, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Second differences (clips, frames - 2, objects, 2), and where all three frames are clear."""
    clear = tracks.seen & ~_touching(tracks, scene)
    if scene.hidden is not None:
        x = tracks.positions[..., 0]
        # of what is partly covered the centre is not known well
        clear &= (x + scene.radii < scene.hidden[0]) | (x - scene.radii > scene.hidden[1])
    untouched = clear[:, 2:] & clear[:, 1:-1] & clear[:, :-2]
    return np.diff(tracks.positions, n=2, axis=1), untouched


def _touching(tracks: Tracks, scene: Scene) -> np.ndarray:
    """Objects that may touch something between this frame and a neighbouring one, or an unseen one.

    What bounces between two frames is, in one of them, within half a step of the touch.
    """
    gaps = np.minimum(tracks.positions, 1 - tracks.positions) - scene.radii[:, None]
    walls = (gaps < scene.nearness + _steps(tracks.positions) / 2).any(-1)
    i, j = np.triu_indices(tracks.seen.shape[-1], 1)
    gap, both = _pairs(tracks)
    apart = tracks.positions[..., i, :] - tracks.positions[..., j, :]
    reach = scene.nearness + np.linalg.norm(_steps(apart), axis=-1) / 2
    touching = _sums_of_pairs(scene.radii)
    near = np.where(both, gap < touching + reach, False)
    others = np.zeros_like(walls)
    for pair, ends in enumerate(zip(i, j, strict=True)):
        unseen = ~both[..., pair, None]
        if scene.hidden is not None:
            # what is behind the panel reaches no farther than this
            x = tracks.positions[..., ends, 0]
            edge = touching[pair] + scene.nearness
            unseen = unseen & (x > scene.hidden[0] - edge) & (x < scene.hidden[1] + edge)
        others[..., ends] |= near[..., pair, None] | unseen
    return walls | others


def _steps(positions: np.ndarray) -> np.ndarray:
    """The larger of the ways to the frame before and after, along each axis."""
    step = np.abs(np.diff(positions, axis=1))
    return np.maximum(
        np.concatenate((step[:, :1], step), 1), np.concatenate((step, step[:, -1:]), 1)
    )


def _pairs(tracks: Tracks) -> tuple[np.ndarray, np.ndarray]:
    """Distances of all pairs, (clips, frames, pairs), and whether both are seen."""
    i, j = np.triu_indices(tracks.seen.shape[-1], 1)
    gap = np.linalg.norm(tracks.positions[..., i, :] - tracks.positions[..., j, :], axis=-1)
    return gap, tracks.seen[..., i] & tracks.seen[..., j]


def _sums_of_pairs(radii: np.ndarray) -> np.ndarray:
    i, j = np.triu_indices(len(radii), 1)
    return radii[i] + radii[j]


def _expected(tracks: Tracks) -> np.ndarray:
    """Where each object should be in x, going on from where it was last seen: one step at least."""
    frames = np.arange(tracks.seen.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(tracks.seen, frames, -1), axis=1)
    # before it was first seen, it is looked for where it will appear
    index = np.where(last < 0, tracks.seen.argmax(1)[:, None], last)
    x = tracks.positions[..., 0]
    step = np.concatenate((np.zeros_like(x[:, :1]), np.diff(x, axis=1)), 1)
    at, speed = (np.take_along_axis(values, index, axis=1) for values in (x, step))
    known = np.take_along_axis(tracks.seen, np.maximum(index - 1, 0), axis=1)
    return at + np.where(known, speed, 0)


def _longest(run: np.ndarray) -> np.ndarray:
    """Longest run of True along axis 1: (clips, frames, objects) to (clips, objects)."""
    length = np.zeros(run[:, 0].shape, np.int64)
    best = length
    for now in np.moveaxis(run, 1, 0):
        length = np.where(now, length + 1, 0)
        best = np.maximum(best, length)
    return best
