"""The studio under load: many visitors step one small dream over real sockets on loopback.

The server runs in a process of its own, as `mindseye play` runs it; the visitors share another. So
the figure includes the cost of the visitors themselves where cores are few.
"""

import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from mindseye.core.errors import WorldError
from mindseye.models.world.latent import LatentWorldModel
from mindseye.models.world.sizes import SIZES
from mindseye.studio import Stage
from mindseye.studio.engine import Engine
from mindseye.studio.guard import Guard
from mindseye.studio.pictures import drawing
from mindseye.studio.stage import Limits
from mindseye.worlds import DreamWorld, branchable, make

WORLD = "grid/door-key-6x6"
_STARTS_WITHIN = 120.0
_LATE = 30.0


@dataclass(frozen=True)
class Load:
    """What the visitors found."""

    visitors: int
    asked: float
    """Frames per second of one visitor."""
    seconds: float
    steps: int
    rate: float
    """Frames per second of one visitor, in truth."""
    p50: float
    """Milliseconds from sending an action to having its moment with both pictures."""
    p95: float
    worst: float
    batch: float
    """Steps per batch of the model, on average."""
    kilobytes: float
    """Of one moment."""


def load(
    *, visitors: int = 50, rate: float = 10.0, seconds: float = 10.0, size: str = "small"
) -> Load:
    """Let visitors step a dream of 64x64 pictures and the real world beside it.

    Args:
        rate: Actions per second of each; a visitor waits for a moment before the next action.
        size: Of the model, which is untrained: its arithmetic is the same.

    Raises:
        WorldError: If the server does not start.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_serve, args=(there, size, visitors), daemon=True)
    server.start()
    try:
        if not here.poll(_STARTS_WITHIN):
            raise WorldError(f"bench: the studio did not start within {_STARTS_WITHIN:g} s")
        port = here.recv()
        return asyncio.run(_visits(port, visitors, rate, seconds))
    finally:
        server.terminate()
        server.join(10)


def tell(found: Load) -> str:
    """The figures in a line."""
    return (
        f"{found.visitors} visitors asking for {found.asked:g} frames/s for {found.seconds:g} s:"
        f" {found.rate:.2f} frames/s each, latency p50 {found.p50:.0f} ms, p95 {found.p95:.0f} ms,"
        f" worst {found.worst:.0f} ms; {found.batch:.1f} steps per batch, {found.kilobytes:.1f} kB"
        " per moment"
    )


def small_stage(size: str) -> Stage:
    """An untrained dream of pictures, beside its world."""
    real = make(WORLD, 1, observation="pixels")
    spaces = real.single_observation_space, real.single_action_space
    torch.manual_seed(0)
    model = LatentWorldModel(*spaces, **SIZES[size].arguments()).eval()
    with torch.no_grad():
        # an untrained dream would end at once
        list(model.continuation.parameters())[-1].fill_(9.0)

    def dream(rows: int) -> DreamWorld:
        return DreamWorld(model, rows, starts=_nowhere, horizon=10**9, stochastic_end=False)

    return Stage(
        "load",
        *spaces,
        dream=dream,
        real=lambda rows: branchable(make(WORLD, rows, observation="pixels")),
        draw=drawing(spaces[0])[0],
        world=WORLD,
    )


def _nowhere(n: int, rng: np.random.Generator) -> Any:
    raise WorldError("bench: the dream begins from reality")


def _serve(there: Connection, size: str, visitors: int) -> None:
    from mindseye.studio.server import serve, studio_app

    torch.set_num_threads(1)
    engine = Engine({"load": small_stage(size)}, Limits(visits=max(64, visitors)))
    serve(studio_app(engine, Guard("127.0.0.1")), "127.0.0.1", 0, on_ready=there.send)


async def _visits(port: int, visitors: int, rate: float, seconds: float) -> Load:
    import websockets

    async def visit(number: int, begin: asyncio.Event, ready: asyncio.Semaphore) -> list:
        address = f"ws://127.0.0.1:{port}/play/socket"
        found: list[tuple[float, int]] = []
        async with websockets.connect(address, compression=None, max_size=None) as socket:
            await socket.send(json.dumps({"do": "open", "seed": number}))
            for _ in range(3):
                await socket.recv()
            ready.release()
            await begin.wait()
            rng = np.random.default_rng(number)
            due = time.perf_counter() + rng.random() / rate
            until = due + seconds
            while due < until:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                sent = time.perf_counter()
                action = int(rng.integers(7))
                await socket.send(json.dumps({"do": "step", "action": action, "n": len(found)}))
                frame = await asyncio.wait_for(socket.recv(), _LATE)
                found.append((1000 * (time.perf_counter() - sent), len(frame)))
                due = max(due + 1 / rate, time.perf_counter())
        return found

    begin, ready = asyncio.Event(), asyncio.Semaphore(0)
    tasks = [asyncio.create_task(visit(i, begin, ready)) for i in range(visitors)]
    for _ in range(visitors):
        await ready.acquire()
    begin.set()
    found = [pair for each in await asyncio.gather(*tasks) for pair in each]
    counts = await _health(port)
    times = sorted(latency for latency, _ in found)
    return Load(
        visitors=visitors,
        asked=rate,
        seconds=seconds,
        steps=len(found),
        rate=len(found) / visitors / seconds,
        p50=statistics.median(times),
        p95=_quantile(times, 0.95),
        worst=times[-1],
        batch=counts["steps"] / max(counts["rounds"], 1),
        kilobytes=statistics.fmean(size for _, size in found) / 1000,
    )


async def _health(port: int) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
