"""A server with a scene, a browser that somebody is signed in with, and pages that fail a test on any error.

Where no Chromium is found, what needs one is skipped and says what to install.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from installation import HttpsReceiver
from scene import SHOTS, Scene, Server, absent, play

from affwire.console.security import PLAIN_NAME

CHROMIUM = next(
    (found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if found), None
)
MISSING = "no Chromium here: install the package `chromium` of your system to have the console's pages tested"
WAIT_MS = 5_000
WIDTHS = (380, 1280)
THEMES = ("light", "dark")


@pytest.fixture(scope="session")
def scene(tmp_path_factory: Any) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("console")
    for name in [name for name in os.environ if name.startswith("AFFWIRE_") and name != "AFFWIRE_SHOTS"]:
        del os.environ[name]
    receiver = HttpsReceiver(folder)
    server = Server(folder, receiver.ca_file)
    server.start()
    scene = play(server, receiver)
    yield scene
    scene.api.close()
    server.stop()
    receiver.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[Any, Any]]:
    """A browser, and the event loop that Playwright leaves in this thread as the running one, which sleeps between tests."""
    if CHROMIUM is None:
        absent(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        loop = asyncio.events._get_running_loop()
        asyncio.events._set_running_loop(None)
        yield browser, loop
        asyncio.events._set_running_loop(loop)
        browser.close()


@pytest.fixture
def browser(chromium: tuple[Any, Any]) -> Iterator[Any]:
    """The browser, awake; afterwards other tests of this process can run a loop of their own again."""
    browser, loop = chromium
    asyncio.events._set_running_loop(loop)
    yield browser
    asyncio.events._set_running_loop(None)


@dataclass
class Tab:
    """A page of the browser, and everything that went wrong in it."""

    page: Any
    scene: Scene
    name: str
    wrong: list[str] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)
    """Statuses of pages that the test expects to fail."""

    def go(self, path: str) -> Any:
        """Open a page of the console and wait until it is there."""
        answer = self.page.goto(self.scene.server.url + path)
        assert self.page.evaluate("document.readyState") == "complete" or self.page.wait_for_load_state("load") is None
        return answer

    def shot(self, name: str) -> None:
        """Take a picture for whoever builds the page, if a folder is given for it."""
        if SHOTS is not None:
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SHOTS / f"{name}-{self.name}.png", full_page=True)

    def check(self) -> None:
        """Fail on errors, on foreign requests, on a script that a name has smuggled in, and on a page that is too wide."""
        assert not self.wrong
        assert self.page.evaluate("typeof window.pwned") == "undefined"
        wide, seen = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= seen, f"the page is {wide} px wide where {seen} are seen"


Open = Callable[..., Tab]


@pytest.fixture
def open_tab(browser: Any, scene: Scene) -> Iterator[Open]:
    """Returns a function: who is signed in (None: nobody), theme, width -> a tab. Every tab is checked at the end."""
    contexts: list[Any] = []
    tabs: list[Tab] = []

    def opened(who: str | None = "admin", theme: str = "light", width: int = 1280) -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
        )
        contexts.append(context)
        if who is not None:
            cookie = {
                "name": PLAIN_NAME,
                "value": scene.token(who),
                "url": scene.server.url,
                "httpOnly": True,
                "sameSite": "Lax",
            }
            context.add_cookies([cookie])
        context.set_default_timeout(WAIT_MS)
        tab = Tab(context.new_page(), scene, f"{theme}-{width}")
        _watch(tab)
        tabs.append(tab)
        return tab

    yield opened
    for tab in tabs:
        tab.check()
    for context in contexts:
        context.close()


@pytest.fixture(params=[(theme, width) for theme in THEMES for width in WIDTHS], ids=lambda one: f"{one[0]}-{one[1]}")
def tab(request: Any, open_tab: Open) -> Tab:
    """A tab of an admin, in light and dark, narrow and wide."""
    theme, width = request.param
    return open_tab("admin", theme, width)


def _watch(tab: Tab) -> None:
    host = urlsplit(tab.scene.server.url).netloc

    def asked(request: Any) -> None:
        target = urlsplit(request.url)
        if target.scheme not in {"data", "blob"} and target.netloc != host:
            tab.wrong.append(f"a request to {request.url}")

    def said(message: Any) -> None:
        expected = any(f"status of {status}" in message.text for status in tab.allowed)
        if message.type in {"error", "warning"} and not expected:
            tab.wrong.append(f"{message.type}: {message.text}")

    tab.page.on("request", asked)
    tab.page.on("console", said)
    tab.page.on("pageerror", lambda error: tab.wrong.append(f"error: {error}"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser takes its time."""
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.slow)
