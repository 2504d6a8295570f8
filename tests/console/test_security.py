"""What keeps the console safe, on every route there is: sessions, roles, organizations, forms, headers, escaping."""

import csv
import io
import re
from html.parser import HTMLParser

import httpx2
import pytest
from matrix import STREAMS, target
from scene import PASSWORD, PAYLOADS, Scene

from affwire.api.app import create_app
from affwire.console import pages
from affwire.console.attempts import PAIR_MAX
from affwire.console.front import API_PATHS
from affwire.console.routes import Action, Open
from affwire.console.security import HEADERS, PLAIN_NAME, form_token
from affwire.services import sessions, users

ROUTES = [route for module in pages.MODULES for route in module.ROUTES]
READING = [route.path for route in ROUTES if route.method == "GET" and not isinstance(route, Open)]
PAGES = [path for path in READING if path not in STREAMS and "." not in path]
ACTIONS = [route for route in ROUTES if isinstance(route, Action)]
ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browse(scene: Scene):
    """Returns a function: who (None: nobody) -> a client without a script, which follows no redirect by itself."""
    opened: list[httpx2.Client] = []

    def client(who: str | None, token: str | None = None) -> httpx2.Client:
        token = token or (scene.token(who) if who else None)
        headers = {"Cookie": f"{PLAIN_NAME}={token}"} if token else {}
        opened.append(httpx2.Client(base_url=scene.server.url, headers=headers, trust_env=False, timeout=20))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def test_every_route_can_be_asked_for_and_every_stream_is_one(scene):
    asked = {route.path: target(scene, route.path) for route in ROUTES}
    assert not [path for path in asked.values() if "{" in path]
    assert {path for path in asked if path.endswith("/live")} == STREAMS


def test_the_front_knows_every_path_of_the_api(scene):
    known = create_app(_desk()).openapi()["paths"]
    assert {path.split("/")[1] for path in known} | {"openapi.json"} - {""} <= API_PATHS


def _desk():
    from office import open_office

    return open_office().desk


@pytest.mark.parametrize("path", READING)
def test_nobody_sees_a_page_without_signing_in(scene, browse, path):
    answer = browse(None).get(target(scene, path))
    assert answer.status_code in {303, 401}
    assert "Acme" not in answer.text
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_headers(scene, browse, path):
    answer = browse("admin").get(target(scene, path))
    assert answer.headers["cache-control"] == "no-store"
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    for tag, attributes in tags(answer.text):
        assert tag != "style"
        assert tag != "script" or attributes["src"].startswith("/static/")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def tags(text: str) -> list[tuple[str, dict[str, str]]]:
    """Every tag of a page with its attributes, as a browser reads it."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(
        (tag, {name: value or "" for name, value in attributes})
    )
    parser.feed(text)
    return found


@pytest.mark.parametrize("path", PAGES)
def test_names_are_shown_inert_and_secrets_not_at_all(scene, browse, path):
    shown = browse("admin").get(target(scene, path)).text
    for payload in PAYLOADS[:4]:
        assert payload not in shown
    assert scene.organization["api_key"] not in shown
    for endpoint in scene.endpoints.values():
        assert endpoint.get("secret") is None or endpoint["secret"] not in shown


@pytest.mark.parametrize("path", READING)
def test_a_user_sees_nothing_of_another_organization(scene, browse, path):
    stranger, there = browse("stranger"), target(scene, path)
    own = {endpoint["id"] for endpoint in scene.endpoints.values() if endpoint["id"] not in there}
    if path not in STREAMS:
        answer = stranger.get(there)
        assert answer.status_code == (404 if "{" in path else answer.status_code)
        assert not any(one in answer.text for one in own)
        assert "person1@example.org" not in answer.text
    named = stranger.get(there + ("&" if "?" in there else "?") + "organization=acme")
    unknown = stranger.get(there + ("&" if "?" in there else "?") + "organization=nowhere")
    assert named.status_code == unknown.status_code == 404


@pytest.mark.parametrize("route", ACTIONS, ids=lambda one: one.path)
def test_a_form_is_refused_without_its_token_and_from_elsewhere(scene, browse, route):
    client, path = browse("admin"), target(scene, route.path)
    token = client.headers["cookie"].partition("=")[2]
    good = {"form_token": form_token(token)}
    for site in ("cross-site", "same-site", "none"):
        assert client.post(path, data=good, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert client.post(path, data=good, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(path, data=good).status_code == 403
    assert client.post(path, data={}, headers=ORIGIN).status_code == 403
    assert client.post(path, data={"form_token": form_token("another")}, headers=ORIGIN).status_code == 403
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("route", ACTIONS, ids=lambda one: one.path)
def test_a_role_may_do_what_its_scope_covers(scene, browse, route):
    for role, scopes in (("viewer", {"read"}), ("editor", {"read", "registry"})):
        client = browse(role)
        good = {"form_token": form_token(client.headers["cookie"].partition("=")[2])}
        if route.scope not in scopes:
            assert client.post(target(scene, route.path), data=good, headers=ORIGIN).status_code == 403


def test_a_wrong_password_says_nothing_of_which_part_is_wrong(scene, browse):
    answers = [
        browse(None).post("/sign-in", data={"email": email, "password": "x" * 12}, headers=ORIGIN)
        for email in ("viewer@acme.test", "nobody@acme.test")
    ]
    said = [re.sub(r'value="[^"]*"', "", answer.text) for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert said[0] == said[1]


def test_a_password_signs_in_with_a_session_of_its_own(scene, browse):
    former = scene.token("viewer")
    client = browse(None, former)
    form = {"email": "ADMIN@acme.test", "password": PASSWORD, "next": "//evil.example"}
    answer = client.post("/sign-in", data=form, headers=ORIGIN)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert former not in cookie
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert browse(None, former).get("/").status_code == 303
    token = cookie.partition("=")[2].partition(";")[0]
    assert browse(None, token).get("/").status_code == 200


def test_beyond_localhost_the_cookie_is_secure_and_the_hosts_own(scene, browse):
    form = {"email": "admin@acme.test", "password": PASSWORD}
    answer = browse(None).post("/sign-in", data=form, headers={**ORIGIN, "Host": "console.acme.test"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-affwire=")
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


@pytest.mark.parametrize("email", ["guessed@acme.test", "editor@acme.test", "\x00", "a" * 9_000])
def test_guessing_ends_after_a_few_tries_whether_there_is_such_an_account_or_not(scene, browse, email):
    form, client, place = {"email": email, "password": "x" * 12}, browse(None), {"X-Forwarded-For": "192.0.2.1"}
    for _ in range(PAIR_MAX):
        assert client.post("/sign-in", data=form, headers=ORIGIN | place).status_code == 401
    assert client.post("/sign-in", data=form, headers=ORIGIN | place).status_code == 429


def test_wrong_passwords_of_somebody_else_do_not_lock_the_owner_out(scene, browse):
    client, form = browse(None), {"email": "admin@acme.test", "password": "x" * 12}
    for _ in range(PAIR_MAX + 1):
        last = client.post("/sign-in", data=form, headers=ORIGIN | {"X-Forwarded-For": "192.0.2.7"})
    assert last.status_code == 429
    form["password"] = PASSWORD
    there = client.post("/sign-in", data=form, headers=ORIGIN | {"X-Forwarded-For": "192.0.2.7"})
    elsewhere = client.post("/sign-in", data=form, headers=ORIGIN | {"X-Forwarded-For": "198.51.100.7"})
    assert (there.status_code, elsewhere.status_code) == (429, 303)


def test_a_link_signs_in_once_and_looking_at_it_uses_nothing_up(scene, browse):
    link = scene.server.run(lambda tx: sessions.invite(tx, scene.users["viewer"])).token
    client = browse(None)
    sent_on = client.get(f"/?token={link}")
    assert sent_on.headers["location"] == f"/sign-in?token={link}"
    for _ in range(3):
        assert "Continue to the console" in client.get(f"/sign-in?token={link}").text
    first = client.post("/sign-in/link", data={"token": link}, headers=ORIGIN)
    second = client.post("/sign-in/link", data={"token": link}, headers=ORIGIN)
    assert (first.status_code, second.status_code) == (303, 401)
    assert "Continue" not in client.get(f"/sign-in?token={link}").text


def test_signing_out_ends_the_session_in_the_store(scene, browse):
    token = scene.token("viewer")
    client = browse(None, token)
    assert client.post("/sign-out", data={"form_token": form_token(token)}, headers=ORIGIN).status_code == 303
    assert client.get("/").status_code == 303


def test_a_disabled_user_and_a_changed_role_take_effect_at_once(scene, browse):
    user = scene.server.run(
        lambda tx: users.add(tx, email="brief@acme.test", role="editor", organization_id=scene.organization["id"])
    )
    token = scene.server.run(lambda tx: sessions.open_session(tx, user))
    client = browse(None, token)
    form = {"form_token": form_token(token), "submission": "first", "confirmed": "1"}
    path = "/deliveries/replay?id=dlv_none"
    assert client.post(path, data=form, headers=ORIGIN).status_code == 404
    user = scene.server.run(lambda tx: users.change_role(tx, user, "viewer"))
    assert client.post(path, data=form, headers=ORIGIN).status_code == 403
    assert client.get(path).status_code == 403
    assert client.get("/").status_code == 200
    scene.server.run(lambda tx: users.disable(tx, user))
    assert client.get("/").status_code == 303


def test_no_cell_of_an_export_starts_a_formula(scene, browse):
    text = browse("admin").get("/deliveries.csv").text
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) > 100
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_page_that_is_not_there_says_what_to_do(scene, browse):
    for who in ("admin", None):
        answer = browse(who).get("/nowhere")
        assert answer.status_code == 404
        assert "What to do" in answer.text


def test_static_files_are_kept_and_nothing_else_is_served(scene, browse):
    shown = browse("admin").get("/").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', shown):
        answer = browse(None).get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert b"http://" not in answer.content.replace(b"http://www.w3.org/2000/svg", b"")
    assert browse(None).get("/static/x/../app.py").status_code == 404


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_pages_are_small_for_whoever_asks(scene, browse, who):
    client, query = browse(who), "organization=acme"
    for path in PAGES:
        there = target(scene, path)
        if who == "operator":
            there += f"&{query}" if "?" in there else f"?{query}"
        assert len(client.get(there).content) <= 50_000, path


@pytest.mark.parametrize("path", [path for path in READING if path.rpartition(".")[2] in {"csv", "json", "jsonl"}])
def test_a_file_asked_for_without_a_session_is_refused_as_a_file_and_leads_to_no_page(scene, browse, path):
    answer = browse(None).get(target(scene, path))
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page_through_sign_in(scene, browse):
    client, page = browse(None), "/programs?order=oldest"
    told = {**ORIGIN, "Referer": f"{scene.server.url}{page}"}
    answer = client.post("/programs", data={"name": "Lost"}, headers=told)
    assert answer.status_code == 401
    way = re.search(r'href="(/sign-in\?next=[^"]+)"', answer.text)[1]
    assert 'name="next" value="/programs?order=oldest"' in client.get(way).text
    without = client.post(f"/programs/{scene.programs[0]['id']}/publish", headers=ORIGIN)
    assert f"next=%2Fprograms%2F{scene.programs[0]['id']}" in without.text
    foreign = client.post("/programs", headers={**ORIGIN, "Referer": "https://evil.example/x"})
    assert "evil" not in foreign.text


def test_a_huge_address_is_not_sent_back_by_the_sign_in_page(browse):
    form = {"email": "a" * 900_000, "password": "x" * 12, "next": "/" + "n" * 50_000}
    answer = browse(None).post("/sign-in", data=form, headers=ORIGIN | {"X-Forwarded-For": "192.0.2.77"})
    assert answer.status_code == 401
    assert len(answer.content) < 10_000
