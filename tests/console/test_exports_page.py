"""Exports of every list there is: the same rows as the page, in forms that neither lie nor run."""

import csv
import io
import json
import re

import httpx2
import pytest
from matrix import target

from affwire.console import exports
from affwire.console.exports import harmless
from affwire.console.listing import Listing
from affwire.console.pages import MODULES
from affwire.console.routes import Page
from affwire.console.security import PLAIN_NAME

ROUTES = [route for module in MODULES for route in module.ROUTES]
LISTS = sorted({route.path.removesuffix(".csv") for route in ROUTES if route.path.endswith(".csv")})
LISTINGS = {one.path: one for module in MODULES for one in vars(module).values() if isinstance(one, Listing)}
DETAILS = {
    "/deliveries/{delivery_id}": "/v1/deliveries",
    "/events/{event_id}": "/v1/events",
    "/programs/{program_id}": "/v1/programs",
    "/affiliates/{affiliate_id}": "/v1/affiliates",
    "/endpoints/{endpoint_id}": "/v1/endpoints",
    "/sources/{source_id}": "/v1/sources",
    "/inbox/{message_id}": "/v1/messages",
    "/jobs/{job_id}": "/v1/jobs",
    "/settings/mails/{mail_id}": "/v1/mails",
    "/settings/users/{user_id}": "/v1/users",
}
"""The pages of records that the API shows one by one, and where."""
ELSEWHERE = {"/settings/organization", "/settings/keys/{key_id}"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def ask(scene):
    cookies = {PLAIN_NAME: scene.token("admin")}
    with httpx2.Client(base_url=scene.server.url, cookies=cookies, trust_env=False, timeout=20) as client:
        yield client.get


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_a_file_of_each_kind_with_the_same_rows(ask, scene, path):
    path = target(scene, path)
    page = ask(f"{path}.json").raise_for_status().json()
    lines = ask(f"{path}.jsonl").raise_for_status()
    text = ask(f"{path}.csv").raise_for_status()
    records = [json.loads(line) for line in lines.text.splitlines()]
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert records[: len(page["data"])] == page["data"]
    assert rows[0] == list(records[0]) if records else rows[0]
    assert len(rows) - 1 == len(records)
    assert text.content.startswith(b"\xef\xbb\xbf"), "Excel knows UTF-8 by it"
    for answer in (lines, text):
        assert answer.headers["Affwire-Rows-Max"] == str(exports.ROWS_MAX)
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


@pytest.mark.parametrize("path", LISTS)
def test_no_cell_of_any_column_of_any_list_starts_a_formula(ask, scene, path):
    every = ",".join(column.name for column in LISTINGS[path].columns)
    text = ask(f"{target(scene, path)}.csv", params={"columns": every}).content.decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["id", *(name for name in every.split(",") if name != "id")]
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
        assert not cell.startswith("-") or re.fullmatch(r"-[0-9.]+", cell), cell


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("chosen", [False, True])
def test_a_file_names_each_record_by_its_id_first_whatever_columns_are_chosen(ask, scene, path, chosen):
    columns = LISTINGS[path].columns[0].name if chosen else ""
    path = target(scene, path)
    text = ask(f"{path}.csv", params={"columns": columns}).content.decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head[0] == "id"
    assert head.count("id") == 1
    assert all(row[0] for row in rows)


def test_a_file_of_endpoints_has_each_ones_url_beside_its_description(ask, scene):
    known = {one["id"]: one["url"] for one in scene.api.get("/v1/endpoints").raise_for_status().json()["data"]}
    filed = {one["id"]: one["url"] for one in ask("/endpoints.json").json()["data"]}
    assert filed
    assert filed.items() <= known.items()


@pytest.mark.parametrize("path", LISTS)
def test_every_page_shown_by_the_html_is_shown_by_the_json(ask, scene, path):
    page = next(route for route in ROUTES if isinstance(route, Page) and route.path == path)
    assert page.path == path
    listed = ask(f"{target(scene, path)}.json").json()["data"]
    html = ask(target(scene, path)).raise_for_status().text
    assert html.count("<tr data-row=") == len(listed)


def test_times_are_rfc_3339(ask):
    for record in ask("/deliveries.json?columns=created_at,due_at").json()["data"]:
        assert TIME.fullmatch(record["created_at"])
        assert record["due_at"] is None or TIME.fullmatch(record["due_at"])


def test_pages_of_the_json_follow_each_other_until_all_was_shown(ask):
    seen, cursor = [], None
    while True:
        page = ask(
            "/deliveries.json", params={"limit": 7, "columns": "id"} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [record["id"] for record in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    everything = [json.loads(line)["id"] for line in ask("/deliveries.jsonl?columns=id").text.splitlines()]
    assert seen == everything
    assert len(set(seen)) == len(seen)


def test_a_file_at_its_bound_says_how_to_go_on(ask, monkeypatch):
    everything = ask("/deliveries.jsonl?columns=id").text.splitlines()
    monkeypatch.setattr(exports, "ROWS_MAX", 20)
    monkeypatch.setattr(exports, "_PAGE", 10)
    *records, last = ask("/deliveries.jsonl?columns=id").text.splitlines()
    assert records == everything[:20]
    cursor = json.loads(last)["next_cursor"]
    assert ask(f"/deliveries.jsonl?columns=id&cursor={cursor}").text.splitlines()[:20] == everything[20:40]
    text = ask("/deliveries.csv?columns=id").text.splitlines()
    assert text[-1] == f"not all: the next file begins at cursor={cursor}"


def test_a_facet_narrows_the_file_as_it_narrows_the_page(ask):
    records = [json.loads(line) for line in ask("/deliveries.jsonl?status=exhausted&columns=status").text.splitlines()]
    assert records
    assert {record["status"] for record in records} == {"exhausted"}


@pytest.mark.parametrize(
    "text",
    ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n1", '"=1', "'=1", ' "+1', "\uff1d1", "\ufeff=1", "=HYPERLINK(1)"],
)
def test_what_starts_a_formula_is_a_text(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=1", "1-2", "", "x@example.org", -1, 1.5, None, True])
def test_what_starts_none_stays_as_it_is(value):
    assert harmless(value) == value


@pytest.mark.parametrize("route", sorted(DETAILS))
def test_the_json_of_a_record_is_what_the_api_shows_byte_for_byte(ask, scene, route):
    path = target(scene, route)
    shown = scene.api.get(f"{DETAILS[route]}/{path.rpartition('/')[2]}").raise_for_status()
    answer = ask(f"{path}.json").raise_for_status()
    assert answer.headers["Content-Type"] == shown.headers["Content-Type"] == "application/json"
    assert answer.content == shown.content


def test_the_json_of_an_organization_and_of_a_key_are_what_the_api_shows(ask, scene):
    own = scene.api.get(f"/v1/organizations/{scene.organization['id']}").raise_for_status()
    assert ask("/settings/organization.json").raise_for_status().content == own.content
    keys = {one["id"]: one for one in scene.api.get("/v1/keys").raise_for_status().json()["data"]}
    key_id = target(scene, "{key_id}")
    assert ask(f"/settings/keys/{key_id}.json").raise_for_status().json() == keys[key_id]


def test_a_sources_url_is_in_the_file_of_an_admin_only(ask, scene):
    path = f"{target(scene, '/sources/{source_id}')}.json"
    assert ask(path).json()["ingest_url"]
    cookies = {PLAIN_NAME: scene.token("viewer")}
    seen = httpx2.get(scene.server.url + path, cookies=cookies, trust_env=False).raise_for_status().json()
    assert seen["ingest_url"] is None


def test_no_page_of_a_record_is_without_its_json():
    pages = {route.path for route in ROUTES if isinstance(route, Page) and route.path.endswith("}")}
    files = {route.path.removesuffix(".json") for route in ROUTES if route.path.endswith(".json")}
    assert pages == set(DETAILS) | {one for one in ELSEWHERE if one.endswith("}")}
    assert set(DETAILS) | ELSEWHERE <= files
