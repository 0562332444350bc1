"""Watching an agent: whose turn it is, what was decided, and at what pace."""

import time
from collections.abc import Callable
from typing import Any

from mindseye.core.errors import SpecError
from mindseye.studio import protocol
from mindseye.studio.deciding import Decider, Decision
from mindseye.studio.stage import Limits
from mindseye.studio.stepping import Going, reason
from mindseye.studio.visits import Auto, Visit


class Watching:
    """Agents that act in visits by themselves. Lives in the engine's thread.

    Args:
        limits: Of the pace.
        step: Takes an action where a visitor stands; None if that needs no model.
        tell: Sends a message to a visit's page.
        post: Lets something be done in the engine's thread.
    """

    def __init__(
        self,
        limits: Limits,
        step: Callable[[Visit, Any, int | None], Going | None],
        tell: Callable[[Visit, dict[str, Any]], None],
        post: Callable[[Callable[[], None]], None],
    ):
        self.limits, self.step, self.tell, self.post = limits, step, tell, post
        self.decider = Decider(self._decided)

    def begin(self, visit: Visit, message: dict[str, Any]) -> None:
        """Start or stop, as a page asks.

        Raises:
            SpecError: If there is no such agent, action or pace.
        """
        if message.get("on") is not True:
            self.stop(visit, "stopped")
            return
        agent, action = message.get("agent"), None
        rate = protocol.real_number(message, "rate", 0.1, self.limits.rate)
        if agent is None:
            if message.get("action") is None:
                raise SpecError("auto: expected an agent, or an action to hold")
            action = protocol.read_action(visit.stage.action_space, message["action"])
        elif protocol.name_of(message, "agent") not in visit.stage.agents:
            raise SpecError(f"auto: no such agent; there are {', '.join(visit.stage.agents)}")
        visit.auto = Auto(agent, action, rate, time.monotonic())
        self._told(visit, visit.auto, "")

    def due(self, visit: Visit) -> Going | None:
        """The step of a watched agent, if one is due and decided."""
        auto, here = visit.auto, visit.here
        if auto is None or auto.is_waiting or time.monotonic() < auto.due:
            return None
        if here.is_over:
            self.stop(visit, "the episode is over")
            return None
        if auto.agent is None:
            return self._paced(visit, auto, auto.action, None)
        ready, auto.ready = auto.ready, None
        if ready is not None and ready.node is here:
            return self._paced(visit, auto, ready.action, (auto.agent, ready.memory))
        auto.is_waiting = True
        remembers = here.mind is not None and here.mind[0] == auto.agent
        memory = here.mind[1] if here.mind is not None and remembers else None
        self.decider.ask(Decision(visit, auto, here, memory, is_fresh=not remembers))
        return None

    def _paced(self, visit: Visit, auto: Auto, action: Any, mind: Any) -> Going | None:
        # where a page or a planner cannot keep up there are fewer frames, not a burst of late ones
        auto.due = max(auto.due + 1 / auto.rate, time.monotonic())
        try:
            going = self.step(visit, action, None)
        except Exception as error:
            self.stop(visit, reason(error))
            return None
        if going is None:
            visit.here.mind = mind
            return None
        going.mind, going.is_automatic = mind, True
        return going

    def _decided(self, decision: Decision) -> None:
        self.post(lambda: self._heed(decision))

    def _heed(self, decision: Decision) -> None:
        auto = decision.auto
        auto.is_waiting = False
        if decision.visit.auto is not auto:
            return
        if decision.why:
            self.stop(decision.visit, decision.why)
        else:
            auto.ready = decision

    def stop(self, visit: Visit, why: str) -> None:
        """Stop, if somebody is watched, and say why."""
        if visit.auto is not None:
            stopped, visit.auto = visit.auto, None
            self._told(visit, stopped, why)

    def _told(self, visit: Visit, auto: Auto, why: str) -> None:
        on = visit.auto is auto
        told = {"is": "auto", "on": on, "agent": auto.agent, "rate": auto.rate, "why": why or None}
        self.tell(visit, told)
