"""The one thread in which all visits live: it gathers inputs, steps them together, tells pages.

Nothing else touches a visit, so there is nothing to lock but the inbox. Inputs are kept in order
and never dropped: what cannot be done is refused with a sentence. Frames of a watched agent that a
slow page cannot take are left out on the way to it (`seats.py`).
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from mindseye.core.errors import SpecError
from mindseye.studio import protocol, telling
from mindseye.studio.keeping import keep
from mindseye.studio.reception import Reception, Seat, error_frame
from mindseye.studio.stage import Limits, Stage
from mindseye.studio.stepping import Going, reason, step_together
from mindseye.studio.visits import Node, Visit, action_key
from mindseye.studio.watching import Watching

_LOG = logging.getLogger(__name__)
_TICK = 1.0
"""Seconds after which idle visits are looked for."""


class Engine:
    """Visits, and the thread that steps them.

    Args:
        stages: What can be played, by name; the first is the default.
        limits: Of visits, moments, bytes and inputs.
    """

    def __init__(self, stages: Mapping[str, Stage], limits: Limits | None = None):
        if not stages:
            raise SpecError("studio: expected a stage to play on, got none")
        self.stages, self.limits = stages, limits or Limits()
        self.reception = Reception(stages, self.limits)
        self.rounds = self.steps = 0
        """Batches stepped, and inputs in them."""
        self._inbox: deque[Callable[[], None]] = deque()
        self._awake = threading.Condition()
        self._ends = False
        self._thread: threading.Thread | None = None
        self._watching = Watching(self.limits, self._step, self._tell, self._post)
        self._tidied = time.monotonic()

    # ---- from other threads --------------------------------------------------------------------

    def start(self) -> None:
        """Begin to step."""
        self._ends = False
        self._thread = threading.Thread(target=self._live, name="studio", daemon=True)
        self._thread.start()
        self._watching.decider.start()

    def stop(self) -> None:
        """End both threads."""
        with self._awake:
            self._ends = True
            self._awake.notify()
        if self._thread is not None:
            self._thread.join(5.0)
        self._watching.decider.stop()

    def hear(self, seat: Seat, message: dict[str, Any]) -> None:
        """A page's message, of right form."""
        self._post(lambda: self._hear(seat, message))

    def leave(self, seat: Seat) -> None:
        """A page has gone; its visit waits for it."""
        self._post(lambda: self.reception.leave(seat))

    def ask(self, question: Callable[[], Any]) -> Future:
        """Anything asked in the engine's own thread, such as `lambda: engine.film(...)`."""
        answer: Future = Future()

        def work() -> None:
            try:
                answer.set_result(question())
            except Exception as error:
                answer.set_exception(error)

        self._post(work)
        return answer

    def _post(self, work: Callable[[], None]) -> None:
        with self._awake:
            self._inbox.append(work)
            self._awake.notify()

    # ---- the thread ----------------------------------------------------------------------------

    def _live(self) -> None:
        while True:
            with self._awake:
                if not self._inbox and not self._ends:
                    self._awake.wait(self._patience())
                if self._ends:
                    return
            try:
                self.turn()
            except Exception:
                _LOG.exception("a turn failed; the studio goes on")

    def turn(self) -> None:
        """Do what was asked so far, and one step of every visit that wants one."""
        with self._awake:
            work, self._inbox = self._inbox, deque()
        for item in work:
            item()
        self._round()
        if time.monotonic() - self._tidied > _TICK:
            self._tidied = time.monotonic()
            self.reception.tidy()

    def _patience(self) -> float:
        """Seconds until something is due by itself."""
        if any(visit.inputs for visit in self.reception.visits.values()):
            return 0.0
        autos = [v.auto for v in self.reception.visits.values() if v.auto and not v.auto.is_waiting]
        due = min((auto.due for auto in autos), default=float("inf"))
        return max(0.0, min(due - time.monotonic(), _TICK))

    def _round(self) -> None:
        going = [
            step for visit in list(self.reception.visits.values()) if (step := self._next(visit))
        ]
        if not going:
            return
        self.rounds += 1
        self.steps += len(going)
        for step, found in step_together(going, self.reception.company):
            try:
                self._arrive(step, found)
            except Exception as error:
                self._refuse(step.visit, {"n": step.n}, reason(error))

    def _next(self, visit: Visit) -> Going | None:
        """The step a visit takes in this round; what needs no step is done at once."""
        while visit.inputs:
            message = visit.inputs.popleft()
            try:
                step = self._do(visit, message)
            except Exception as error:
                self._refuse(visit, message, reason(error))
                continue
            if step is not None:
                return step
        return self._watching.due(visit)

    def _do(self, visit: Visit, message: dict[str, Any]) -> Going | None:
        n = protocol.counter(message)
        match message["do"]:
            case "step":
                action = protocol.read_action(visit.stage.action_space, message.get("action"))
                return self._step(visit, action, n)
            case "go":
                node = protocol.whole(message, "node", 0, 1 << 53)
                if node not in visit.nodes:
                    raise SpecError(f"go: there is no moment {node}; it may have been dropped")
                self._watching.stop(visit, "you went elsewhere")
                visit.current = node
                self._show(visit, visit.here, n)
            case "auto":
                self._watching.begin(visit, message)
            case "knob":
                self._turn(visit, message)
            case "save":
                if visit.saves >= self.limits.saves:
                    raise SpecError(f"save: this visit has kept {visit.saves} episodes; enough")
                told = keep(visit, protocol.name_of(message, "side"))
                visit.saves += 1
                self._tell(visit, {"is": "saved", "n": n, **told})
        return None

    def _step(self, visit: Visit, action: Any, n: int | None) -> Going | None:
        here = visit.here
        known = here.children.get(action_key(action))
        if known is not None:
            visit.current = known
            self._show(visit, visit.here, n)
            return None
        if here.is_over:
            raise SpecError("step: the episode is over here; go back, or begin again")
        if here.dream.moment is None:
            raise SpecError("step: this moment was let go to save memory; go on from a later one")
        visit.require_room(self.limits.nodes, self.reception.share())
        return Going(visit, here, action, n)

    def _arrive(self, step: Going, found: Node | str) -> None:
        visit = step.visit
        if isinstance(found, str):
            self._watching.stop(visit, found)
            self._refuse(visit, {"n": step.n}, found)
            return
        visit.add(found)
        self._show(visit, found, step.n, took=step.took, is_skippable=step.is_automatic)
        dropped, faded = visit.shrink(self.limits.nodes, self.reception.share())
        if dropped or faded:
            self._tell(visit, {"is": "dropped", "nodes": dropped, "faded": faded})

    def _turn(self, visit: Visit, message: dict[str, Any]) -> None:
        name = protocol.name_of(message, "name")
        knob = next((k for k in visit.stage.knobs if k.name == name), None)
        if knob is None:
            raise SpecError(f"knob: there is no {name!r}")
        visit.knobs[name] = protocol.real_number(message, "value", knob.low, knob.high)
        told = {"is": "knob", "name": name, "value": visit.knobs[name]}
        self._tell(visit, {**told, "n": protocol.counter(message)})

    # ---- coming and going ----------------------------------------------------------------------

    def _hear(self, seat: Seat, message: dict[str, Any]) -> None:
        n = protocol.counter(message)
        try:
            if message["do"] == "open":
                self._greet(self.reception.open(seat, message), n)
                return
            visit = self.reception.visit_at(seat)
            visit.last_active = time.monotonic()
            if len(visit.inputs) >= self.limits.inputs:
                raise SpecError(
                    f"too fast: {self.limits.inputs} inputs wait already; this one was not taken"
                )
            visit.inputs.append(message)
        except Exception as error:
            seat.tell(error_frame(n, reason(error)))

    def _greet(self, visit: Visit, n: int | None) -> None:
        self._tell(visit, {**telling.hello(visit, self.stages, self.limits), "n": n})
        self._tell(visit, telling.tree_of(visit.nodes.values()))
        self._show(visit, visit.here, n)

    # ---- telling -------------------------------------------------------------------------------

    def _show(
        self,
        visit: Visit,
        node: Node,
        n: int | None,
        *,
        took: float = 0.0,
        is_skippable: bool = False,
    ) -> None:
        if visit.seat is not None:
            frame = telling.moment(visit, node, n=n, took=took)
            visit.seat.tell(frame, node.entry() if is_skippable else None)

    def _tell(self, visit: Visit, message: dict[str, Any]) -> None:
        if visit.seat is not None:
            visit.seat.tell(protocol.text_frame(message))

    def _refuse(self, visit: Visit, message: Mapping[str, Any], why: str) -> None:
        if visit.seat is not None:
            visit.seat.tell(error_frame(protocol.counter(message), why))
