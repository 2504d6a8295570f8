"""Queries: what cannot be meant is said, with the parameter and what there is; a page is never silently empty or wider."""

import httpx2
import pytest
from matrix import STREAMS, target
from starlette.routing import compile_path

from affwire.console.pages import MODULES
from affwire.console.routes import Answer, Page
from affwire.console.security import PLAIN_NAME
from affwire.model import ids

ROUTES = [route for module in MODULES for route in module.ROUTES]
PATHS = sorted({route.path for route in ROUTES})
PAGES = sorted({route.path for route in ROUTES if isinstance(route, Page)})
READING = sorted({route.path for route in ROUTES if isinstance(route, (Page, Answer))})
LISTS = sorted({path.removesuffix(".csv") for path in PATHS if path.endswith(".csv")})
UNKNOWN = {kind: ids.make(kind, 1, 1) for kind in ("affiliate", "program")}
BOGUS = [
    ("/deliveries?status=lost", 422, "status", "exhausted"),
    ("/deliveries?outcome=maybe", 422, "outcome", "unknown"),
    ("/deliveries?dialect=klingon", 422, "dialect", "growi"),
    ("/deliveries?type=membership.activate", 422, "type", "membership.activated"),
    ("/deliveries?endpoint=ep_none", 404, "endpoint", "no such record"),
    ("/deliveries?event=evt_none", 404, "event", "no such record"),
    ("/deliveries?since=yesterday", 422, "since", "RFC 3339"),
    ("/deliveries?since=9999-12-31T00:00:00Z", 422, "since", "future"),
    ("/events?type=nothing", 422, "type", "affiliate.created"),
    ("/events?subject=zz", 404, "subject", "no such record"),
    ("/events?affiliate=prg_0000000000000000000000000", 404, "affiliate", "no such record"),
    (f"/events?affiliate={UNKNOWN['affiliate']}", 404, "affiliate", "no such record"),
    (f"/events?program={UNKNOWN['program']}", 404, "program", "no such record"),
    (f"/events?subject={UNKNOWN['affiliate']}", 404, "subject", "no such record"),
    (f"/inbox?affiliate={UNKNOWN['affiliate']}", 404, "affiliate", "no such record"),
    ("/affiliates?q=%00", 422, "q", "control"),
    ("/inbox?word=%00", 422, "word", "control"),
    ("/inbox?status=zz", 422, "status", "parked"),
    ("/inbox?source=src_none", 404, "source", "no such record"),
    ("/affiliates?status=zz", 422, "status", "pending"),
    ("/affiliates?account=zz", 422, "account", "suspicious"),
    ("/affiliates?program=prg_none", 404, "program", "no such record"),
    ("/affiliates?group=grp_none", 404, "group", "no such record"),
    ("/endpoints?dialect=zz", 422, "dialect", "growi"),
    ("/settings/mails?status=zz", 422, "status", "unsent"),
    ("/settings/mails?kind=zz", 422, "kind", "confirm"),
]
ODD = [
    ("/?period=zz", 422, "period", "span"),
    ("/?span=zz", 422, "span", "7d"),
    ("/?span=1h&span=7d", 400, "span", "more than once"),
    ("/deliveries?order=up", 422, "order", "oldest"),
    ("/deliveries?limit=0", 422, "limit", "40"),
    ("/deliveries?limit=41", 422, "limit", "40"),
    ("/deliveries?columns=zz", 422, "columns", "attempts"),
    ("/endpoints/{endpoint_id}?tab=zz", 422, "tab", "recover"),
    ("/endpoints/{endpoint_id}?span=2h", 422, "span", "24h"),
    ("/deliveries/{delivery_id}?tab=zz", 422, "tab", "signature"),
    ("/deliveries/{delivery_id}?attempt=99", 404, "attempt", "no try 99"),
    ("/deliveries/{delivery_id}?attempt=last", 422, "attempt", "whole number"),
    ("/affiliates/{affiliate_id}?before=zz", 422, "before", "whole number"),
    ("/events/{event_id}?dialect=klingon", 404, "dialect", "klingon"),
    ("/deliveries/{delivery_id}.json?tab=request", 422, "tab", "no parameter"),
]


@pytest.fixture(scope="module")
def client(scene):
    cookies = {PLAIN_NAME: scene.token("admin")}
    with httpx2.Client(base_url=scene.server.url, cookies=cookies, trust_env=False, timeout=20) as client:
        yield client


def asked(scene, path):
    path, _, query = path.partition("?")
    return f"{target(scene, path)}?{query}"


@pytest.mark.parametrize("query", BOGUS + ODD, ids=lambda one: one[0])
def test_a_query_that_cannot_be_meant_is_refused_with_what_there_is(scene, client, query):
    path, status, parameter, said = query
    answer = client.get(asked(scene, path))
    assert answer.status_code == status
    assert parameter in answer.text
    assert said in answer.text


@pytest.mark.parametrize("bogus", BOGUS, ids=lambda one: one[0])
@pytest.mark.parametrize("ending", ["json", "jsonl", "csv"])
def test_a_file_that_cannot_be_meant_is_refused_as_the_api_refuses(client, bogus, ending):
    path, status, parameter, said = bogus
    answer = client.get(path.replace("?", f".{ending}?", 1))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "attachment" not in answer.headers.get("Content-Disposition", "")
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert problem["errors"][0]["parameter"] == parameter
    assert said in problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/deliveries/live?status=lost", "/inbox/live?nothing=1", "/events/live?after=zz"])
def test_a_feed_that_cannot_be_meant_does_not_begin(client, path):
    assert client.get(path).status_code == 422


def test_no_page_takes_a_parameter_that_it_does_not_know(scene, client):
    paths = [target(scene, path) for path in READING if path not in STREAMS]
    shown = [path for path in paths if client.get(path).status_code == 200]
    assert len(shown) > len(paths) * 0.7, "the others lead elsewhere, or their records are not fit for them"
    for path in shown:
        answer = client.get(path + ("&" if "?" in path else "?") + "stauts=failed")
        assert (path, answer.status_code) == (path, 422)
        assert "stauts" in answer.text


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", ["zz", "-1", "9" * 19, "\u0661"])
def test_a_cursor_that_no_page_gave_is_refused(scene, client, path, cursor):
    for ending in ("", ".json", ".csv"):
        answer = client.get(f"{target(scene, path)}{ending}", params={"cursor": cursor})
        assert answer.status_code == 422
        assert "cursor" in answer.text


@pytest.mark.parametrize("path", ["/deliveries/dlv_none.json", "/events/evt_none.json", "/nothing.json"])
def test_a_record_that_is_not_there_is_a_problem_where_data_were_asked_for(client, path):
    answer = client.get(path)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_console_and_api_refuse_a_time_that_has_not_begun_alike(scene, client):
    later = {"since": "9999-12-31T00:00:00Z"}
    for noun, api in (("deliveries", "deliveries"), ("inbox", "messages")):
        ours = client.get(f"/{noun}.json", params=later).json()
        theirs = scene.api.get(f"/v1/{api}", params=later).json()
        assert {name: ours[name] for name in ("status", "code", "detail")} == {
            name: theirs[name] for name in ("status", "code", "detail")
        }


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_a_page_has_not_is_405_with_those_it_has(scene, client, path):
    there = target(scene, path)
    plain = there.partition("?")[0]
    own = {route.method for route in ROUTES if compile_path(route.path)[0].match(plain)}
    own |= {"HEAD"} if "GET" in own else set()
    for method in {"PUT", "PATCH", "DELETE", "OPTIONS", "GET", "POST"} - own:
        answer = client.request(method, there)
        assert answer.status_code == 405, method
        assert set(answer.headers["Allow"].split(", ")) == own


def test_a_static_file_is_only_read(client):
    page = client.get("/").text
    path = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    assert client.get(path).status_code == 200
    answer = client.put(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_sign_in_link_is_shown_to_who_is_signed_in_already_and_leaves_the_url(client):
    answer = client.get("/?token=abc", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?token=abc")
