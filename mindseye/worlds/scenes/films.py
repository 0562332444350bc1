"""Films of scenes, and films with one planted fault: what a check of dreams must notice.

A fault begins after the film's context; up to there all films of a seed and a take are alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mindseye.core.errors import ConfigError
from mindseye.worlds.rules import Draws
from mindseye.worlds.rules.randomness import episode_keys, row_keys
from mindseye.worlds.scenes.discs import Discs, draw, visible
from mindseye.worlds.scenes.law import MOVES, DiscState, Law, upside_down

FAULTS: dict[str, str] = {
    "noise": "pixel noise, harmless",
    "copy_last": "nothing moves any more",
    "freeze": "time stands still, then jumps to where it should be",
    "vanish": "a disc is not drawn any more",
    "teleport": "a disc is suddenly elsewhere",
    "ignored": "actions do nothing",
    "flipped": "things fall up",
}
"""What can be planted, and what it is."""
FROZEN = 8
"""Frames for which a film stands still before it jumps."""
_NOISE = 12.0
"""Deviation of planted pixel noise, in grey levels."""

_Edit = Callable[[int, Law, DiscState], tuple[Law, DiscState]]


@dataclass(frozen=True)
class Film:
    """Episodes of equal length, filmed."""

    frames: np.ndarray
    """uint8, shape (clips, frames, size, size, 3)."""
    actions: np.ndarray
    """int64, shape (clips, frames - 1): those that were asked for."""
    positions: np.ndarray
    """True centres, shape (clips, frames, discs, 2)."""
    visible: np.ndarray
    """bool, shape (clips, frames, discs)."""


def held_actions(
    rng: np.random.Generator, clips: int, frames: int, *, hold: float = 3.0
) -> np.ndarray:
    """Random actions, each held for `hold` frames on average, int64, (clips, frames - 1)."""
    shape = clips, frames - 1
    begins = np.where(rng.uniform(size=shape) < 1 / hold, np.arange(frames - 1), 0)
    chosen = rng.integers(len(MOVES), size=shape)
    return np.take_along_axis(chosen, np.maximum.accumulate(begins, 1), 1)


def segments(
    law: Law, shot: Film, rng: np.random.Generator, rows: int, length: int
) -> dict[str, np.ndarray]:
    """Random stretches of films, fields as in `core.batch`; the first row of each begins anew."""
    clip = rng.integers(len(shot.frames), size=(rows, 1))
    at = rng.integers(shot.frames.shape[1] - length + 1, size=(rows, 1)) + np.arange(length)
    later = np.arange(length) > 0
    paid = shot.positions[clip, at, law.scored, 0] > 2 / 3
    return {
        "observation": shot.frames[clip, at],
        "action": shot.actions[clip, at - 1] * later,
        "reward": (paid & later).astype(np.float32),
        "continuation": np.ones((rows, length), np.float32),
        "is_first": np.tile(~later, (rows, 1)),
        "mask": np.ones((rows, length), np.float32),
    }


def film(law: Law, actions: np.ndarray, *, seed: int, take: int = 0, size: int = 48) -> Film:
    """Play actions and film them.

    Args:
        law: Of the scene.
        actions: Shape (clips, frames - 1).
        seed: Of the events; clip i is row i of any world of this seed and take.
        take: Which luck.
        size: Pixels per side.
    """
    return _shoot(law, actions, _play(law, actions, seed, take, _as_it_is), size)


def plant(
    fault: str, law: Law, actions: np.ndarray, *, seed: int, take: int = 0, size: int = 48,
    context: int,
) -> Film:  # fmt: skip
    """A film with a fault.

    Args:
        fault: One of `FAULTS`.
        law, actions, seed, take, size: As of `film`.
        context: Frames before anything is wrong.

    Raises:
        ConfigError: If there is no such fault, or the film is too short for it.
    """
    frames = actions.shape[1] + 1
    if fault not in FAULTS:
        raise ConfigError(f"faults: no {fault!r}; there are {', '.join(FAULTS)}")
    if not 1 <= context <= frames - FROZEN - 3:
        raise ConfigError(
            f"faults: {frames} frames are too few for a context of {context}; film"
            f" {context + FROZEN + 3} or more"
        )
    rng = np.random.default_rng([seed, take, list(FAULTS).index(fault)])
    times = np.arange(context + 1, frames - FROZEN - 1)
    when = rng.choice(times, size=len(actions))
    if fault == "ignored":
        idle = actions.copy()
        idle[:, context - 1 :] = 0
        return _shoot(law, actions, _play(law, idle, seed, take, _as_it_is), size)
    if fault == "flipped":

        def flip(t: int, law: Law, state: DiscState) -> tuple[Law, DiscState]:
            return (upside_down(law) if t == context else law), state

        return _shoot(law, actions, _play(law, actions, seed, take, flip), size)
    made = film(law, actions, seed=seed, take=take, size=size)
    if fault in ("teleport", "vanish"):
        when = times[_in_sight(law, made.positions[:, times, 0, 0], rng)]
    if fault == "teleport":

        def jump(t: int, law: Law, state: DiscState) -> tuple[Law, DiscState]:
            return law, _elsewhere(law, state, when == t)

        return _shoot(law, actions, _play(law, actions, seed, take, jump), size)
    if fault == "vanish":
        gone = np.arange(frames)[None] >= when[:, None]
        shown = np.ones(made.visible.shape, bool)
        shown[..., 0] = ~gone
        return replace(made, frames=_pictures(law, made.positions, size, shown))
    if fault == "noise":
        noise = rng.normal(0, _NOISE, made.frames[:, context:].shape)
        noisy = made.frames.copy()
        noisy[:, context:] = np.clip(np.rint(noisy[:, context:] + noise), 0, 255)
        return replace(made, frames=noisy)
    stop, length = (
        (when, FROZEN) if fault == "freeze" else (np.full_like(when, context - 1), frames)
    )
    return replace(made, frames=_frozen(made.frames, stop, length))


def _play(law: Law, actions: np.ndarray, seed: int, take: int, edit: _Edit) -> np.ndarray:
    """Centres (clips, frames, discs, 2); `edit` may change law and state before frame t is seen."""
    rows = np.arange(len(actions))
    keys = episode_keys(row_keys(np.full(len(rows), seed), rows), np.zeros(len(rows), np.int64))
    state = Discs(law, take=take).start(Draws(keys, np.zeros(len(rows), np.int64)))
    places = [state.position]
    for t in range(1, actions.shape[1] + 1):
        law, state = edit(t, law, state)
        rules = Discs(law, take=take)
        state, _, _ = rules.transition(state, actions[:, t - 1], Draws(keys, np.full(len(rows), t)))
        places.append(state.position)
    return np.stack(places, 1)


def _in_sight(law: Law, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random place along axis 1 where a disc at x (clips, times) is well clear of the panel."""
    luck = rng.uniform(size=x.shape)
    if law.panel is not None:
        middle, half = np.mean(law.panel), np.ptp(law.panel) / 2
        clear = np.abs(x - middle) - half - 2 * law.radii[0]
        luck += np.minimum(0, clear) / law.radii[0] * 100
    return luck.argmax(1)


def _as_it_is(t: int, law: Law, state: DiscState) -> tuple[Law, DiscState]:
    return law, state


def _elsewhere(law: Law, state: DiscState, which: np.ndarray) -> DiscState:
    """The first disc in the corner farthest from all discs, in some rows."""
    low, high = 1.5 * law.radii[0], 1 - 1.5 * law.radii[0]
    corners = np.array([(low, low), (low, high), (high, low), (high, high)])
    gaps = np.linalg.norm(corners[None, :, None] - state.position[:, None], axis=-1).min(-1)
    position = state.position.copy()
    position[which, 0] = corners[gaps.argmax(1)][which]
    return replace(state, position=position)


def _frozen(frames: np.ndarray, stop: np.ndarray, length: int) -> np.ndarray:
    """Frame `stop` again and again for `length` frames, clip by clip."""
    times = np.arange(frames.shape[1])[None]
    still = (times > stop[:, None]) & (times <= stop[:, None] + length)
    index = np.where(still, stop[:, None], times)
    return frames[np.arange(len(frames))[:, None], index]


def _shoot(law: Law, actions: np.ndarray, positions: np.ndarray, size: int) -> Film:
    frames = _pictures(law, positions, size, None)
    return Film(frames, actions, positions, visible(law, positions))


def _pictures(law: Law, positions: np.ndarray, size: int, shown: np.ndarray | None) -> np.ndarray:
    """Frames, one clip after the other to save memory."""
    masks = [None] * len(positions) if shown is None else list(shown)
    clips = [draw(law, p, size, mask) for p, mask in zip(positions, masks, strict=True)]
    return np.stack(clips)
