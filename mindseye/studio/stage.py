"""What is played: one dream, the world it dreams of, and what may act in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from mindseye.core.protocols import Agent
from mindseye.core.spaces import Words
from mindseye.core.tree import Tree
from mindseye.experience import Replay
from mindseye.worlds import DreamWorld

Shown = np.ndarray | str
"""A picture, uint8 (height, width, 3); a text; or a vector of numbers."""


@dataclass(frozen=True)
class Knob:
    """A number of the dream that a visitor may turn, such as its sampler's steps."""

    name: str
    low: float
    high: float
    step: float
    value: float
    """Where it stands at first."""
    help: str
    apply: Callable[[float], None]
    """Called before a batch is stepped; dreams with other settings are other batches."""


@dataclass(frozen=True)
class Stage:
    """One dream and the world it dreams of.

        stage = Stage(
            "door-key",
            model.observation_space,
            model.action_space,
            dream=lambda rows: DreamWorld(model, rows, starts=..., horizon=1000),
            real=lambda rows: branchable(make("grid/door-key-6x6", rows)),
            draw=drawing(model.observation_space)[0],
        )

    Args:
        title: Shown on the page.
        observation_space, action_space: Of one row of both.
        dream: A dream of so many rows, all of one model.
        real: The real world with snapshots, of so many rows; None: there is only the dream.
        draw: One observation, without a batch axis, as it is shown.
        why_no_real: A sentence for the page where there is only the dream.
        world: Name of the real world, for episodes that are kept.
        model: Name of the model, for episodes that are kept.
        agents: Who may be watched.
        knobs: What may be turned.
        episodes: Recorded ones to start from.
        seed_of: A seed from which the real episode of that number may have begun. It is believed
            only where its recorded observations come out again.
        context: Recorded observations that a dream is shown before it begins, at most.
        saved: Folder for episodes that are kept; None: none are.
        action_names: Of choices, in order.
        number_names: Where numbers are shown, one for each.
        unit: Distance of unrelated observations; see `mindseye.evaluation.distance`.
        parted: Share of it from which dream and reality are said to have parted.
    """

    title: str
    observation_space: gymnasium.Space
    action_space: gymnasium.Space
    dream: Callable[[int], DreamWorld]
    real: Callable[[int], VectorEnv] | None
    draw: Callable[[Tree], Shown]
    why_no_real: str = ""
    world: str = ""
    model: str = "model"
    agents: Mapping[str, Agent] = field(default_factory=dict)
    knobs: Sequence[Knob] = ()
    episodes: Replay | None = None
    seed_of: Callable[[int], int | None] = lambda number: None
    context: int = 16
    saved: Path | None = None
    action_names: Sequence[str] = ()
    number_names: Sequence[str] = ()
    unit: float = 1.0
    parted: float = 0.1


@dataclass(frozen=True)
class Limits:
    """What one visitor, and all of them, may use."""

    visits: int = 64
    """At a time."""
    nodes: int = 4096
    """Moments of one visit."""
    bytes: int = 1 << 30
    """Of all moments of all visits; each visit may use an equal share, at most a quarter."""
    idle_seconds: float = 600.0
    """Until a visit nobody acts in is forgotten."""
    message_bytes: int = 1 << 16
    messages_per_second: float = 60.0
    burst: int = 120
    """Messages that may come at once."""
    inputs: int = 64
    """Inputs of one visit that wait to be stepped."""
    rate: float = 60.0
    """Frames per second of a watched agent, at most."""
    export_frames: int = 600
    """Of a film; the latest."""
    saves: int = 100
    """Episodes that one visit may keep."""

    def told(self) -> dict[str, Any]:
        """For the page."""
        return {
            "nodes": self.nodes,
            "message_bytes": self.message_bytes,
            "messages_per_second": self.messages_per_second,
            "inputs": self.inputs,
            "rate": self.rate,
        }


def action_told(space: gymnasium.Space, names: Sequence[str]) -> dict[str, Any]:
    """How a page offers actions; see `docs/studio.md`."""
    if isinstance(space, Words):
        return {"kind": "words", "max_length": space.max_length}
    if isinstance(space, spaces.Discrete):
        count, first = int(space.n), int(space.start)
        given = list(names) if len(names) == count else []
        return {
            "kind": "discrete",
            "first": first,
            "names": given or [f"action {first + i}" for i in range(count)],
        }
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        many = isinstance(space, spaces.MultiDiscrete)
        sizes = space.nvec if many else np.full(space.shape, 2)
        first = space.start if many else np.zeros(space.shape, np.int64)
        return {
            "kind": "choices",
            "sizes": sizes.reshape(-1).tolist(),
            "first": first.reshape(-1).tolist(),
            "names": _named(names, sizes.size),
        }
    assert isinstance(space, spaces.Box)
    low, high = (np.asarray(x, np.float64).reshape(-1) for x in (space.low, space.high))
    return {
        "kind": "box",
        "low": np.where(np.isfinite(low), low, -1.0).tolist(),
        "high": np.where(np.isfinite(high), high, 1.0).tolist(),
        "names": _named(names, low.size),
    }


def _named(names: Sequence[str], count: int) -> list[str]:
    return list(names) if len(names) == count else [f"part {i}" for i in range(count)]
