"""Where a page sits: a queue from the engine's thread to one socket, and a measure of its haste."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from mindseye.studio.protocol import text_frame
from mindseye.studio.stage import Limits

_MOST_WAITING = 512
"""Messages that may wait for a page; one that does not read at all is shown the door."""


class SocketSeat:
    """Messages for one page. Frames of watched agents give way to later ones, nothing else does.

    Args:
        loop: Of the server.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self.left_out = 0
        """Frames that gave way."""
        self.is_lost = asyncio.Event()
        """Set for a page that does not read."""
        self._waiting: deque[tuple[str | bytes, dict | None]] = deque()
        self._entries: list[dict] = []
        self._there = asyncio.Event()
        self._ends = False

    def tell(self, what: str | bytes, entry: dict | None = None) -> None:
        """From any thread; with an entry of the tree the message may give way to a later one."""
        if not self._ends:
            self._call(self._put, what, entry)

    def end(self) -> None:
        """Close, once everything told was sent."""
        self._call(self._stop)

    async def serve(self, send: Callable[[str | bytes], Awaitable[Any]]) -> None:
        """Send what is told until the end."""
        while True:
            await self._there.wait()
            while self._waiting:
                what, _ = self._waiting.popleft()
                if self._entries:
                    entries, self._entries = self._entries, []
                    await send(text_frame({"is": "tree", "nodes": entries}))
                await send(what)
            self._there.clear()
            if self._ends:
                return

    def _call(self, work: Callable, *arguments: Any) -> None:
        try:
            self.loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:
            # the server has ended, and with it the page
            self._ends = True

    def _put(self, what: str | bytes, entry: dict | None) -> None:
        if self.is_lost.is_set():
            return
        if entry is not None and self._waiting and self._waiting[-1][1] is not None:
            self._entries.append(self._waiting.pop()[1] or {})
            self.left_out += 1
        self._waiting.append((what, entry))
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.clear()
            self._ends = True
            self.is_lost.set()
        self._there.set()

    def _stop(self) -> None:
        self._ends = True
        self._there.set()


class Haste:
    """How many messages a page may still send: a bucket that fills as time passes."""

    def __init__(self, limits: Limits):
        self.rate, self.size = limits.messages_per_second, float(limits.burst)
        self._left, self._at = self.size, time.monotonic()
        self.refused = 0
        """In a row."""

    def allows(self) -> bool:
        """Whether one more may come now."""
        now = time.monotonic()
        self._left = min(self.size, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        self.refused = 0
        return True
