"""Lists in pages, and cursors that come from us alone."""

import pytest
from office import refused


@pytest.fixture
def five(admin):
    return [admin.made("/v1/groups", name=f"G{n}")["id"] for n in range(5)]


def walk(admin, path, limit):
    seen, cursor, pages = [], None, 0
    while pages < 20:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = admin.get(path, **params).json()
        seen += [one["id"] for one in page["data"]]
        pages += 1
        cursor = page["next_cursor"]
        if cursor is None:
            return seen, pages
    raise AssertionError("no end")


@pytest.mark.parametrize(("limit", "pages"), [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1), (200, 1)])
def test_pages_hold_everything_once_in_order(admin, five, limit, pages):
    assert walk(admin, "/v1/groups", limit) == (five, pages)


def test_a_record_made_between_two_pages_moves_nothing(admin, five):
    first = admin.get("/v1/groups", limit=2).json()
    late = admin.made("/v1/groups", name="late")["id"]
    rest = admin.get("/v1/groups", cursor=first["next_cursor"]).json()["data"]
    assert [one["id"] for one in rest] == [*five[2:], late]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "99999999999999999999"])
def test_a_limit_outside_1_to_200_is_422(admin, limit):
    problem = refused(admin.get("/v1/groups", limit=limit), 422, "invalid_request")
    assert problem["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize("path", ["/v1/groups", "/v1/events", "/v1/deliveries", "/v1/endpoints"])
@pytest.mark.parametrize("cursor", ["x", "%%%", "ä", "AAAA", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "MS41", "wrI"])
def test_a_cursor_that_is_none_is_422(admin, path, cursor):
    problem = refused(admin.get(path, cursor=cursor), 422, "invalid_cursor")
    assert problem["errors"][0]["parameter"] == "cursor"


def test_keys_and_organizations_have_pages_too(office):
    assert len(walk(office.admin, "/v1/keys", 1)[0]) == 3
    assert len(walk(office.operator, "/v1/organizations", 1)[0]) == 2


def test_filters_and_pages_go_together(admin):
    program = admin.made("/v1/programs", name="A")["id"]
    for n in range(4):
        admin.made(
            "/v1/affiliates",
            email=f"a{n}@b.test",
            program_id=program,
            membership={"status": "pending" if n % 2 else "active"},
        )
    first = admin.get("/v1/memberships", program_id=program, status="pending", limit=1).json()
    second = admin.get(
        "/v1/memberships", program_id=program, status="pending", limit=1, cursor=first["next_cursor"]
    ).json()
    assert second["next_cursor"] is None
    assert {one["status"] for one in first["data"] + second["data"]} == {"pending"}
