"""Who is here: visits that begin, go on elsewhere, are left, and are forgotten."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from mindseye.core.errors import SpecError
from mindseye.studio import protocol
from mindseye.studio.stage import Limits, Stage
from mindseye.studio.visits import Node, Visit
from mindseye.studio.worlds import Company


class Seat(Protocol):
    """Where a page sits: takes what it is told, from any thread."""

    def tell(self, what: str | bytes, entry: dict | None = None) -> None:
        """Send; with an entry of the tree it may be replaced by a later one of this kind."""
        ...

    def end(self) -> None:
        """Close, once everything told was sent."""
        ...


class Reception:
    """All visits, and the pages that watch them. Lives in the engine's thread.

    Args:
        stages: What can be played, by name; the first is the default.
        limits: Of visits and bytes.
    """

    def __init__(self, stages: Mapping[str, Stage], limits: Limits):
        self.stages, self.limits = stages, limits
        self.visits: dict[str, Visit] = {}
        self._seats: dict[int, Visit] = {}
        self._companies: dict[str, Company] = {}

    def company(self, name: str) -> Company:
        """Dream and reality of a stage."""
        if name not in self._companies:
            self._companies[name] = Company(self.stages[name])
        return self._companies[name]

    def share(self) -> int:
        """Bytes that one visit may hold now."""
        return self.limits.bytes // max(4, len(self.visits))

    def visit_at(self, seat: Seat) -> Visit:
        """What is watched there.

        Raises:
            SpecError: If nothing is.
        """
        visit = self._seats.get(id(seat))
        if visit is None:
            raise SpecError("open a visit first")
        return visit

    def open(self, seat: Seat, message: dict[str, Any]) -> Visit:
        """A visit for a page: the one it names, if that is known, or else a new one.

        Raises:
            SpecError: If there is no such stage or start, or no place.
        """
        asked = message.get("visit")
        if asked is not None:
            visit = self.visits.get(protocol.name_of(message, "visit"))
            if visit is not None:
                self._sit(seat, visit)
                return visit
            seat.tell(error_frame(protocol.counter(message), "this visit is no longer known"))
        name = message.get("stage")
        name = next(iter(self.stages)) if name is None else protocol.name_of(message, "stage")
        if name not in self.stages:
            raise SpecError(f"open: there is no stage {name!r}; there are {', '.join(self.stages)}")
        seed = 0 if message.get("seed") is None else protocol.whole(message, "seed", 0, 1 << 31)
        visit = Visit(name, self.stages[name], seed)
        self._begin(visit, message.get("start"))
        before = self._seats.get(id(seat))
        if before is not None:
            # who begins anew at the same page leaves nothing behind
            self.visits.pop(before.id, None)
            before.seat = None
        elif len(self.visits) >= self.limits.visits:
            self._make_room()
        self.visits[visit.id] = visit
        self._sit(seat, visit)
        return visit

    def _begin(self, visit: Visit, start: Any) -> None:
        company = self.company(visit.stage_name)
        if start is None:
            dream, real = company.begin(visit.seed)
        else:
            if not isinstance(start, dict):
                raise SpecError("start: expected an episode and a step")
            number = protocol.whole(start, "episode", 0, 1 << 31)
            step = protocol.whole(start, "step", 0, 1 << 31)
            visit.start = {"episode": number, "step": step}
            dream, real, visit.why_no_real = company.begin_at(number, step, visit.seed)
        visit.add(Node(0, None, None, 0, dream, real, company.apart([dream], [real])[0], None))

    def _make_room(self) -> None:
        """Let the visit go that nobody watches and that was left first.

        Raises:
            SpecError: If all are watched.
        """
        left = [visit for visit in self.visits.values() if visit.seat is None]
        if not left:
            raise SpecError(f"all {self.limits.visits} places are taken; come back later")
        del self.visits[min(left, key=lambda visit: visit.last_active).id]

    def _sit(self, seat: Seat, visit: Visit) -> None:
        if visit.seat is not None and visit.seat is not seat:
            visit.seat.tell(error_frame(None, "this visit goes on in another window", fatal=True))
            self._seats.pop(id(visit.seat), None)
            visit.seat.end()
        before = self._seats.get(id(seat))
        if before is not None and before is not visit:
            before.seat = None
        visit.seat, visit.last_active = seat, time.monotonic()
        self._seats[id(seat)] = visit

    def leave(self, seat: Seat) -> None:
        """A page has gone; its visit waits for it."""
        visit = self._seats.pop(id(seat), None)
        if visit is not None and visit.seat is seat:
            visit.seat = visit.auto = None
            visit.last_active = time.monotonic()

    def tidy(self) -> None:
        """Forget visits in which nothing has happened for long."""
        now = time.monotonic()
        for visit in list(self.visits.values()):
            if now - visit.last_active > self.limits.idle_seconds:
                del self.visits[visit.id]
                if visit.seat is not None:
                    why = f"nothing happened for {self.limits.idle_seconds:g} s; the visit is over"
                    visit.seat.tell(error_frame(None, why, fatal=True))
                    self._seats.pop(id(visit.seat), None)
                    visit.seat.end()

    def film(self, visit_id: str, node_id: int) -> tuple[Stage, list[Node]]:
        """The way to a moment.

        Raises:
            SpecError: If there is no such visit or moment.
        """
        visit = self.visits.get(visit_id)
        if visit is None or node_id not in visit.nodes:
            raise SpecError("export: there is no such visit or moment")
        return visit.stage, visit.path(node_id)[-self.limits.export_frames :]


def error_frame(n: int | None, what: str, *, fatal: bool = False) -> str:
    """A sentence for a page, as it is sent."""
    return protocol.text_frame({"is": "error", "n": n, "what": what, "fatal": fatal})
