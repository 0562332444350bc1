"""The thread in which watched agents decide, so that a slow planner holds up no visitor's step."""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from mindseye.core import tree
from mindseye.core.tree import Tree
from mindseye.studio import moments
from mindseye.studio.visits import Auto, Node, Visit


@dataclass
class Decision:
    """A question to an agent, and its answer."""

    visit: Visit
    auto: Auto
    node: Node
    """Whose dream's observation the agent sees."""
    memory: Any
    is_fresh: bool
    """Whether the agent begins here, without memory."""
    action: Tree = None
    why: str = ""
    """It could not decide."""


class Decider:
    """Asks agents, those of the same name and stage together.

    Args:
        answer: Called in this thread with every decision made.
    """

    def __init__(self, answer: Callable[[Decision], None]):
        self.answer = answer
        self._asked: queue.SimpleQueue[Decision | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._live, name="agents", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the decision at hand."""
        self._asked.put(None)
        if self._thread is not None:
            self._thread.join(5.0)

    def ask(self, decision: Decision) -> None:
        """To be answered later."""
        self._asked.put(decision)

    def _live(self) -> None:
        while True:
            asked: list[Decision | None] = [self._asked.get()]
            while not self._asked.empty():
                asked.append(self._asked.get())
            groups: dict[tuple, list[Decision]] = {}
            for decision in asked:
                if decision is None:
                    return
                key = decision.visit.stage_name, decision.auto.agent
                groups.setdefault(key, []).append(decision)
            for decisions in groups.values():
                decide(decisions)
                for decision in decisions:
                    self.answer(decision)


def decide(decisions: Sequence[Decision]) -> None:
    """Let one agent decide for several visits at once."""
    stage = decisions[0].visit.stage
    agent = stage.agents[decisions[0].auto.agent or ""]
    try:
        memories = [agent.initial(1) if d.is_fresh else d.memory for d in decisions]
        seen = tree.stack([d.node.dream.observation for d in decisions])
        actions, memory, _ = agent.act(seen, moments.joined(memories), explore=False)
        for i, decision in enumerate(decisions):
            decision.action = _playable(stage.action_space, tree.take(actions, i))
            decision.memory = moments.row(memory, i)
    except Exception as error:
        if len(decisions) > 1:
            for decision in decisions:
                decide([decision])
            return
        decisions[0].why = f"the agent failed ({type(error).__name__}: {str(error)[:200]})"


def _playable(space: Any, action: Any) -> Tree:
    """An agent's action as a page would have sent it, within bounds."""
    if isinstance(action, str):
        return action
    if isinstance(space, spaces.Discrete):
        return int(action)
    array = np.asarray(action, space.dtype)
    return np.clip(array, space.low, space.high) if isinstance(space, spaces.Box) else array
