"""Metrics: open to the operator and to the machine itself, told by outcome, and read without the history."""

import re

import pytest
from office import refused
from sqlalchemy import text
from starlette.testclient import TestClient

from affwire.store import depth as depths
from affwire.store import vitals

URL = "https://public.test/hooks"


def values(answer):
    assert answer.status_code == 200, answer.text
    return dict(re.findall(r"^([a-z_]+(?:\{.*?\})?) ([0-9.e+-]+)$", answer.text, re.MULTILINE))


def test_the_operator_reads_metrics_and_nobody_else(office):
    answer = office.operator.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "affwire_in_flight" in values(answer)
    refused(office.nobody.get("/metrics"), 401, "key_missing")
    refused(office.admin.get("/metrics"), 403, "operator_key_needed")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_machine_itself_needs_no_key_but_a_proxy_on_it_does(office, address):
    local = TestClient(office.http.app, client=(address, 4711))
    assert local.get("/metrics").status_code == 200
    refused(local.get("/metrics", headers={"X-Forwarded-For": "198.51.100.7"}), 401, "key_missing")
    refused(local.get("/metrics", headers={"Authorization": f"Bearer {office.admin.key}"}), 403, "operator_key_needed")


def test_the_queue_is_told_by_status(office):
    endpoint = office.admin.made("/v1/endpoints", url=URL, dialect="standard")
    for n in range(3):
        office.admin.made("/v1/affiliates", email=f"a{n}@b.test")
    office.clock.advance(5_000)
    found = values(office.operator.get("/metrics"))
    assert found['affwire_queue_deliveries{status="pending"}'] == "3.0"
    assert found["affwire_oldest_due_seconds"] == "5.0"
    assert found["affwire_events_total"] == "3.0"
    office.admin.patch(f"/v1/endpoints/{endpoint['id']}", {"paused": True})
    found = values(office.operator.get("/metrics"))
    assert found['affwire_queue_deliveries{status="held"}'] == "3.0"
    assert found["affwire_oldest_due_seconds"] == "0.0"


@pytest.mark.parametrize("query", [depths._COUNTS, vitals._PARKED, vitals._JOBS, vitals._ENDPOINTS, vitals._FAILING])
def test_a_scrape_reads_indexes_of_what_waits_never_the_history(office, query):
    work = lambda tx: tx.connection.execute(text(f"EXPLAIN QUERY PLAN {query.text}"), {"limit": 5}).all()  # noqa: E731
    steps = [row[-1] for row in office.desk.store.submit(work).result()]
    looks = [step for step in steps if step.startswith(("SCAN ", "SEARCH ")) and "CONSTANT" not in step]
    assert looks
    whole = {step.split()[1] for step in looks if "INDEX" not in step}
    assert whole <= {"endpoints", "endpoint_health", "following"}, steps
    indexed = [step for step in looks if step.split()[1] in {"queue", "messages", "jobs"}]
    assert all(re.search(r"INDEX ix_(queue|messages|jobs)_\w+", step) for step in indexed), steps
