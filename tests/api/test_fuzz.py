"""Random bodies on every route that takes one: refused or accepted, never a fault of ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office import open_office

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "\x00",
            "\ud800",
            "active",
            "pending",
            "a@b.test",
            "DE",
            "EUR",
            "UTC",
            "https://public.test/",
            "10.00",
            "x" * 400,
        ]
    ),
    st.sampled_from(
        [
            "standard",
            "growi",
            "*",
            "membership.*",
            "2026-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999+00:00",
            "ıſ",
            "javascript:x",
        ]
    ),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, -1, 2**53, 2**63, 2**64, -(2**70), 1e308]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def stage():
    office = open_office()
    admin = office.admin
    program = admin.made("/v1/programs", name="A")["id"]
    joined = admin.made("/v1/affiliates", email="a@b.test", program_id=program)
    membership = joined["membership"]["id"]
    ids = {
        "program_id": program,
        "affiliate_id": joined["id"],
        "membership_id": membership,
        "group_id": admin.made("/v1/groups", name="G")["id"],
        "link_id": admin.made("/v1/links", membership_id=membership, url="https://a.test/", token="t")["id"],
        "promo_code_id": admin.made("/v1/promo-codes", membership_id=membership, code="TEN")["id"],
        "endpoint_id": admin.made("/v1/endpoints", url="https://public.test/", dialect="tamio")["id"],
        "organization_id": office.organization["id"],
    }
    document = office.http.get("/openapi.json").json()
    yield office, ids, document
    office.desk.store._engine.close()


def routes(document):
    for path, of in document["paths"].items():
        for method, operation in of.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if reference := schema.get("$ref"):  # an action's body is nothing or empty
                yield (
                    method.upper(),
                    path,
                    list(document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]),
                )


def address(path, ids):
    for name, record_id in ids.items():
        path = path.replace(f"{{{name}}}", record_id)
    return path


def right(name, ids):
    """A value that often is good, so that the fuzz gets behind the first check."""
    good = {
        "name": "N",
        "slug": "s",
        "email": "x@y.test",
        "url": "https://public.test/",
        "dialect": "standard",
        "scope": "read",
        "token": "t",
        "code": "C",
    }
    return good.get(name) or ids.get(name)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_bodies_never_make_a_fault_of_ours(stage, data):
    office, ids, document = stage
    method, path, fields = data.draw(st.sampled_from(sorted(routes(document), key=str)))
    names = data.draw(st.lists(st.sampled_from(fields), unique=True, max_size=5))
    body = {name: data.draw(st.one_of(st.just(right(name, ids)), JSON)) for name in names}
    if data.draw(st.booleans()):
        body |= {
            name: right(name, ids)
            for name in fields
            if name in {"name", "slug", "email", "url", "dialect", "affiliate_id", "membership_id", "program_id"}
            and name not in body
        }
    client = office.operator if "organizations" in path else office.admin
    answer = client.send(
        method, address(path, ids), content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code < 500, (method, path, body, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.slow
@given(body=st.binary(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_bytes_never_make_a_fault_of_ours(stage, body):
    office, _, _ = stage
    answer = office.admin.send("POST", "/v1/programs", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500


@pytest.mark.slow
@given(
    path=st.sampled_from(["programs", "affiliates", "memberships", "events", "deliveries", "endpoints", "keys"]),
    query=st.dictionaries(
        st.sampled_from(["limit", "cursor", "after", "type", "since", "status", "email", "affiliate_id", "as"]),
        st.text(max_size=20),
        max_size=3,
    ),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_queries_never_make_a_fault_of_ours(stage, path, query):
    office, _, _ = stage
    try:
        answer = office.admin.get(f"/v1/{path}", **query)
    except UnicodeEncodeError:
        return  # the client cannot send it
    assert answer.status_code < 500, answer.text
