"""Forms whose answer shows a secret once: sent again, as by F5, they do nothing again."""

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx2
import pytest
from matrix import target
from sqlalchemy import select

from affwire.api.writing import _KEY
from affwire.console.pages import MODULES
from affwire.console.routes import Action, Answer
from affwire.console.security import PLAIN_NAME
from affwire.store.tables import idempotency

SUBMISSION = re.compile(r'name="submission" value="(req_[0-9a-z]{26})"')
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')
NUMBERS = count(1)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
ROUTES = [route for module in MODULES for route in module.ROUTES]
SHOWN = {route.path for route in ROUTES if isinstance(route, Answer)}
KEEPS_NOTHING = {"/sign-out", "/playground", "/playground/signature", "/endpoints/{endpoint_id}/test"}
KEEPS_NOTHING |= {f"/playground/receiver/{act}" for act in ("tell", "judge", "clear", "use")}
"""They change no record, or (`use`) judge an address first, which here leads to nobody's receiver."""
CHANGING = [route for route in ROUTES if isinstance(route, Action) and route.path not in KEEPS_NOTHING]
FILLED = {
    "/programs/{program_id}/publish": {"public": "1"},
    "/endpoints/{endpoint_id}/rotate": {"overlap": "0"},
}


@pytest.fixture
def client(scene):
    headers = {"Origin": scene.server.url}
    cookies = {PLAIN_NAME: scene.token("admin")}
    with httpx2.Client(
        base_url=scene.server.url, cookies=cookies, headers=headers, trust_env=False, timeout=20
    ) as client:
        yield client


def form(client, page):
    """The hidden fields of a page's form."""
    html = client.get(page).raise_for_status().text
    return {"form_token": TOKEN.search(html)[1], "submission": SUBMISSION.search(html)[1]}


def listed(scene, path):
    return [one["id"] for one in scene.api.get(path, params={"limit": 100}).raise_for_status().json()["data"]]


ACTS = {
    "endpoint": ("/endpoints/new?dialect=standard", "/endpoints", "/v1/endpoints"),
    "key": ("/settings/keys/new", "/settings/keys", "/v1/keys"),
    "source": ("/sources/new?dialect=tamio", "/sources", "/v1/sources"),
    "program": ("/programs/new", "/programs", "/v1/programs"),
    "affiliate": ("/affiliates/new", "/affiliates", "/v1/affiliates"),
}


def filled(scene, act):
    number = next(NUMBERS)
    return {
        "program": {"name": f"Once {number}", "currency": "EUR", "payout_delay": "0"},
        "affiliate": {"email": f"once{number}@made.example", "status": "active", "membership_status": "active"},
        "endpoint": {"dialect": "standard", "url": scene.receiver.url(f"/once-{number}")},
        "key": {"name": f"Once {number}", "scope": "read"},
        "source": {"dialect": "tamio", "name": f"Once {number}", "mode": "relay", "match": "id", "unverified": "1"},
    }[act]


@pytest.fixture(params=sorted(ACTS))
def made(request, scene, client):
    """What is sent to make a record, where, and where the API lists such; what was made goes afterwards."""
    page, path, api = ACTS[request.param]
    before = listed(scene, api)
    yield path, form(client, page) | filled(scene, request.param), api
    for one in set(listed(scene, api)) - set(before):
        scene.api.delete(f"{api}/{one}").raise_for_status()


def assert_says_that_it_was_done(answer):
    assert answer.status_code == 409
    assert "It was done already" in answer.text
    assert "shown once" in answer.text


def test_a_form_sent_again_makes_no_second_record_and_says_that_it_was_done(scene, client, made):
    path, data, api = made
    before = listed(scene, api)
    first = client.post(path, data=data)
    assert first.status_code in {200, 303}, first.text
    after = listed(scene, api)
    assert len(after) == len(before) + 1
    assert_says_that_it_was_done(client.post(path, data=data))
    assert listed(scene, api) == after


def test_a_button_pressed_twice_at_once_makes_one_record(scene, client, made):
    path, data, api = made
    before = listed(scene, api)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.post(path, data=data).status_code, range(4)))
    assert sorted(answers)[1:] == [409, 409, 409]
    assert len(listed(scene, api)) == len(before) + 1


def test_a_form_without_its_submission_is_refused_and_makes_nothing(scene, client, made):
    path, data, api = made
    before = listed(scene, api)
    del data["submission"]
    assert client.post(path, data=data).status_code in {403, 422}
    assert listed(scene, api) == before


@pytest.mark.parametrize("route", CHANGING, ids=lambda one: one.path)
def test_no_form_changes_anything_without_its_submission(scene, client, route):
    path = target(scene, route.path)
    sent = {"form_token": TOKEN.search(client.get("/").text)[1]}
    if route.path in SHOWN:
        sent |= dict(HIDDEN.findall(client.get(path).raise_for_status().text)) | sent
        del sent["submission"]
    answer = client.post(path, data=sent | FILLED.get(route.path, {}))
    if answer.status_code == 303:  # what is shown first is shown, and no more
        assert 'name="shown"' in client.get(answer.headers["location"]).text
    else:
        assert answer.status_code in {403, 409, 422}


def test_a_form_done_once_leads_to_the_page_that_it_stands_under(scene, client):
    program = scene.programs[0]["id"]
    data = form(client, f"/programs/{program}") | {"public": "1"}
    answers = [client.post(f"/programs/{program}/publish", data=data) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 409]
    assert f'href="/programs/{program}"' in answers[1].text


def test_a_form_that_was_refused_can_be_sent_again(scene, client):
    data = form(client, "/settings/keys/new") | {"name": "", "scope": "read"}
    assert [client.post("/settings/keys", data=data).status_code for _ in range(2)] == [422, 422]


def test_a_secret_rotated_is_not_rotated_again_by_a_reload(scene, client):
    wish = {"url": scene.receiver.url("/reloaded"), "dialect": "standard"}
    path = f"/endpoints/{scene.made('/v1/endpoints', wish)['id']}"
    data = form(client, f"{path}?tab=secret") | {"overlap": "3600"}
    assert client.post(f"{path}/rotate", data=data).status_code == 200
    known = scene.api.get(f"/v1{path}").json()["secrets"]
    assert_says_that_it_was_done(client.post(f"{path}/rotate", data=data))
    assert scene.api.get(f"/v1{path}").json()["secrets"] == known
    assert client.post(f"{path}/rotate", data=data | form(client, f"{path}?tab=secret")).status_code == 200
    scene.api.delete(f"/v1{path}").raise_for_status()


def test_an_invitation_reloaded_makes_no_second_link(scene, client):
    path = f"/settings/users/{scene.users['viewer'].id}"
    data = form(client, path)
    first = client.post(f"{path}/link", data=data)
    assert "/?token=" in first.text
    again = client.post(f"{path}/link", data=data)
    assert_says_that_it_was_done(again)
    assert "/?token=" not in again.text


def test_no_idempotency_key_of_the_api_can_name_a_form(scene, client):
    data = form(client, "/settings/keys/new") | {"name": "Noted", "scope": "read"}
    assert client.post("/settings/keys", data=data).status_code == 200
    query = select(idempotency.c.key).where(idempotency.c.fingerprint == "form")
    names = scene.server.run(lambda tx: tx.connection.execute(query).scalars().all())
    assert names
    assert not any(_KEY.fullmatch(name) for name in names)


def test_a_form_sent_again_after_a_restart_does_nothing(scene, client):
    data = form(client, "/settings/keys/new") | {"name": "Before a restart", "scope": "read"}
    assert client.post("/settings/keys", data=data).status_code == 200
    keys = listed(scene, "/v1/keys")
    scene.server.restart()
    assert_says_that_it_was_done(client.post("/settings/keys", data=data))
    assert listed(scene, "/v1/keys") == keys


def test_a_page_with_a_secret_reloaded_in_a_browser_says_that_it_was_done(open_tab, scene):
    tab = open_tab()
    tab.allowed = {409}
    tab.go("/settings/keys/new")
    tab.page.fill("[name=name]", "Reloaded")
    tab.page.click("text=Make the key")
    assert tab.page.locator(".code code").count() == 1
    keys = listed(scene, "/v1/keys")
    tab.page.reload()
    assert "It was done already" in tab.page.inner_text(".repeated")
    tab.shot("repeated")
    assert listed(scene, "/v1/keys") == keys
