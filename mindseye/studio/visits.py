"""A visit: everything one visitor has seen, as a tree of what-ifs, within bounds."""

import json
import secrets
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mindseye.core.errors import SpecError
from mindseye.core.tree import Tree, map_tree
from mindseye.studio import moments
from mindseye.studio.protocol import action_sent, finite
from mindseye.studio.stage import Stage

_NODE_BYTES = 1024


@dataclass(frozen=True)
class Side:
    """The dream, or reality, at one moment."""

    moment: Any
    """To go on from here; None once it was let go."""
    observation: Tree
    """Without a batch axis."""
    reward: float = 0.0
    total: float = 0.0
    continuation: float | None = None
    """Predicted probability of going on; None where nothing is predicted."""
    terminated: bool = False
    truncated: bool = False
    uncertainty: float | None = None
    bytes: int = 0
    """Of moment and observation, about."""

    @property
    def is_over(self) -> bool:
        """Whether the episode ended here or before."""
        return self.terminated or self.truncated


@dataclass
class Node:
    """One moment of a visit, reached from its parent by an action."""

    id: int
    parent: int | None
    action: Tree
    step: int
    dream: Side
    real: Side | None
    apart: float | None
    parted: int | None
    """First moment on the way here at which dream and reality had parted."""
    mind: tuple[str, Any] | None = None
    """Name and memory of the agent that came here."""
    children: dict[str, int] = field(default_factory=dict)
    bytes: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing can follow: neither side goes on."""
        return self.dream.is_over and (self.real is None or self.real.is_over)

    def entry(self) -> dict[str, Any]:
        """As the page's tree lists it."""
        return {
            "node": self.id,
            "parent": self.parent,
            "action": action_sent(self.action),
            "step": self.step,
            "reward": {
                "dream": finite(self.dream.reward),
                "real": None if self.real is None else finite(self.real.reward),
            },
            "apart": finite(self.apart),
            "over": self.is_over,
        }


@dataclass
class Auto:
    """An agent that is watched, or an action that is held."""

    agent: str | None
    action: Tree
    rate: float
    due: float
    is_waiting: bool = False
    """For the agent's decision."""
    ready: Any = None
    """That decision."""


class Visit:
    """What one visitor has seen and where they stand. Only the engine's thread touches it.

    Args:
        stage_name, stage: What is played.
        seed: Of the real start.
    """

    def __init__(self, stage_name: str, stage: Stage, seed: int):
        self.id = secrets.token_urlsafe(12)
        self.stage_name, self.stage, self.seed = stage_name, stage, seed
        self.start: dict[str, int] | None = None
        self.why_no_real = stage.why_no_real
        self.nodes: dict[int, Node] = {}
        self.current = 0
        self.next_id = 0
        self.bytes = 0
        self.knobs = {knob.name: knob.value for knob in stage.knobs}
        self.inputs: deque[dict[str, Any]] = deque()
        self.auto: Auto | None = None
        self.seat: Any = None
        """The connection that watches, if any."""
        self.last_active = time.monotonic()
        self.saves = 0

    @property
    def here(self) -> Node:
        """Where the visitor stands."""
        return self.nodes[self.current]

    def add(self, node: Node) -> None:
        """Hang a node into the tree, and stand on it."""
        node.bytes = _weight(node)
        self.nodes[node.id] = node
        self.bytes += node.bytes
        if node.parent is not None:
            self.nodes[node.parent].children[action_key(node.action)] = node.id
        self.current = node.id
        self.next_id = max(self.next_id, node.id + 1)

    def path(self, node_id: int) -> list[Node]:
        """From the beginning to a node."""
        found = []
        at: int | None = node_id
        while at is not None:
            node = self.nodes[at]
            found.append(node)
            at = node.parent
        return found[::-1]

    def shrink(self, max_nodes: int, max_bytes: int) -> tuple[list[int], list[int]]:
        """Keep within bounds.

        First the oldest leaves that are not on the way here are dropped. If that is not enough, the
        oldest moments are let go: they can be looked at, but nothing can follow them.

        Returns:
            Ids dropped, and ids let go.
        """
        if len(self.nodes) <= max_nodes and self.bytes <= max_bytes:
            return [], []
        dropped, faded = [], []
        on_path = {node.id for node in self.path(self.current)}
        while len(self.nodes) > max_nodes or self.bytes > max_bytes:
            leaf = next((n for n in self._leaves() if n.id not in on_path), None)
            if leaf is None:
                break
            self._drop(leaf)
            dropped.append(leaf.id)
        for node in list(self.nodes.values()):
            if self.bytes <= max_bytes:
                break
            if node.id != self.current and node.dream.moment is not None:
                self._fade(node)
                faded.append(node.id)
        return dropped, faded

    def require_room(self, max_nodes: int, max_bytes: int) -> None:
        """Refuse to go on where bounds could not be kept.

        Raises:
            SpecError: Then.
        """
        if self.here.step + 1 >= max_nodes or self.bytes > max_bytes:
            raise SpecError(
                f"this visit is full ({len(self.nodes)} moments, {self.bytes >> 20} MiB);"
                " begin again, or go back and try something else"
            )

    def _leaves(self) -> Iterator[Node]:
        return (node for node in self.nodes.values() if not node.children)

    def _drop(self, node: Node) -> None:
        del self.nodes[node.id]
        self.bytes -= node.bytes
        if node.parent is not None:
            self.nodes[node.parent].children.pop(action_key(node.action), None)

    def _fade(self, node: Node) -> None:
        self.bytes -= node.bytes
        node.dream = _without_moment(node.dream)
        node.real = None if node.real is None else _without_moment(node.real)
        node.mind = None
        node.bytes = _weight(node)
        self.bytes += node.bytes


def action_key(action: Tree) -> str:
    """Equal for equal actions."""
    return str(action) if isinstance(action, int) else json.dumps(action_sent(action))


def copied(observation: Tree) -> Tree:
    """An observation that shares memory with nothing."""
    return map_tree(lambda leaf: leaf if isinstance(leaf, str) else np.array(leaf), observation)


def _without_moment(side: Side) -> Side:
    return replace(side, moment=None, bytes=moments.weight(side.observation))


def _weight(node: Node) -> int:
    sides = [side for side in (node.dream, node.real) if side is not None]
    mind = 0 if node.mind is None else moments.weight(node.mind[1])
    return _NODE_BYTES + sum(side.bytes for side in sides) + mind + moments.weight(node.action)
