"""`mindseye studio`: runs, reports, claims and episodes in the browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mindseye.cli.evidence import RESULTS
from mindseye.cli.options import parse
from mindseye.cli.play import announce, require_studio
from mindseye.core.errors import ConfigError
from mindseye.recipes.catalogue import SYSTEMS

_EXAMPLES = ("studio", "studio --runs elsewhere/runs --port 0", "studio --host 0.0.0.0")
PORT = 8766
"""Another than that of play, so that both can be open."""


@dataclass(frozen=True, kw_only=True)
class StudioOptions:
    """Read all runs, reports, claims and episodes in a page of your browser, while they grow."""

    runs: Path = Path("runs")
    """Folder of runs. Nothing outside it is served."""
    results: Path = RESULTS
    """Folder of evidence, one file per published system."""
    host: str = "127.0.0.1"
    """Where to listen. Beyond this machine everybody needs the token that is printed."""
    port: int = PORT
    """0 takes any free one."""
    no_browser: bool = False
    """Print the address only."""


def main(arguments: Sequence[str]) -> int:
    """Open the door and stay until stopped."""
    options = parse("studio", StudioOptions, arguments, _EXAMPLES)
    require_studio()
    if (options.runs / "config.json").exists():
        raise ConfigError(f"--runs: {options.runs} is a run; name the folder that holds it")
    from mindseye.studio.browse import browse_router
    from mindseye.studio.guard import Guard
    from mindseye.studio.server import serve, studio_app

    guard = Guard.of(options.host)
    app = studio_app(None, guard, browse_router(options.runs, options.results, SYSTEMS))
    serve(
        app,
        options.host,
        options.port,
        on_ready=lambda port: announce(options.host, port, "/", guard.token, options.no_browser),
    )
    return 0
