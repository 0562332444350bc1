"""`mindseye play`: step inside a dream in the browser, with reality beside it."""

import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from mindseye.cli.folders import check_device
from mindseye.cli.options import parse
from mindseye.cli.staging import Wanted, staged
from mindseye.core.errors import ConfigError, MissingExtra

_EXAMPLES = (
    "play runs/train/minigrid-doorkey-6x6-v0-seed0",
    "play grid/door-key-6x6",
    "play language:text/household",
    "play program:minicraft/yard",
    "play models/mine --world CartPole-v1 --host 0.0.0.0",
)
PORT = 8765


@dataclass(frozen=True, kw_only=True)
class PlayOptions:
    """Play a dream, with the real world beside it, in a page of your browser.

    WHAT is a folder that train or fit wrote; simulator:WORLD, the world against a copy of itself;
    language:WORLD, a world of words as the language model imagines it; program:WORLD, laws found in
    play; or the name of a world, which means its simulator.
    """

    what: Annotated[str, tyro.conf.Positional] = ""
    """What is played."""
    world: str | None = None
    """The real world, where the folder does not tell."""
    observation: Literal["default", "pixels", "symbols", "text"] = "default"
    """What is seen, where the world offers a choice."""
    agents: tuple[str, ...] = ()
    """Who may be watched: dream, random, cem, icem, mppi, gradient, beam, or folders of runs; the
    first two and cem unless given."""
    language: str = ""
    """Who imagines worlds of words; see collect."""
    saved: Path | None = None
    """Folder for episodes that are kept; runs/played/NAME unless given."""
    host: str = "127.0.0.1"
    """Where to listen. Beyond this machine everybody needs the token that is printed."""
    port: int = PORT
    """0 takes any free one."""
    seed: int = 0
    """Of agents and dreams."""
    no_browser: bool = False
    """Print the address only."""
    device: str = "cpu"
    """Torch device."""


def main(arguments: Sequence[str]) -> int:
    """Open the door and stay until stopped."""
    options = parse("play", PlayOptions, arguments, _EXAMPLES)
    require_studio()
    if not options.what:
        raise ConfigError(
            "play: expected something to play; mindseye train makes a dream, and"
            " mindseye play grid/door-key-6x6 plays a world against a copy of itself"
        )
    check_device(options.device)
    torch.manual_seed(options.seed)
    names = ("world", "observation", "agents", "language", "saved", "seed", "device")
    wanted = Wanted(**{name: getattr(options, name) for name in names})
    stage = staged(options.what, wanted)
    from mindseye.studio.engine import Engine
    from mindseye.studio.guard import Guard
    from mindseye.studio.server import serve, studio_app

    guard = Guard.of(options.host)
    app = studio_app(Engine({stage.title: stage}), guard)
    serve(
        app,
        options.host,
        options.port,
        on_ready=lambda port: announce(
            options.host, port, "/play", guard.token, options.no_browser
        ),
    )
    return 0


def require_studio() -> None:
    """Refuse where the web server is not installed.

    Raises:
        MissingExtra: Then.
    """
    for package in ("fastapi", "uvicorn", "websockets"):
        if find_spec(package) is None:
            raise MissingExtra(package, "studio")


def announce(host: str, port: int, path: str, token: str, no_browser: bool) -> None:
    """Print the address, and open it."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    shown = f"[{shown}]" if ":" in shown else shown
    address = f"http://{shown}:{port}{path}" + (f"?token={token}" if token else "")
    print(f"{address}\nCtrl-C stops", flush=True)
    if not no_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
