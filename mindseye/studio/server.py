"""The door: pages, the socket, films. Everything behind it happens in the engine's thread."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from fastapi import APIRouter, FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.websockets import WebSocketState

from mindseye.core.errors import ConfigError, DataError, MindseyeError, SpecError
from mindseye.studio import rendering
from mindseye.studio.engine import Engine
from mindseye.studio.guard import Guard, GuardedApp
from mindseye.studio.keeping import film_frames
from mindseye.studio.pictures import can_film, gif, mp4
from mindseye.studio.protocol import counter_in, read_message, text_frame
from mindseye.studio.seats import Haste, SocketSeat

STATIC = Path(__file__).parent / "static"
_CONNECTIONS = 256
_FILM_RATE = 10.0
_RUDE = 200
"""Messages too many in a row after which a page is shown the door."""


def studio_app(engine: Engine | None, guard: Guard, browse: APIRouter | None = None) -> Any:
    """The studio as an ASGI application.

    Args:
        engine: What can be played; None: there are only pages to read.
        guard: Who may come in.
        browse: Further pages, `/` among them.
    """

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        if engine is not None:
            engine.start()
        yield
        if engine is not None:
            await asyncio.to_thread(engine.stop)

    app = FastAPI(
        title="mindseye studio", lifespan=living, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/health")
    def health() -> dict[str, Any]:
        if engine is None:
            return {"is": "well", "visits": 0}
        counts = {
            "visits": len(engine.reception.visits),
            "rounds": engine.rounds,
            "steps": engine.steps,
        }
        return {"is": "well", **counts}

    if engine is not None:
        app.include_router(_play(engine))
    if browse is not None:
        app.include_router(browse)
        app.add_exception_handler(DataError, rendering.apology)
        app.add_exception_handler(404, rendering.no_page)
    elif engine is not None:

        @app.get("/")
        def beginning() -> Response:
            return RedirectResponse("/play")

    return GuardedApp(app, guard)


def _play(engine: Engine) -> APIRouter:
    router, one_at_a_time = APIRouter(), asyncio.Semaphore(1)

    @router.get("/play")
    def page() -> Response:
        path = STATIC / "play.html"
        if path.is_file():
            return FileResponse(path)
        return PlainTextResponse("the play page is not part of this installation", 404)

    @router.get("/play/export/{visit}/{name}")
    async def export(visit: str, name: str, side: str = "both") -> Response:
        node, dot, form = name.partition(".")
        if not (dot and node.isascii() and node.isdigit() and len(node) < 10):
            return PlainTextResponse("export: expected NODE.gif or NODE.mp4", 404)
        if form not in ("gif", "mp4") or (form == "mp4" and not can_film()):
            why = "mp4 needs the package imageio-ffmpeg" if form == "mp4" else "expected .gif"
            return PlainTextResponse(f"export: {why}", 404)
        try:
            found = engine.ask(lambda: engine.reception.film(visit, int(node)))
            stage, way = await asyncio.wrap_future(found)
            async with one_at_a_time:
                film = await asyncio.to_thread(_film, stage, way, side, form)
        except (SpecError, DataError) as error:
            return PlainTextResponse(str(error), 404)
        headers = {"content-disposition": f'attachment; filename="dream-{node}.{form}"'}
        media = "image/gif" if form == "gif" else "video/mp4"
        return Response(film, media_type=media, headers=headers)

    @router.websocket("/play/socket")
    async def play(page: WebSocket) -> None:
        await _serve(engine, page)

    return router


async def _serve(engine: Engine, page: WebSocket) -> None:
    await page.accept()
    seat, haste = SocketSeat(asyncio.get_running_loop()), Haste(engine.limits)

    async def send(what: str | bytes) -> None:
        await (page.send_text(what) if isinstance(what, str) else page.send_bytes(what))

    async def until_first(work: Awaitable[Any], all_of_it: anyio.CancelScope) -> None:
        # the page may go while something is sent to it
        with suppress(WebSocketDisconnect, RuntimeError, OSError):
            await work
        all_of_it.cancel()

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(until_first, _hear(engine, page, seat, haste), group.cancel_scope)
            group.start_soon(until_first, seat.serve(send), group.cancel_scope)
            group.start_soon(until_first, seat.is_lost.wait(), group.cancel_scope)
    finally:
        engine.leave(seat)
    if page.client_state is page.application_state is WebSocketState.CONNECTED:
        await page.close(1008)


async def _hear(engine: Engine, page: WebSocket, seat: SocketSeat, haste: Haste) -> None:
    while True:
        event = await page.receive()
        if event["type"] == "websocket.disconnect":
            return
        text = event.get("text")
        try:
            if not haste.allows():
                if haste.refused > _RUDE:
                    return
                raise SpecError(
                    f"too fast: at most {haste.rate:g} messages a second; this one was not taken"
                )
            if text is None:
                raise SpecError("message: expected text, got bytes")
            message = read_message(text, engine.limits.message_bytes)
        except MindseyeError as error:
            seat.tell(_refusal(text, str(error)))
            continue
        engine.hear(seat, message)


def _refusal(text: str | None, why: str) -> str:
    """An error that echoes the message's own number where that can be read."""
    told = {"is": "error", "n": counter_in(text or ""), "what": why, "fatal": False}
    return text_frame(told)


def _film(stage: Any, nodes: Any, side: str, form: str) -> bytes:
    frames = film_frames(stage, nodes, side)
    return gif(frames, _FILM_RATE) if form == "gif" else mp4(frames, _FILM_RATE)


def serve(
    app: Any,
    host: str,
    port: int,
    *,
    message_bytes: int = 1 << 16,
    on_ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve until stopped.

    Args:
        port: 0 takes any that is free.
        message_bytes: Of one message of a page; longer ones end the connection.
        on_ready: Called with the port once connections are taken.

    Raises:
        ConfigError: If the address cannot be had.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=message_bytes,
        ws_per_message_deflate=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=2,
    )
    door = _bound(host, port)
    server = _Server(config)
    server.on_ready = lambda: on_ready(door.getsockname()[1])
    server.run(sockets=[door])


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        cause = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"studio: cannot listen on {host} port {port} ({cause}); choose another --port, 0 takes"
            " any that is free"
        ) from error


class _Server(uvicorn.Server):
    on_ready: Callable[[], None]

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()
