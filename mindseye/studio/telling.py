"""What the page is told of a moment, a visit, a stage."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mindseye.core.spaces import Words, commands
from mindseye.studio.pictures import can_film, png
from mindseye.studio.protocol import action_sent, finite, moment_frame
from mindseye.studio.stage import Limits, Stage, action_told
from mindseye.studio.visits import Node, Side, Visit

_MOST_EPISODES = 500
"""Listed to start from; the newest."""


def hello(visit: Visit, stages: Iterable[str], limits: Limits) -> dict[str, Any]:
    """The first message of a visit: everything that does not change."""
    stage, node = visit.stage, visit.nodes[min(visit.nodes)]
    shown = stage.draw(node.dream.observation)
    kind = "text" if isinstance(shown, str) else "picture" if shown.ndim == 3 else "numbers"
    space = stage.action_space
    return {
        "is": "hello",
        "visit": visit.id,
        "seed": visit.seed,
        "start": visit.start,
        "title": stage.title,
        "stage": visit.stage_name,
        "stages": list(stages),
        "kind": kind,
        "numbers": list(stage.number_names) if kind == "numbers" else None,
        "action": action_told(space, stage.action_names),
        "agents": list(stage.agents),
        "knobs": [_knob(k, visit.knobs) for k in stage.knobs],
        "has_real": node.real is not None,
        "why_no_real": None if node.real is not None else visit.why_no_real,
        "starts": _starts(stage),
        "can_save": stage.saved is not None,
        "films": ["gif", "mp4"] if can_film() else ["gif"],
        "limits": limits.told(),
    }


def moment(visit: Visit, node: Node, *, n: int | None = None, took: float = 0.0) -> bytes:
    """A moment with its pictures."""
    stage = visit.stage
    pictures: list[bytes] = []
    dream = _side(stage, node.dream, pictures)
    real = None if node.real is None else _side(stage, node.real, pictures)
    message = {
        "is": "moment",
        "n": n,
        "node": node.id,
        "parent": node.parent,
        "action": action_sent(node.action),
        "step": node.step,
        "current": node.id == visit.current,
        "over": node.is_over,
        "dream": dream,
        "real": real,
        "apart": finite(node.apart),
        "parted": node.parted,
        "took": round(took, 2),
    }
    return moment_frame(message, pictures)


def tree_of(nodes: Iterable[Node]) -> dict[str, Any]:
    """Entries of nodes for the page's tree."""
    return {"is": "tree", "nodes": [node.entry() for node in nodes]}


def _side(stage: Stage, side: Side, pictures: list[bytes]) -> dict[str, Any]:
    shown = stage.draw(side.observation)
    told: dict[str, Any] = {
        "reward": finite(side.reward),
        "total": finite(side.total),
        "continuation": finite(side.continuation),
        "terminated": side.terminated,
        "truncated": side.truncated,
        "uncertainty": finite(side.uncertainty),
        "text": None,
        "numbers": None,
        "commands": None,
        "picture": 0,
    }
    if isinstance(shown, str):
        told["text"] = shown
        if isinstance(stage.action_space, Words):
            told["commands"] = commands(shown)
    elif shown.ndim == 1:
        told["numbers"] = [finite(float(x)) for x in shown]
    else:
        pictures.append(png(np.ascontiguousarray(shown)))
        told["picture"] = len(pictures[-1])
    return told


def _knob(knob: Any, values: Mapping[str, float]) -> dict[str, Any]:
    told = {name: getattr(knob, name) for name in ("name", "low", "high", "step", "help")}
    return {**told, "value": values[knob.name]}


def _starts(stage: Stage) -> dict[str, Any] | None:
    replay = stage.episodes
    if replay is None or not replay.num_episodes:
        return None
    listed = list(enumerate(replay.lengths.tolist()))[-_MOST_EPISODES:]
    return {"episodes": [{"id": number, "length": steps} for number, steps in listed if steps]}
