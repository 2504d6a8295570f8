"""Sizes: a list's page stays far below 60 KB for whoever asks, however long and awful the names on it are."""

import re
from itertools import product

import httpx2
import pytest
from scene import OPERATOR, client

from affwire.console.listing import LIMIT
from affwire.console.pages import MODULES
from affwire.console.security import PLAIN_NAME
from affwire.services import sessions, users

ROUTES = [route for module in MODULES for route in module.ROUTES]
LISTS = sorted({route.path.removesuffix(".csv") for route in ROUTES if route.path.endswith(".csv")})
MOST = 60_000
"""Bytes, where every name on it is as long as it may be; other pages are held to less in test_security.py."""
AWFUL = "<b title='\"'>&" * 20
PEOPLE = LIMIT + 5
NAMES = {"awful": AWFUL[:255], "wide": "\U0001f600" * 255, "plain": "W" * 255}


@pytest.fixture(scope="module", params=sorted(NAMES))
def longest(request, scene):
    """An organization in which every name is as long as it may be, and a session of its own in each role."""
    server, name = scene.server, NAMES[request.param]
    with client(server, OPERATOR) as operator:
        wish = {"slug": f"{request.param}-".ljust(63, "x"), "name": name, "timezone": "Europe/Berlin"}
        answer = operator.post("/v1/organizations", json=wish)
        assert answer.status_code == 201, answer.text
        organization = answer.json()
    with client(server, organization["api_key"]) as api:
        fill(api, scene, name)

    def signed_in(tx):
        email = f"{request.param}@sizes.test"
        own = users.add(tx, email=email, role="admin", organization_id=organization["id"])
        return {"admin": sessions.open_session(tx, own), "operator": sessions.open_session(tx, users.operator(tx))}

    return organization["slug"], server.run(signed_in)


def fill(api, scene, name):
    """Let everything be there once more than a page shows."""

    def made(path, wish):
        answer = api.post(path, json=wish)
        assert answer.status_code == 201, answer.text
        return answer.json()

    wish = {"dialect": "standard", "paused": True, "description": name}
    for nth in range(5):
        made("/v1/endpoints", {**wish, "url": scene.receiver.url(f"/sizes/{nth}?".ljust(1_900, "x"))})
    programs = [made("/v1/programs", {"name": name, "currency": "EUR"})["id"] for _ in range(PEOPLE)]
    for _ in range(5):
        made("/v1/sources", {"dialect": "growi", "unverified": True, "name": name})
    for nth in range(PEOPLE):
        person = {"first_name": name, "last_name": name, "email": f"{nth}@{'a' * 60}.{'b' * 60}.{'c' * 60}.example"}
        member = {"tag": name, "status": "pending"}
        made("/v1/affiliates", {**person, "country": "SE", "program_id": programs[nth], "membership": member})


@pytest.mark.parametrize(("path", "who"), list(product(LISTS, ("admin", "operator"))))
def test_a_list_of_the_longest_names_is_small_for_every_role(scene, longest, path, who):
    slug, tokens = longest
    with httpx2.Client(
        base_url=scene.server.url, cookies={PLAIN_NAME: tokens[who]}, trust_env=False, timeout=20
    ) as browser:
        page = browser.get(path, params={"organization": slug} if who == "operator" else {})
    assert page.status_code == 200, page.text
    assert page.text.count("<tr data-row=") <= LIMIT
    assert len(page.content) < MOST


def test_a_url_cannot_ask_for_a_larger_page(scene, longest):
    _, tokens = longest
    with httpx2.Client(
        base_url=scene.server.url, cookies={PLAIN_NAME: tokens["admin"]}, trust_env=False, timeout=20
    ) as browser:
        assert browser.get("/deliveries", params={"limit": LIMIT + 1}).status_code == 422


def test_a_long_slug_is_written_as_a_number_and_leads_to_the_same_organization(scene, longest):
    slug, tokens = longest
    with httpx2.Client(
        base_url=scene.server.url, cookies={PLAIN_NAME: tokens["operator"]}, trust_env=False, timeout=20
    ) as browser:
        page = browser.get("/programs", params={"organization": slug})
        link = re.search(r'<tr data-row="(prg_[^"]+)".*?href="([^"]+)"', page.text)
        assert re.fullmatch(r"/programs/prg_\w+\?organization=\.[0-9]+", link[2])
        assert browser.get(link[2]).status_code == 200
        assert browser.get(link[2].partition("=")[0] + "=.7").status_code == 404
