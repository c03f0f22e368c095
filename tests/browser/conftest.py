"""The server, the browser and the people of the browser tests.

All are of this package's scope: a browser that is still open keeps an event loop in the thread, which Django's
database layer of other tests would refuse.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from guardia.doors.cli.tour_story import PEOPLE
from tests.browser.phoning import Phones
from tests.browser.postbox import Postbox
from tests.browser.running_server import RunningServer
from tests.browser.visitor import Visitor, visit
from tests.browser.world import World, make_world

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
Enter = Callable[..., Visitor]


@pytest.fixture(scope="package")
def server() -> Iterator[RunningServer]:
    """The whole server, ready."""
    running = RunningServer()
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="package")
def postbox(server: RunningServer) -> Postbox:
    """Mail to and from the server."""
    return Postbox(server)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The machine's Chromium, without what talks to its maker."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "Chromium is not installed: run `make system`"
    browser = playwright.chromium.launch(executable_path=program, args=QUIET)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def sessions(chromium: Browser, server: RunningServer) -> dict[str, Any]:
    """The signed-in state of each person, made when first asked for."""
    return {}


@pytest.fixture
def enter(chromium: Browser, server: RunningServer, sessions: dict[str, Any]) -> Iterator[Enter]:
    """Let somebody come in: `enter("plus", locale="es-ES")`. No page may complain by the end of the test."""
    visitors: list[Visitor] = []

    def come_in(part: str = "", language: str = "", **options: Any) -> Visitor:
        if part and part not in sessions:
            at_the_door = visit(chromium, server.url)
            at_the_door.sign_in(PEOPLE[part])
            sessions[part] = at_the_door.context.storage_state()
            at_the_door.context.close()
        if part:
            options["storage_state"] = sessions[part]
        visitor = visit(chromium, server.url, **options)
        if language:
            visitor.context.add_cookies([{"name": "django_language", "value": language, "url": server.url}])
        visitors.append(visitor)
        return visitor

    yield come_in
    complaints = [line for visitor in visitors for line in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert complaints == []


@pytest.fixture(scope="package")
def phones(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Phones:
    """Phones that call the server's line."""
    return Phones(server, tmp_path_factory.mktemp("phones"))


@pytest.fixture(scope="package")
def world(server: RunningServer, postbox: Postbox, phones: Phones, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Cases in several states, so that no page is empty."""
    folder: Path = tmp_path_factory.mktemp("world")
    return make_world(server.url, folder, postbox, phones)
