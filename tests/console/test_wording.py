"""What pages say: whose zone a time is in, what became of an act, why somebody is needed. Asked for without a browser."""

import re
from html import unescape

import httpx2
import pytest
from matrix import STREAMS, target
from msgspec import structs

from affwire.console import causes, pages
from affwire.console.routes import Page
from affwire.console.security import PLAIN_NAME
from affwire.console.words import Words
from affwire.model.endpoints import DISABLED_BY_OWNER, Endpoint
from affwire.model.health import EndpointHealth
from affwire.model.times import parse
from affwire.services import erasure, health
from affwire.services.deliveries import GONE

TOKEN = re.compile(r'name="(form_token|submission)" value="([^"]+)"')
TIME = re.compile(r"<time[^>]*>")
FULL = re.compile(r'<time datetime="\d{4}-\d\d-\d\dT[\d:.]+(Z" title="\d{4}-\d\d-\d\d [\d:.]+)?[+-]\d\d:\d\d">')
PAGES = [route.path for module in pages.MODULES for route in module.ROUTES if isinstance(route, Page)]
NOW = parse("2026-11-20T12:00:00.000Z")


@pytest.fixture
def browser(scene):
    cookies = {PLAIN_NAME: scene.token("admin")}
    with httpx2.Client(
        base_url=scene.server.url,
        cookies=cookies,
        headers={"Sec-Fetch-Site": "same-origin"},
        follow_redirects=True,
        trust_env=False,
        timeout=20,
    ) as client:
        yield client


def shown(browser, path):
    return browser.get(path).raise_for_status().text


def hidden(page):
    """What every form of a page carries."""
    return dict(TOKEN.findall(page))


def flash(browser, path, back="/", **fields):
    """What the page after an act says. The token of a form is the same on every page of a session."""
    page = browser.post(path, data=hidden(shown(browser, back)) | fields).raise_for_status().text
    found = re.search(r'<div class="flash (good|bad)".*?<p>(.*?)</p>', page, re.DOTALL)
    assert found, "no flash"
    return found[1], unescape(found[2])


@pytest.mark.parametrize("path", sorted({path for path in PAGES if path not in STREAMS}))
def test_every_page_says_whose_time_it_shows_and_each_time_is_known_with_its_offset(scene, browser, path):
    page = shown(browser, target(scene, path))
    assert page.count("Times are in Europe/Berlin (UTC+0") == 1
    assert all(FULL.match(one) for one in TIME.findall(page)), TIME.findall(page)[:3]


def test_an_export_has_its_times_in_utc_with_the_zone(scene, browser):
    rows = browser.get("/events.json").raise_for_status().json()["data"]
    assert rows
    assert all(re.fullmatch(r"[\d-]+T[\d:.]+Z", row["occurred_at"]) for row in rows)


def test_in_utc_the_zone_needs_no_offset():
    assert Words(NOW).zone == "UTC"
    assert Words(NOW, "Asia/Kathmandu").zone == "Asia/Kathmandu (UTC+05:45)"


@pytest.mark.parametrize(
    ("gap_ms", "said"),
    [(26, "38 a second"), (0, "1 000 a second"), (1_500, "one every 1.5 s"), (7_200_000, "one every 2 h"), (None, "–")],
)
def test_how_often_something_comes_is_said_as_people_say_it(gap_ms, said):
    assert Words(NOW).pace(gap_ms).replace("\u202f", " ") == said


def test_a_policy_is_said_in_days_and_minutes_not_in_seconds(scene, browser):
    policy = {"retry_schedule": [60, 259_200], "read_timeout": 60}
    made = scene.made("/v1/endpoints", {"url": scene.receiver.url("/policy"), "dialect": "standard", "policy": policy})
    page = shown(browser, f"/endpoints/{made['id']}?tab=settings").replace("\u202f", " ")
    assert "1 min, 3 days" in page
    assert "<dd>1 min <small>its own" in page
    assert "259200" not in page
    scene.api.delete(f"/v1/endpoints/{made['id']}")


def endpoint(**fields):
    one = Endpoint(
        id="ep_1",
        organization_id="org_1",
        number=1,
        url="https://a.example/x",
        dialect="standard",
        created_at=0,
        updated_at=0,
    )
    return type(one)(**{name: getattr(one, name) for name in one.__struct_fields__} | fields)


def why(one, **fields):
    known = EndpointHealth(endpoint_id=one.id, **fields)
    return causes.of_endpoint(one, health.state(one, known), known, Words(NOW))


def test_an_endpoint_that_the_receivers_410_disabled_says_so_and_how_it_is_enabled():
    said = why(endpoint(enabled=False, disabled_reason=GONE, disabled_at=NOW - 60_000))
    assert "The receiver answered 410 Gone (<time" in said.happened
    assert ">11:59:00<" in said.happened
    assert "do not send any more" in said.cause
    assert (said.path, said.button, said.act) == ("/endpoints/ep_1/enable", "Enable it again", True)


def test_one_that_failed_for_days_says_for_how_long_and_with_what():
    said = why(endpoint(enabled=False, disabled_reason=health.HOPELESS, disabled_at=NOW), last_error="HTTP 503")
    assert health.HOPELESS in said.happened
    assert said.cause == "The receiver failed: its own log has the reason."
    assert said.mend.endswith("Enable it then: what is held goes out.")


@pytest.mark.parametrize(
    ("error", "begins"),
    [("HTTP 503", "It answers HTTP 503: 3 failures"), ("timeout_read", "It does not answer in time: 3 failures")],
)
def test_one_that_fails_says_so_in_a_sentence(error, begins):
    said = why(endpoint(), last_error=error, failures_in_row=3, failing_since=NOW - 60_000)
    assert said.happened.startswith(begins)
    assert error.startswith("HTTP") or error not in said.happened + said.cause + said.mend


def test_one_that_its_owner_disabled_or_that_is_well_needs_nobody():
    off = endpoint(enabled=False)
    assert (off.waits_because, why(off), why(endpoint())) == (DISABLED_BY_OWNER, None, None)


@pytest.mark.parametrize("error", causes._BY_ERROR)
def test_every_kind_of_failure_has_sentences(error):
    said = why(endpoint(), last_error=error, failures_in_row=1, failing_since=NOW)
    assert said.cause == causes._BY_ERROR[error][0]


def test_home_says_in_sentences_who_needs_somebody(scene, browser):
    listed = re.search(r'<ul class="calls">.*?</ul>', shown(browser, "/"), re.DOTALL)[0]
    notes = [
        unescape(re.sub("<[^>]+>", "", one)) for one in re.findall(r'<p class="note">(.*?)</p>', listed, re.DOTALL)
    ]
    assert notes
    assert all(note.endswith(".") and note[0].isupper() for note in notes), notes
    assert not re.search(r"\b[a-z]+_[a-z]+\b", " ".join(notes))


def test_the_button_of_what_was_given_up_leads_to_sending_it_again(scene, browser):
    calls = re.findall(r"<li>(.*?)</li>", shown(browser, "/"), re.DOTALL)
    [given_up] = [one for one in calls if "given up" in one]
    path = unescape(re.search(r'class="button" href="([^"]+)">Send again<', given_up)[1])
    assert path.startswith("/deliveries/replay-all?")
    assert "status=exhausted" in path
    assert "Send" in shown(browser, path)


def test_what_an_endpoint_is_called_stands_before_its_url(scene, browser):
    event = scene.listed("/v1/events", type="membership.activated")[0]
    page = shown(browser, f"/events/{event['id']}")
    fates = re.search(r'<ul class="fates">.*?</ul>', page, re.DOTALL)[0]
    one = scene.endpoints["affonso"]
    assert f'title="{one["url"]}"' in fates
    assert "<bdi>affonso of Acme</bdi>" in fates
    assert f">{one['url']}<" not in fates


def test_after_an_act_the_page_says_what_became_of_what(scene, browser):
    kim = scene.made("/v1/affiliates", {"email": "kim.flash@example.org", "first_name": "Kim", "last_name": "Flash"})
    program = scene.made("/v1/programs", {"name": "Flashes", "currency": "EUR"})
    here = f"/affiliates/{kim['id']}"
    assert flash(browser, f"{here}/memberships", program_id=program["id"], status="pending") == (
        "good",
        "Kim Flash is pending in Flashes.",
    )
    membership = scene.listed("/v1/memberships", affiliate_id=kim["id"])[0]["id"]
    there = f"{here}/memberships/{membership}"
    assert flash(browser, f"{there}/change", tag="gold") == ("good", "The tag of Kim Flash in Flashes is “gold”.")
    assert flash(browser, f"{there}/change", tag="")[1] == "The tag of Kim Flash in Flashes is taken away."
    assert flash(browser, f"{there}/approve")[1] == "Kim Flash is active in Flashes."
    assert flash(browser, f"{here}/confirm")[1] == "The address kim.flash@example.org of Kim Flash is confirmed."
    assert flash(browser, f"/programs/{program['id']}/publish", public="1")[1] == "Flashes takes applications now."
    scene.api.delete(f"/v1/affiliates/{kim['id']}")
    scene.api.delete(f"/v1/programs/{program['id']}")


def test_what_was_deleted_meanwhile_is_not_said_to_be_unchanged(scene, browser):
    gone = scene.made("/v1/programs", {"name": "Gone", "currency": "EUR"})
    token = hidden(shown(browser, f"/programs/{gone['id']}"))
    scene.api.delete(f"/v1/programs/{gone['id']}").raise_for_status()
    answer = browser.post(f"/programs/{gone['id']}/delete", data=token | {"confirmed": "1"})
    assert answer.status_code == 404
    assert gone["id"] in answer.text
    assert "it was deleted" in answer.text
    assert "was changed" not in answer.text


def test_in_a_deleted_program_nothing_is_offered(scene, browser):
    program = scene.made("/v1/programs", {"name": "Ends", "currency": "EUR"})
    wish = {"email": "ends@example.org", "program_id": program["id"], "membership": {"tag": "kept"}}
    made = scene.made("/v1/affiliates", wish)
    here, save = f"/affiliates/{made['id']}", "Save tag"
    assert save in shown(browser, here)
    scene.api.delete(f"/v1/programs/{program['id']}", params={"force": "true"}).raise_for_status()
    page = shown(browser, here)
    assert "The program was deleted: nothing is left to change here." in page
    assert "Tag: kept" in page
    assert save not in page
    assert f"{here}/memberships/" not in page
    scene.api.delete(f"/v1/affiliates/{made['id']}")


def test_of_somebody_erased_an_events_page_says_so_and_when(scene, browser):
    made = scene.made("/v1/affiliates", {"email": "erased@example.org", "first_name": "Erased"})
    event = scene.listed("/v1/events", affiliate_id=made["id"])[0]
    assert "was erased" not in shown(browser, f"/events/{event['id']}")
    scene.api.delete(f"/v1/affiliates/{made['id']}", params={"erase": "true"}).raise_for_status()
    for one in scene.listed("/v1/events", affiliate_id=made["id"]):
        for held in scene.listed("/v1/deliveries", event_id=one["id"], status="held"):
            scene.api.post(f"/v1/deliveries/{held['id']}/cancel").raise_for_status()
    scene.settled()
    scene.server.run(lambda tx: erasure.erase_due(tx, limit=100))
    page = shown(browser, f"/events/{event['id']}")
    assert "The person it is about was erased (<time" in page
    assert "somebody who was erased" in page
    assert "no e-mail" not in page


@pytest.mark.parametrize(
    ("disabled", "away", "said"), [(False, 60_000, "goes"), (False, -19_000, "is due"), (True, -19_000, "")]
)
def test_a_probe_is_said_to_go_only_where_one_goes_and_never_in_the_past(scene, browser, disabled, away, said):
    made = scene.made("/v1/endpoints", {"url": scene.receiver.url("/probe"), "dialect": "standard"})["id"]

    def fail(tx):
        one = tx.registry.endpoints([made])[made]
        if disabled:
            tx.registry.update(structs.replace(one, enabled=False, disabled_reason=GONE, disabled_at=tx.now))
        known = tx.health.get(made)
        tx.health.put(
            structs.replace(known, failures_in_row=9, failing_since=tx.now, trips=1, tripped_until=tx.now + away)
        )

    scene.server.run(fail)
    page = shown(browser, f"/endpoints/{made}")
    scene.api.delete(f"/v1/endpoints/{made}").raise_for_status()
    assert 'class="failure"' in page
    assert ("The next probe" in page) == bool(said)
    assert f"The next probe {said}" in page or disabled
