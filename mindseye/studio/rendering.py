"""Pages made on the server: templates, and how names, numbers and times are written in them."""

import os
import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

from mindseye.evaluation.page import number, stage_name
from mindseye.evaluation.verdict import MEANINGS, percent


def render(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from `templates/`; every value is escaped."""
    # answers are as new as the files they were read from
    headers = {"cache-control": "no-store"}
    text = _JINJA.get_template(template).render(values)
    # recorded texts may hold halves of characters, which UTF-8 has no bytes for
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers)


async def apology(request: Request, error: Exception) -> HTMLResponse:
    """A page that says what there is not; for what raises a `DataError`."""
    return render("missing.html", 404, why=str(error))


async def no_page(request: Request, error: Exception) -> HTMLResponse:
    """For addresses that lead nowhere."""
    return render("missing.html", 404, why="There is no page at this address.")


def address(name: str) -> str:
    """A name as part of an address; slashes stay."""
    return quote(name, safe="/")


def typed(folder: Path) -> str:
    """A folder as one types it where the studio was started."""
    near = os.path.relpath(folder)
    return shlex.quote(str(folder) if near.startswith("..") else near)


def caption(name: str) -> str:
    """A picture's file in words."""
    return name.rpartition("/")[2].removesuffix(".png").replace("-", " ").replace("_", " ")


def duration(seconds: float) -> str:
    """Seconds as people say them: 42 s, 3 min, 2 h 5 min, 4 days."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min"
    return f"{seconds / 86400:.0f} days"


def ago(when: float) -> str:
    """A moment, in seconds since 1970, seen from now."""
    return f"{duration(max(0.0, time.time() - when))} ago"


def moment(when: float) -> str:
    """A moment, in seconds since 1970, as date and time in UTC."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M UTC")


_JINJA = Environment(
    loader=PackageLoader("mindseye.studio"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_JINJA.filters |= {
    "address": address,
    "ago": ago,
    "caption": caption,
    "duration": duration,
    "moment": moment,
    "number": number,
    "percent": percent,
    "stage": stage_name,
    "typed": typed,
}
_JINJA.globals["meanings"] = MEANINGS
