"""Where a look ends before anything fits: the page says how far it looked, and the way on is the first thing offered."""

import re

import httpx2
import pytest

from affwire.console.security import PLAIN_NAME
from affwire.store import browse, looking, members

WINDOW = 5
NEXT = re.compile(r'<a class="button primary" rel="next" href="([^"]+)">Look further</a>')


@pytest.fixture
def client(scene, monkeypatch):
    """Somebody who looks through lists of which a page looks at few."""
    for store in (browse, looking, members):
        monkeypatch.setattr(store, "WINDOW", WINDOW)
    cookies = {PLAIN_NAME: scene.token("viewer")}
    with httpx2.Client(base_url=scene.server.url, cookies=cookies, trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/affiliates?q=person0@example.org", "/events?type=program.created", "/deliveries?type=program.created"]
)
@pytest.mark.parametrize("limit", ["&limit=1", ""])
def test_a_list_of_which_nothing_new_fits_leads_on_to_what_does(client, path, limit):
    path += limit
    pages = []
    while "<tbody>" not in (text := client.get(path).text):
        pages.append(text)
        assert text.count('rel="next"') == 1
        path = NEXT.search(text)[1].replace("&amp;", "&")
    assert "among the newest" in pages[0]
    assert all("among the next" in page for page in pages[1:])
    assert not any("Show all" not in page for page in pages)


def test_a_list_that_was_looked_through_to_its_end_says_that_nothing_fits(client):
    path, text = "/affiliates?q=nobody@nowhere.example", ""
    for _ in range(200):
        text = client.get(path).text
        further = NEXT.search(text)
        if further is None:
            break
        path = further[1].replace("&amp;", "&")
    assert "No affiliate fits." in text
    assert 'rel="next"' not in text


def test_a_page_that_found_some_goes_on_below_them(client):
    text = client.get("/events?type=affiliate.updated&order=oldest").text
    assert NEXT.search(text)
    assert f"among the oldest {WINDOW} fits" in text
