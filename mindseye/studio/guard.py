"""Who may come in: hosts, origins, a token; and what every answer says to browsers.

Against pages of other sites that make a browser speak to us (cross-site sockets, rebound names),
and, where the studio is open to a network, against everybody without the token.
"""

import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

COOKIE = "mindseye_token"
_LOOPBACK_NAMES = ("localhost",)
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": CONTENT_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound there."""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Guard:
    """What is asked of every request.

    Args:
        host: The server is bound to.
        token: Asked of everybody; "" asks nobody, which only a loopback host allows.
    """

    host: str
    token: str = ""

    @classmethod
    def of(cls, host: str) -> "Guard":
        """With a new token where the network can reach the host."""
        return cls(host, "" if is_loopback(host) else secrets.token_urlsafe(24))

    def knows_host(self, given: str) -> bool:
        """Whether a Host header names this server, and not a name rebound to its address."""
        try:
            name = urlsplit(f"//{given}").hostname or ""
        except ValueError:
            return False
        if is_loopback(name):
            return True
        if is_loopback(self.host):
            return False
        return name in (self.host, socket.gethostname().lower()) or _is_address(name)

    def knows_origin(self, origin: str | None, host: str) -> bool:
        """Whether a page of ours is speaking; who is no browser names no origin."""
        if origin is None:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()

    def knows_token(self, given: str | None) -> bool:
        """Whether the token is right, in constant time."""
        return not self.token or hmac.compare_digest((given or "").encode(), self.token.encode())


class GuardedApp:
    """An ASGI application behind a guard.

    Args:
        app: What is guarded.
        guard: Asked first.
    """

    def __init__(self, app: Any, guard: Guard):
        self.app, self.guard = app, guard

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let in, or say why not."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}
        host = headers.get(b"host", "")
        asked = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        is_socket = scope["type"] == "websocket"
        if not self.guard.knows_host(host):
            await _refuse(scope, send, 421, "this server is not known by that name")
            return
        changes = is_socket or scope.get("method") not in ("GET", "HEAD")
        if changes and not self.guard.knows_origin(headers.get(b"origin"), host):
            await _refuse(scope, send, 403, "another site may not speak to the studio")
            return
        shown = asked.get("token") or _cookie(headers.get(b"cookie", ""))
        if not self.guard.knows_token(shown):
            await _refuse(scope, send, 401, "open the address with ?token= that was printed")
            return
        if self.guard.token and "token" in asked and not is_socket:
            await self._welcome(scope, asked, send)
            return
        await self.app(scope, receive, _with_headers(send))

    async def _welcome(self, scope: Any, asked: dict, send: Any) -> None:
        """Keep the token in a cookie, out of the address and of the history."""
        rest = urlencode({k: v for k, v in asked.items() if k != "token"})
        # one slash alone: two would name another server
        place = "/" + scope["path"].lstrip("/\\")
        cookie = f"{COOKIE}={self.guard.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = [
            (b"location", (place + (f"?{rest}" if rest else "")).encode("latin-1", "ignore")),
            (b"set-cookie", cookie.encode()),
        ]
        send = _with_headers(send)
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _with_headers(send: Any) -> Any:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", ())}
            more = [(k, v) for k, v in _HEADERS.items() if k not in given]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending


async def _refuse(scope: Any, send: Any, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    send = _with_headers(send)
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{why}\n".encode()})


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
