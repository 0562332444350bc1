"""What a visitor takes home: an episode among the experience, or a film."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from mindseye.core import tree
from mindseye.core.episode import Episode, Origin
from mindseye.core.errors import DataError, SpecError
from mindseye.core.tree import Tree
from mindseye.experience import Replay
from mindseye.studio.pictures import side_by_side
from mindseye.studio.protocol import batched_actions
from mindseye.studio.stage import Stage
from mindseye.studio.visits import Node, Side, Visit

SIDES = ("dream", "real")


def keep(visit: Visit, side: str) -> dict[str, Any]:
    """Add the way to where the visitor stands to the stage's folder of episodes.

    Returns:
        `path` of the folder and number of the `episode`.

    Raises:
        SpecError: If there is no such side, no way, or no folder.
    """
    stage = visit.stage
    if side not in SIDES:
        raise SpecError(f"save: expected side to be one of {', '.join(SIDES)}")
    if stage.saved is None:
        raise SpecError("save: no folder was named to keep episodes in")
    episode = episode_of(visit, side)
    replay = Replay(stage.saved, stage.observation_space, stage.action_space)
    try:
        number = replay.num_episodes
        replay.add([episode])
    finally:
        replay.close()
    return {"path": str(stage.saved), "episode": number, "steps": len(episode), "side": side}


def episode_of(visit: Visit, side: str) -> Episode:
    """The way from the beginning to where a visitor stands, on one side.

    Raises:
        SpecError: If nothing was done yet, or there is no such side.
    """
    nodes = visit.path(visit.current)
    sides = [side_of(node, side) for node in nodes]
    found = [s for s in sides if s is not None]
    if len(found) < len(sides):
        raise SpecError(f"save: {visit.why_no_real or 'there is no reality here'}")
    # what was done after this side's own end is not part of its episode
    steps = next((i for i, s in enumerate(found) if s.is_over), len(found) - 1)
    if steps == 0:
        raise SpecError("save: nothing was done yet; take a step first")
    found, nodes, last = found[: steps + 1], nodes[: steps + 1], found[steps]
    is_dream = side == "dream"
    return Episode(
        observations=tree.stack([s.observation for s in found]),
        actions=batched_actions(visit.stage.action_space, [n.action for n in nodes[1:]]),
        rewards=np.array([s.reward for s in found[1:]], np.float32),
        terminated=last.terminated,
        truncated=last.truncated or not last.terminated,
        origin=Origin(
            "imagined" if is_dream else "real",
            visit.stage.model if is_dream else visit.stage.world,
            agent=_who(nodes),
        ),
        stop_reason="completed" if last.terminated else "max_steps",
    )


def film_frames(stage: Stage, nodes: Sequence[Node], side: str) -> list[Image.Image]:
    """Pictures of the way to a moment, of the dream, of reality, or of both side by side.

    Raises:
        SpecError: If there is no such side.
        DataError: If this world is not made of pictures.
    """
    if side not in (*SIDES, "both"):
        raise SpecError("export: expected side to be dream, real or both")
    wanted = SIDES if side == "both" else (side,)
    frames = []
    for node in nodes:
        shown = [_picture(stage, side_of(node, s)) if s in wanted else None for s in SIDES]
        frames.append(side_by_side(shown[0], shown[1]))
    return frames


def side_of(node: Node, side: str) -> Side | None:
    """Dream or reality of a moment."""
    return node.dream if side == "dream" else node.real


def _picture(stage: Stage, side: Side | None) -> np.ndarray | None:
    if side is None:
        return None
    shown: Tree = stage.draw(side.observation)
    if isinstance(shown, str) or shown.ndim != 3:
        raise DataError("export: only worlds of pictures become films")
    return shown


def _who(nodes: Sequence[Node]) -> str:
    names = {"visitor" if node.mind is None else node.mind[0] for node in nodes[1:]}
    return "+".join(sorted(names))
