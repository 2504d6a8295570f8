"""The search: whatever somebody has at hand finds its record; what finds nothing says what would."""

import json
from collections import Counter
from typing import Final

import httpx2
import pytest

from affwire.console.security import PLAIN_NAME
from affwire.model import ids
from affwire.services import search


def client(scene, who):
    cookies = {PLAIN_NAME: scene.token(who)}
    return httpx2.Client(base_url=scene.server.url, cookies=cookies, trust_env=False, timeout=20)


@pytest.fixture(scope="module")
def ask(scene):
    with client(scene, "admin") as opened:
        yield lambda text: opened.get("/search", params={"q": text})


@pytest.fixture(scope="module")
def known(scene):
    """What is searched for, by name: the text, and the path that it leads to."""
    affiliate, program = scene.affiliates[1], scene.programs[0]
    membership = affiliate["membership"]
    page = f"/affiliates/{affiliate['id']}"
    its = {"membership_id": membership["id"]}
    link = scene.made("/v1/links", {**its, "url": "https://shop.example/?via=needle", "token": "needle"})
    code = scene.made("/v1/promo-codes", {**its, "code": "NEEDLE20"})
    scene.api.patch(f"/v1/affiliates/{affiliate['id']}", json={"external_ids": {"crm": "cus_needle"}})
    event = scene.listed("/v1/events", affiliate_id=affiliate["id"])[0]
    delivery = scene.listed("/v1/deliveries", status="delivered")[0]
    attempt = scene.api.get(f"/v1/deliveries/{delivery['id']}").json()["attempts"][0]
    endpoint, source = scene.endpoints["standard"], scene.sources[0]
    keys = Counter(one.get("dedupe_key") for one in scene.listed("/v1/messages"))
    message = scene.listed("/v1/messages")[0]
    job = scene.api.post("/v1/deliveries/replay", json={"event_id": event["id"]}).json()
    user, key = scene.users["viewer"], scene.listed("/v1/keys")[0]
    told = {
        "affiliate": (affiliate["id"], page),
        "affiliate in capitals": (affiliate["id"].upper(), page),
        "affiliate's UUID": (ids.uuid_of(affiliate["id"]), page),
        "affiliate's address": (f" {affiliate['email'].upper()} ", page),
        "affiliate's address in brackets": (f"<{affiliate['email']}>", page),
        "external id": ("cus_needle", page),
        "external id with its namespace": ("ext:crm:cus_needle", page),
        "membership": (membership["id"], page),
        "link": (link["id"], page),
        "link's URL": (link["url"], page),
        "link's token": ("needle", page),
        "promo code": (code["id"], page),
        "promo code as it is typed": ("needle20", page),
        "program": (program["id"], f"/programs/{program['id']}"),
        "event": (event["id"], f"/events/{event['id']}"),
        "event's UUID": (ids.uuid_of(event["id"]), f"/events/{event['id']}"),
        "event as a header": (f"webhook-id: {event['id']}", f"/events/{event['id']}"),
        "delivery": (delivery["id"], f"/deliveries/{delivery['id']}"),
        "delivery as a page shortens it": (f"dlv_\u2026{delivery['id'][-8:]}", f"/deliveries/{delivery['id']}"),
        "page of a delivery": (f"{scene.server.url}/deliveries/{delivery['id']}", f"/deliveries/{delivery['id']}"),
        "delivery as Affonso writes it": (f"whd_{ids.body_of(delivery['id'])}", f"/deliveries/{delivery['id']}"),
        "attempt": (attempt["id"], f"/deliveries/{delivery['id']}"),
        "endpoint": (endpoint["id"], f"/endpoints/{endpoint['id']}"),
        "endpoint's URL": (endpoint["url"], f"/endpoints/{endpoint['id']}"),
        "source": (source["id"], f"/sources/{source['id']}"),
        "source's ingest URL": (source["ingest_url"], f"/sources/{source['id']}"),
        "source's token": (source["ingest_url"].rpartition("/")[2], f"/sources/{source['id']}"),
        "message": (message["id"], f"/inbox/{message['id']}"),
        "job": (job["id"], f"/jobs/{job['id']}"),
        "user": (user.id, f"/settings/users/{user.id}"),
        "key": (key["id"], f"/settings/keys/{key['id']}"),
        "organization": (scene.organization["id"], "/settings/organization"),
        "mail": (scene.mail()["id"], f"/settings/mails/{scene.mail()['id']}"),
    }
    there = {its["id"] for its in scene.listed("/v1/sources")}
    if message["source_id"] in there and message.get("dedupe_key") and keys[message["dedupe_key"]] == 1:
        told["platform's id of a message"] = (message["dedupe_key"], f"/inbox/{message['id']}")
    return told


def test_whatever_names_one_record_leads_straight_to_it(ask, known):
    led = {name: ask(text).headers.get("location", "-") for name, (text, _) in known.items()}
    assert led == {name: path for name, (_, path) in known.items()}


def test_every_prefix_of_an_id_is_known_to_the_search(known):
    searched = {ids.kind_of(text.lower()) for text, _ in known.values()}
    assert set(ids.PREFIXES) - searched == {"group", "application", "request"}


def test_a_stranger_finds_none_of_it(scene, known):
    with client(scene, "stranger") as opened:
        for text, _ in known.values():
            answer = opened.get("/search", params={"q": text})
            assert answer.status_code == 200, text
            assert 'ul class="hits"' not in answer.text


def test_who_may_not_open_a_page_does_not_find_it(scene, known):
    with client(scene, "viewer") as opened:
        for name in ("user", "key", "organization", "mail"):
            assert opened.get("/search", params={"q": known[name][0]}).status_code == 200


def test_several_are_listed_by_kind_with_what_matched(open_tab):
    tab = open_tab()
    tab.go("/search?q=person")
    assert tab.page.locator(".hits-of h2").all_inner_texts() == ["Affiliates"]
    assert tab.page.locator("ul.hits li").count() == 10
    assert "by name or address" in tab.page.locator("ul.hits li").first.inner_text()
    tab.page.click("text=look through all affiliates")
    assert "q=person" in tab.page.url


def test_a_number_finds_every_record_that_has_it(ask, scene):
    affiliate = scene.affiliates[1]
    text = ask(str(affiliate["number"])).text
    assert f'href="/affiliates/{affiliate["id"]}"' in text
    assert "by number" in text


def test_the_page_of_hits_is_looked_at(tab):
    tab.go("/search?q=a")
    assert tab.page.locator("ul.hits li").count() > 2
    tab.shot("search")


def test_what_finds_nothing_says_what_can_be_searched_for(tab):
    tab.go("/search?q=nobody-is-called-so")
    assert "Nothing is called" in tab.page.inner_text("main")
    assert tab.page.locator("main li").count() >= 5
    tab.shot("search-nothing")


def test_no_token_of_a_source_is_shown(scene, known):
    text, _ = known["source's token"]
    with client(scene, "stranger") as opened:
        answer = opened.get("/search", params={"q": known["source's ingest URL"][0]})
    assert "source that is not here" in answer.text
    assert text not in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        "webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        "t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
        "sha256=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
        "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
    ],
)
def test_a_signature_leads_to_the_debugger(ask, text):
    answer = ask(text)
    assert answer.status_code == 200
    assert 'href="/playground/signature"' in answer.text


@pytest.mark.parametrize("text", ["person", "evt_1", "v1", "sha256", "a" * 64, "t=1"])
def test_what_is_no_signature_is_not_taken_for_one(text):
    assert search.is_signature(text) is (text == "a" * 64)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (' "evt_1" ', "evt_1"),
        ("<kim@example.org>", "kim@example.org"),
        ("mailto:kim@example.org", "kim@example.org"),
        ("webhook-id: evt_1", "evt_1"),
        ("ext:crm:42", "ext:crm:42"),
        ("https://a.example/x", "https://a.example/x"),
    ],
)
def test_what_was_pasted_is_taken_as_it_was_meant(text, meant):
    assert search.pasted(text) == meant


DEDUPED: Final = {
    "affonso": lambda _headers, body: body["id"],
    "rewardful": lambda _headers, body: body["event"]["id"],
    "standard": lambda headers, _body: headers["webhook-id"],
    "tamio": lambda _headers, body: body["event_id"],
}
"""What a receiver of each dialect dedupes on, where that is an id."""


@pytest.mark.parametrize("dialect", DEDUPED)
def test_the_id_that_a_receiver_dedupes_on_leads_to_the_event(ask, scene, dialect):
    found = scene.listed("/v1/deliveries", status="delivered", endpoint_id=scene.endpoints[dialect]["id"])
    assert found
    for delivery in found[:3]:
        request = scene.api.get(f"/v1/deliveries/{delivery['id']}").json()["attempts"][0]["request"]
        headers = {name.lower(): value for name, value in request["headers"]}
        its = DEDUPED[dialect](headers, json.loads(request["body"]))
        assert ask(its).headers.get("location") == f"/events/{delivery['event_id']}"


def test_what_was_deleted_leads_to_what_is_left_of_it(ask, scene):
    program = scene.made("/v1/programs", {"name": "Short"})
    wish = {"email": "short@made.example", "program_id": program["id"], "membership": {"status": "active"}}
    affiliate = scene.made("/v1/affiliates", wish)
    url = f"{scene.endpoints['standard']['url']}/short"
    endpoint = scene.made("/v1/endpoints", {"url": url, "dialect": "standard"})
    source = scene.made("/v1/sources", {"dialect": "growi", "unverified": True, "name": "Short"})
    for path in ("affiliates", "programs", "endpoints", "sources"):
        record = {"affiliates": affiliate, "programs": program, "endpoints": endpoint, "sources": source}[path]
        assert scene.api.delete(f"/v1/{path}/{record['id']}").status_code < 300
    led = {
        ids.uuid_of(affiliate["id"]): f"/events?affiliate={affiliate['id']}",
        ids.uuid_of(affiliate["membership"]["id"]): f"/events?affiliate={affiliate['id']}",
        ids.uuid_of(program["id"]): f"/events?program={program['id']}",
        f"whe_{ids.body_of(endpoint['id'])}": f"/deliveries?endpoint={endpoint['id']}",
        source["id"]: f"/inbox?source={source['id']}",
    }
    for text, path in led.items():
        answer = ask(text)
        assert answer.headers.get("location") == path
        assert ask_for(scene, path) == 200


def ask_for(scene, path):
    with client(scene, "admin") as opened:
        return opened.get(path).status_code


def test_control_characters_find_nobody(ask):
    answer = ask("\0")
    assert answer.status_code == 200
    assert 'ul class="hits"' not in answer.text


@pytest.mark.parametrize("text", ["\0", "%", "'; drop table x", "\u202e", "x" * 5000, "ia_00000000", "9" * 40, "in/"])
def test_nothing_that_is_pasted_breaks_it(ask, text):
    assert ask(text).status_code == 200
