"""What is answered is what is described: no answer is a free object, and real ones are as their schemas say."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from office import open_office

from affwire.model.deliveries import AttemptRecord
from affwire.model.wire import Request, Response, Timings
from affwire.rules.delivery import Delivered, Gone
from affwire.services import deliveries, journal
from affwire.services.deliveries import Result
from affwire.testing.wire import FakeWire

FREE = {"metadata", "previous", "banners"}
"""Members whose form is their owner's, or that of whatever changed."""
REFERENCE = "#/components/schemas/"
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


@pytest.fixture(scope="module")
def office():
    office = open_office()
    office.http.app.state.desk = replace(office.desk, wire=FakeWire(random.Random(1), office.clock))
    yield office
    office.desk.store._engine.close()


@pytest.fixture(scope="module")
def document(office):
    return office.http.get("/openapi.json").json()


def answered(document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the schema of every answer in JSON, by its route."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                for kind, media in response.get("content", {}).items():
                    if "json" in kind:
                        yield f"{method.upper()} {path} {status}", media.get("schema", {})


def opened(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].removeprefix(REFERENCE)]
    return schema


def free(document, schema, where, seen) -> Iterator[str]:
    """Yield every place that is described as anything at all."""
    if (name := schema.get("$ref")) is not None:
        if name in seen:
            return
        seen.add(name)
    schema = opened(document, schema)
    parts = [part for key in ("anyOf", "allOf", "oneOf") for part in schema.get(key, ())]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    rest = schema.get("additionalProperties", True)
    if not (parts or kinds or "enum" in schema) or ("object" in kinds and "properties" not in schema and rest is True):
        yield where
    for part in parts:
        yield from free(document, part, where, seen)
    if isinstance(rest, dict):
        yield from free(document, rest, f"{where}/*", seen)
    if "array" in kinds:
        for part in schema.get("prefixItems", [schema.get("items", {})]):
            yield from free(document, part, f"{where}[]", seen)
    for name, part in schema.get("properties", {}).items():
        if name not in FREE:
            yield from free(document, part, f"{where}/{name}", seen)


def wrong(document, schema, value, where="") -> Iterator[str]:
    """Yield where a value is not as its schema says: types, members that are missing and members nobody described."""
    schema = opened(document, schema)
    if "anyOf" in schema:
        tried = [list(wrong(document, part, value, where)) for part in schema["anyOf"]]
        yield from [] if [] in tried else min(tried, key=len)
        return
    if "allOf" in schema:
        merged: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for part in (opened(document, one) for one in schema["allOf"]):
            merged["properties"] |= part.get("properties", {})
            merged["required"] += part.get("required", [])
        schema = merged
    kinds = schema.get("type", list(TYPES))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    right = any(isinstance(value, TYPES[kind]) for kind in kinds)
    if not right or (isinstance(value, bool) and "boolean" not in kinds) or value not in schema.get("enum", [value]):
        yield f"{where} is {value!r}, not {schema}"
    elif isinstance(value, dict) and "properties" in schema:
        yield from (f"{where}/{name} is missing" for name in schema.get("required", ()) if name not in value)
        if not schema.get("additionalProperties"):
            yield from (f"{where}/{name} is not described" for name in value.keys() - schema["properties"].keys())
        for name in value.keys() & schema["properties"].keys() - FREE:
            yield from wrong(document, schema["properties"][name], value[name], f"{where}/{name}")
    elif isinstance(value, list):
        items = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        for index, (part, item) in enumerate(zip(items, value, strict=True)):
            yield from wrong(document, part, item, f"{where}[{index}]")


def test_no_answer_is_described_as_any_object_whatever(document):
    assert not [place for where, schema in answered(document) for place in free(document, schema, where, set())]


def test_an_undescribed_answer_would_be_found(document):
    loose = {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": True}, "b": {}}}
    assert list(free(document, loose, "", set())) == ["/a", "/b"]
    assert list(wrong(document, {"type": "object", "properties": {"a": {"type": "string"}}}, {"a": 1, "b": 2})) == [
        "/b is not described",
        "/a is 1, not {'type': 'string'}",
    ]


def schema_of(document, method, path, status):
    for where, schema in answered(document):
        if where == f"{method} {path} {status}":
            return schema
    raise AssertionError(f"{method} {path} {status} has no schema")


def attempted(office):
    """Have what is due end: one arrives, for the other the endpoint is gone, which makes an operational event."""

    def ended(one, verdict):
        record = AttemptRecord(
            delivery_id=one.delivery.id,
            number=one.attempt.number,
            id=one.attempt.id,
            started_at=one.attempt.at,
            ended_at=one.attempt.at,
            outcome="ok",
            status_code=200,
            timings=Timings(dns_ms=1.5),
            request=journal.kept_request(Request("https://a.test/", (("X", "y"),), b"{}"), frozenset()),
            response=journal.kept_response(Response(200, (("X", "y"),), b"\xff")),
        )
        return Result(one, verdict, record)

    def work(tx):
        found = deliveries.claim(tx, office.desk.dialects, worker="w", limit=9, room=lambda *_: 9).claims
        results = [ended(one, Gone() if number else Delivered()) for number, one in enumerate(found)]
        return deliveries.settle(tx, office.desk.dialects, results)

    assert len(office.desk.store.submit(work).result()) > 1


def test_real_answers_are_as_they_are_described(office, document):
    admin, seen = office.admin, []

    def check(method, path, template, **sent):
        answer = admin.send(method, path, **sent)
        assert answer.is_success, answer.text
        schema = schema_of(document, method, f"/v1/{template}", answer.status_code)
        assert list(wrong(document, schema, answer.json())) == [], f"{method} {path}"
        seen.append(template)
        return answer.json()

    made = {
        noun: check("POST", f"/v1/{noun}", noun, json=body)["id"]
        for noun, body in {
            "keys": {"scope": "read"},
            "endpoints": {"url": "https://nowhere.test/", "dialect": "standard", "policy": {"success": [200]}},
            "programs": {"name": "A", "banners": [1]},
        }.items()
    }
    operational = {"url": "https://public.test/", "dialect": "standard", "event_types": ["endpoint.*"]}
    check("POST", "/v1/endpoints", "endpoints", json=operational)
    own = {"email": "a@example.org", "program_id": made["programs"], "membership": {"status": "pending"}}
    check("POST", "/v1/affiliates", "affiliates", json=own)
    put = {"email": "b@example.org", "program_id": made["programs"]}
    check("PUT", "/v1/affiliates/ext:crm:1", "affiliates/{affiliate_id}", json=put)
    check("PUT", "/v1/affiliates/ext:crm:1", "affiliates/{affiliate_id}", json=put)
    check(
        "POST",
        "/v1/batches",
        "batches",
        json={"operations": [{"method": "DELETE", "path": "/v1/affiliates/ext:crm:1"}]},
    )
    endpoint = f"/v1/endpoints/{made['endpoints']}"
    attempted(office)
    check("POST", f"{endpoint}/test", "endpoints/{endpoint_id}/test")
    check("POST", f"{endpoint}/rotate", "endpoints/{endpoint_id}/rotate")
    check("PATCH", endpoint, "endpoints/{endpoint_id}", json={"url": "https://nowhere.test/a"})
    check("GET", endpoint, "endpoints/{endpoint_id}")
    check("GET", f"{endpoint}/health", "endpoints/{endpoint_id}/health")
    wish = {"since": "2020-01-01T00:00:00Z"}
    for dry in (True, False):
        recover = f"{endpoint}/recover"
        check("POST", recover, "endpoints/{endpoint_id}/recover", json={**wish, "dry_run": dry})
        check("POST", "/v1/deliveries/replay", "deliveries/replay", json={**wish, "rate_per_second": 5, "dry_run": dry})
    for noun in ("keys", "endpoints", "programs", "affiliates", "memberships", "events", "deliveries", "jobs"):
        assert check("GET", f"/v1/{noun}", noun)["data"], noun
    event = f"/v1/events/{admin.get('/v1/events').json()['data'][-1]['id']}"
    check("GET", event, "events/{event_id}")
    check("GET", f"{event}/render", "events/{event_id}/render")
    for row in admin.get("/v1/deliveries").json()["data"]:
        check("GET", f"/v1/deliveries/{row['id']}", "deliveries/{delivery_id}")
    job = admin.get("/v1/jobs").json()["data"][0]["id"]
    check("POST", f"/v1/jobs/{job}/cancel", "jobs/{job_id}/cancel")
