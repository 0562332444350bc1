"""A real browser. Its tests are skipped where there is no Chromium; see `make test-browser`."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.studio.browser.seeing import Server

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 20_000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("served"))
    yield made
    made.kill()


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        path = CHROMIUM or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("no Chromium here; make test-browser installs one")
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, server):
    """Opens pages, each of another visitor, and looks at what their consoles complained of."""
    contexts, complaints = [], []

    def opened(path, **options):
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: complaints.append(r.url) if _is_foreign(r.url) else None)
        page.goto(server.address(path))
        return page

    yield opened
    for context in contexts:
        context.close()
    lost = re.compile("ERR_CONNECTION|WebSocket connection")
    assert [c for c in complaints if not lost.search(c)] == []


def _is_foreign(url):
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))
