import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from serving.app import create_app
from serving.settings import Settings
from tests.needs import missing
from tests.pages.models import FolderRegistry
from tests.ports import free_port
from tests.serving.support import HTTP

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SECONDS = 20_000  # milliseconds that a step may take on a busy machine
expect.set_options(timeout=SECONDS)


@dataclass
class Site:
    """The service in a thread of this process, and the registry that it follows."""

    url: str
    registry: FolderRegistry
    folder: Path
    server: uvicorn.Server

    def serve(self, version: int) -> None:
        """Move the alias, and wait until that version answers."""
        self.registry.version = version
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            model = HTTP.get(f"{self.url}/version").json()["model"]
            if model and model["version"] == str(version):
                return
            time.sleep(0.05)
        raise AssertionError(f"version {version} was not served")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@contextmanager
def serving_site(folder: Path, **more: Any) -> Iterator[Site]:
    """Run the service in a thread inside a `with` block, its files in `folder`."""
    settings = Settings(
        cache_dir=folder / "cache",
        reports_dir=folder / "reports",
        ratings_file=folder / "ratings.jsonl",
        poll_seconds=0.05,
        **more,
    )
    registry = FolderRegistry()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.app.Registry", lambda *_: registry)
        app = create_app(settings)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield Site(f"http://127.0.0.1:{port}", registry, folder, server)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")  # while it runs, no other event loop can
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing("Chromium", "apt install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield running
        running.close()


@dataclass
class Watched:
    """What a page did: the hosts it asked, and what it complained of."""

    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def page(browser: Browser, site: Site, watched: Watched) -> Iterator[Page]:
    """A visitor who was never here, on a calm screen; asks no other host and hears no complaint."""
    context = browser.new_context(
        base_url=site.url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(SECONDS)
    visited = context.new_page()
    watched.watch(visited)
    yield visited
    context.close()
    assert watched.hosts <= {urlsplit(site.url).netloc}
    assert watched.complaints == []
