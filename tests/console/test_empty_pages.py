"""Empty pages: what each prints is pasted into a shell as it is, at a server that has nothing, and fills that very page."""

import os
import re
import subprocess
import sys
from html import unescape
from itertools import count
from pathlib import Path

import httpx2
import pytest
from scene import OPERATOR, Server, client

from affwire.console.security import PLAIN_NAME
from affwire.services import sessions, users

COMMAND = re.compile(r'<section class="empty">.*?<code>(.*?)</code></pre>', re.DOTALL)
NO_HOST = "https://receiver.invalid/hooks"
NUMBERS = count(1)
LISTS = (
    "/programs",
    "/affiliates",
    "/deliveries",
    "/endpoints",
    "/events",
    "/sources",
    "/inbox",
    "/playground/receiver",
    "/settings/users",
    "/settings/mails",
)
"""Every list but the keys: an organization always has one."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty")
    server = Server(folder, None)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start(server):
    """A new organization: the operator's browser there, and the environment of a shell that asks the server."""
    slug = f"new-{next(NUMBERS)}"
    with client(server, OPERATOR) as operator:
        made = operator.post("/v1/organizations", json={"slug": slug}).raise_for_status().json()
    token = server.run(lambda tx: sessions.open_session(tx, users.operator(tx)))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = {"PATH": path, "AFFWIRE_URL": server.url, "AFFWIRE_API_KEY": made["api_key"], "HOME": "/nonexistent"}
    with httpx2.Client(
        base_url=server.url,
        params={"organization": slug},
        cookies={PLAIN_NAME: token},
        trust_env=False,
        timeout=20,
    ) as browser:
        yield browser, shell


def paste(page, shell):
    """Run what an empty page prints, as it stands there; only that nothing is sent to the host in it, which exists."""
    found = COMMAND.search(page)
    assert found, "the page is not empty, or prints no command"
    printed = unescape(found[1]).replace("https://example.com/hooks", NO_HOST)
    ran = subprocess.run(["bash", "-ec", printed], env=shell, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, (printed, ran.stderr)


@pytest.mark.parametrize("path", LISTS)
def test_what_an_empty_list_prints_fills_it(start, path):
    browser, shell = start
    empty = browser.get(path).raise_for_status().text
    assert "data-row=" not in empty
    paste(empty, shell)
    assert "data-row=" in browser.get(path).raise_for_status().text


@pytest.mark.parametrize(
    ("path", "before"),
    [
        ("/deliveries", f"affwire endpoints add {NO_HOST}"),
        ("/inbox", "affwire sources create growi --unverified"),
        ("/settings/mails", "affwire programs create --name Spring --set is_public=true"),
    ],
)
def test_where_half_of_it_is_there_a_list_prints_the_other_half(start, path, before):
    browser, shell = start
    subprocess.run(["bash", "-c", before], env=shell, capture_output=True, timeout=60, check=True)
    empty = browser.get(path).raise_for_status().text
    assert " ".join(before.split()[:3]) not in unescape(empty)
    paste(empty, shell)
    assert "data-row=" in browser.get(path).raise_for_status().text


def test_home_prints_how_to_begin_and_then_what_happens(start):
    browser, shell = start
    home = browser.get("/").raise_for_status().text
    assert shell["AFFWIRE_URL"] in home
    paste(home, shell)
    assert "No endpoint yet" not in browser.get("/").text
    paste(browser.get("/").text, shell)
    assert "data-row=" in browser.get("/").text
