"""The first run: no organization yet. Every page of the menu says so, and the first is made by its form or its command."""

import os
import re
import subprocess
from html import unescape

import httpx2
import pytest
from scene import OPERATOR, Server

from affwire.console import pages
from affwire.console.pages import first
from affwire.console.security import PLAIN_NAME
from affwire.services import sessions, users
from affwire.store.datadir import DataDir, write_private

COMMAND = re.compile(r'<section class="empty">.*?<code>(.*?)</code></pre>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
WITHOUT = {"/playground", "/settings/system"}
"""What there is without an organization, too."""
MENU = [place.path for module in pages.MODULES for place in getattr(module, "NAV", ())]


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path, None)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def browser(server):
    """The operator's."""
    token = server.run(lambda tx: sessions.open_session(tx, users.operator(tx)))
    with httpx2.Client(
        base_url=server.url,
        cookies={PLAIN_NAME: token},
        headers={"Sec-Fetch-Site": "same-origin"},
        trust_env=False,
        timeout=20,
    ) as browser:
        yield browser


@pytest.fixture
def near(server):
    """The data directory, with what `affwire serve` leaves there for commands."""
    near = DataDir(server.folder / "data")
    write_private(near.address, server.url)
    write_private(near.admin_key, OPERATOR)
    return near


def sent(page, **fields):
    """The form of a page as it is filled in."""
    form = page[page.index(f'action="{first.PATH}"') :]
    return {**dict(HIDDEN.findall(form[: form.index("</form>")])), "timezone": "Europe/Berlin", **fields}


def paste(page):
    """Run what a page prints in a shell that has been told nothing; return what it says."""
    printed = unescape(COMMAND.search(page)[1])
    shell = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    ran = subprocess.run(
        ["bash", "-ec", printed], env=shell, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, (printed, ran.stderr)
    return ran.stdout


def test_every_page_of_the_menu_is_how_to_begin(browser):
    for path in MENU:
        answer = browser.get(path)
        assert answer.status_code == 200
        assert (f'action="{first.PATH}"' in answer.text) == (path not in WITHOUT), path


def test_a_file_of_no_organization_is_a_problem_and_no_page(browser):
    answer = browser.get("/programs.json")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_organization")


def test_the_first_organization_is_made_in_the_browser_and_its_key_shown_once(browser, near):
    form = sent(browser.get("/deliveries").text, name="Acme & Söhne")
    made = browser.post(first.PATH, data=form)
    assert made.status_code == 200
    [key] = re.findall(r"awk_[0-9a-f]{64}", made.text)
    with httpx2.Client(base_url=browser.base_url, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as api:
        assert api.get("/v1/programs").status_code == 200
    assert near.api_key.read_text().strip() == key
    assert "Acme &amp; Söhne" in browser.get("/").text
    again = browser.post(first.PATH, data=form)
    assert (again.status_code, "awk_" in again.text) == (409, False)
    assert "organization=acme-s-hne" in browser.get("/programs").text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"name": ""}, "filled in"), ({"name": "Acme", "slug": "A B"}, "63 of a-z"), ({"name": "日本"}, "63 of a-z")],
)
def test_a_form_that_is_not_right_comes_again_with_what_was_typed(browser, fields, wrong):
    answer = browser.post(first.PATH, data=sent(browser.get("/").text, **fields))
    assert answer.status_code == 422
    assert wrong in answer.text
    assert all(f'value="{typed}"' in answer.text for typed in fields.values())


def test_the_command_of_the_first_run_can_be_pasted_into_any_shell_there(browser, near):
    page = browser.get("/").text
    assert OPERATOR not in page
    made = paste(page)
    assert made.splitlines()[1] == near.api_key.read_text().strip()
    assert "Acme" in browser.get("/").text


def test_afterwards_what_pages_print_can_be_pasted_too(browser, near):
    paste(browser.get("/").text)
    paste(browser.get("/programs").text)
    assert "data-row=" in browser.get("/programs").text


def test_the_way_to_a_link_can_be_pasted_from_the_page_that_asks_to_sign_in(server, near):
    server.run(users.operator)
    with httpx2.Client(base_url=server.url, trust_env=False) as stranger:
        page = stranger.get("/sign-in").text
    printed = unescape(re.search(r"<code>(.*?users link.*?)</code></pre>", page, re.DOTALL)[1])
    shell = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    ran = subprocess.run(
        ["bash", "-ec", printed], env=shell, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout.startswith(f"{server.url}/?token="), ran.stderr


def test_a_stranger_from_elsewhere_is_told_no_path(server, near):
    with httpx2.Client(base_url=server.url, headers={"Host": "affwire.example.com"}, trust_env=False) as stranger:
        page = stranger.get("/sign-in").text
    assert str(near.path) not in page
    assert "affwire users link operator@localhost --operator" in page
