"""Editing: whoever saves what somebody else changed meanwhile is told so, at every form of a record, however close they come."""

from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import httpx2
import pytest
from matrix import target

from affwire.console.pages import MODULES
from affwire.console.routes import Action
from affwire.console.security import PLAIN_NAME

FORMS = {
    "/affiliates/{affiliate_id}/edit": "company",
    "/programs/{program_id}/edit": "description",
    "/endpoints/{endpoint_id}/edit": "description",
    "/sources/{source_id}/edit": "name",
    "/settings/organization": "name",
}
"""Where a record is edited, and a field of it."""


@pytest.fixture
def client(scene):
    with httpx2.Client(
        base_url=scene.server.url,
        headers={"Origin": scene.server.url},
        cookies={PLAIN_NAME: scene.token("admin")},
        trust_env=False,
        timeout=20,
    ) as client:
        yield client


class Filled(HTMLParser):
    """What a browser would send of the first form with a record's tag."""

    def __init__(self, text):
        super().__init__()
        self.values, self._area, self._select, self._done = {}, None, None, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        name = given.get("name")
        if tag == "form":
            self.values = self.values if "seen" in self.values else {}
        if "seen" in self.values and self._done:
            return
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = given.get("value") or ""
        if tag == "textarea":
            self._area = name
            self.values[name] = ""
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and "selected" in given:
            self.values[self._select] = given["value"]

    def handle_endtag(self, tag):
        self._area = None if tag == "textarea" else self._area
        self._select = None if tag == "select" else self._select
        self._done = self._done or (tag == "form" and "seen" in self.values)

    def handle_data(self, data):
        if self._area:
            self.values[self._area] += data


def test_every_form_of_a_record_is_tried():
    edits = {route.path for module in MODULES for route in module.ROUTES if isinstance(route, Action)}
    assert {path for path in edits if path.endswith("/edit")} | {"/settings/organization"} == set(FORMS)


@pytest.mark.parametrize("route", sorted(FORMS))
def test_of_two_who_save_at_once_one_is_told_that_it_was_changed(scene, client, route):
    path, field = target(scene, route), FORMS[route]
    opened = {name: Filled(client.get(path).raise_for_status().text).values for name in ("One", "Other")}
    before = opened["One"][field]

    def save(name):
        return client.post(path, data={**opened[name], field: name})

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(save, opened))
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    [refused] = [answer for answer in answers if answer.status_code == 422]
    assert "Somebody else changed this since you opened it" in refused.text
    assert "seen" in Filled(refused.text).values
    again = Filled(client.get(path).raise_for_status().text).values
    assert again[field] in {"One", "Other"}
    assert client.post(path, data={**again, field: before}).status_code == 303


@pytest.mark.parametrize("route", sorted(FORMS))
def test_a_form_that_does_not_say_what_it_was_filled_in_from_saves_nothing(scene, client, route):
    path = target(scene, route)
    sent = Filled(client.get(path).raise_for_status().text).values
    del sent["seen"]
    assert client.post(path, data=sent).status_code == 422
