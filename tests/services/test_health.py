"""Health: breaker, warnings, auto-disable and operational events, through settled attempts."""

import json

import pytest
from registry_walk import HOOKS
from structlog.testing import capture_logs

from affwire.dialects.base import Saying, load_samples
from affwire.model.deliveries import AttemptRecord
from affwire.model.endpoints import TRIPPED
from affwire.rules import breaker
from affwire.rules.delivery import Dead, Delivered, Gone, Retry, Unknown
from affwire.services import deliveries, endpoints, health, programs
from affwire.services.deliveries import Result
from affwire.testing import shapes

DAY = 86_400_000
OPERATIONAL = ["endpoint.*", "delivery.*"]


def make(house, count=1):
    for number in range(count):
        house.act(programs.create, {"name": f"P{number}"})


def claim(house, limit=500):
    house.follow()
    return house.run(
        lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=limit, room=lambda *_: 500)
    ).claims


def settle(house, claims, verdict, error="status"):
    def attempt(one):
        kind = {Delivered: "ok", Unknown: "unknown"}.get(type(verdict), "failed")
        return AttemptRecord(
            delivery_id=one.delivery.id, number=one.attempt.number, id=one.attempt.id,
            started_at=one.attempt.at, ended_at=one.attempt.at + 40, outcome=kind,
            status_code=500 if kind == "failed" else 200, error=error if kind == "failed" else None,
        )  # fmt: skip

    results = [Result(one, verdict, attempt(one)) for one in claims]
    return house.run(lambda tx: deliveries.settle(tx, house.dialects, results))


def later(house):
    return Retry(house.clock.now() + 1000)


def fail(house, endpoint, times=10):
    """Have an endpoint fail so often in a row, at once."""
    make(house, times)
    settle(house, [one for one in claim(house) if one.endpoint.id == endpoint.id], later(house))


def stored(house, endpoint):
    return house.run(lambda tx: tx.registry.endpoints([endpoint.id]))[endpoint.id]


def state(house, endpoint):
    return house.run(lambda tx: tx.health.get(endpoint.id))


def statuses(house, endpoint):
    return sorted({row.status for row in house.deliveries(endpoint)})


def update(house, endpoint, **fields):
    wish = endpoints.Wish(fields=fields)
    return house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, endpoint.id, wish))


def probe(house):
    house.follow()
    return house.run(health.probe)


@pytest.fixture
def endpoint(house):
    return house.endpoint("standard", HOOKS)


def words(house, listener):
    return [row.word for row in house.deliveries(listener)]


def test_ten_failures_in_a_row_open_the_breaker_and_everything_waits_as_held(house, endpoint):
    fail(house, endpoint)
    assert statuses(house, endpoint) == ["held"]
    assert {row.reason for row in house.deliveries(endpoint)} == {TRIPPED}
    make(house)
    house.clock.advance(2000)
    assert claim(house) == ()
    assert statuses(house, endpoint) == ["held"]


def test_a_single_probe_goes_when_the_pause_is_over(house, endpoint):
    fail(house, endpoint)
    house.clock.advance(round(breaker.PAUSE_MS * (1 - breaker.JITTER_MAX)) - 1)
    assert probe(house) == 0
    house.clock.advance(round(breaker.PAUSE_MS * breaker.JITTER_MAX) + 1)
    assert probe(house) == 1
    assert probe(house) == 0
    [one] = claim(house)
    make(house, 3)
    assert claim(house) == ()
    assert probe(house) == 0
    settle(house, [one], later(house))
    assert statuses(house, endpoint) == ["held"]
    house.clock.advance(breaker.PAUSE_MS)
    assert probe(house) == 0
    house.clock.advance(breaker.PAUSE_MS)
    assert probe(house) == 1


def test_a_probe_that_arrives_releases_everything(house, endpoint):
    fail(house, endpoint)
    house.clock.advance(breaker.PAUSE_MS)
    probe(house)
    settle(house, claim(house), Delivered())
    assert statuses(house, endpoint) == ["delivered", "pending"]
    assert len(claim(house)) == 9


def test_enabling_or_any_change_by_the_owner_releases_everything(house, endpoint):
    fail(house, endpoint)
    update(house, endpoint, description="mended")
    assert statuses(house, endpoint) == ["pending"]
    assert state(house, endpoint).tripped_until is None
    house.clock.advance(1000)
    assert len(claim(house)) == 10


def test_a_paused_endpoint_is_not_probed(house, endpoint):
    fail(house, endpoint)
    update(house, endpoint, paused=True)
    house.clock.advance(DAY)
    assert probe(house) == 0
    update(house, endpoint, paused=False)
    assert statuses(house, endpoint) == ["pending"]


def test_an_endpoint_that_never_retries_is_never_held_back(house):
    endpoint = house.endpoint("standard", HOOKS, policy={"retry_schedule": []})
    make(house, 30)
    settle(house, claim(house), Dead("failed, no retries"))
    make(house)
    assert len(claim(house)) == 1
    assert state(house, endpoint).failures_in_row == 30


def test_on_an_ordered_endpoint_the_probe_is_the_head_of_its_lane(house):
    endpoint = house.endpoint("standard", HOOKS, policy={"ordering": "affiliate"})
    fail(house, endpoint)
    house.clock.advance(breaker.PAUSE_MS)
    assert probe(house) == 1
    [one] = claim(house)
    settle(house, [one], Delivered())
    assert one.delivery.id == house.deliveries(endpoint)[0].id
    assert len(claim(house)) == 9


def test_our_own_faults_are_not_the_endpoints(house, endpoint):
    make(house, 20)
    claims = claim(house)
    settle(house, claims[:10], Unknown())
    settle(house, claims[10:], Dead("cannot be put into words"), error="encode")
    assert state(house, endpoint).failures_in_row == 0


def test_five_days_of_failures_disable_with_warnings_on_the_way(house, endpoint):
    listener = house.endpoint("standard", HOOKS, event_types=OPERATIONAL)
    fail(house, endpoint)
    said = []
    for _ in range(22):
        house.clock.advance(DAY // 4)
        probe(house)
        settle(house, [one for one in claim(house) if one.endpoint.id == endpoint.id], later(house))
        said.append(list(words(house, listener)))
    assert said[-1] == ["endpoint.failing"] * 3 + ["endpoint.disabled"]
    assert [row.enabled for row in (stored(house, endpoint), stored(house, listener))] == [False, True]
    assert stored(house, endpoint).disabled_reason == health.HOPELESS
    assert statuses(house, endpoint) == ["held"]
    percents = [event.notice["health"]["percent"] for event in house.events() if event.type == "endpoint.failing"]
    assert percents == [50, 75, 90]
    update(house, endpoint, enabled=True)
    house.clock.advance(1)
    settle(house, [one for one in claim(house) if one.endpoint.id == endpoint.id][:1], later(house))
    assert stored(house, endpoint).enabled
    settle(house, [one for one in claim(house) if one.endpoint.id == endpoint.id], Delivered())
    house.clock.advance(DAY)
    settle(house, [one for one in claim(house) if one.endpoint.id == endpoint.id], Delivered())
    assert words(house, listener)[4:] == ["endpoint.recovered"]


def test_a_success_starts_the_five_days_anew(house, endpoint):
    fail(house, endpoint)
    house.clock.advance(4 * DAY)
    probe(house)
    settle(house, claim(house)[:1], Delivered())
    house.clock.advance(2 * DAY)
    settle(house, claim(house), later(house))
    assert stored(house, endpoint).enabled


def test_a_410_is_told_as_disabled(house, endpoint):
    listener = house.endpoint("standard", HOOKS, event_types=["endpoint.disabled"])
    make(house)
    settle(house, [one for one in claim(house) if one.endpoint.id == endpoint.id], Gone())
    assert words(house, listener) == ["endpoint.disabled"]
    [event] = [event for event in house.events() if event.type == "endpoint.disabled"]
    assert event.notice["endpoint"]["disabled_reason"] == deliveries.GONE
    assert (event.subject_id, event.sequence) == (endpoint.id, 1)


def test_an_exhausted_delivery_is_told_to_who_asked_and_to_nobody_else(house, endpoint):
    listener = house.endpoint("standard", HOOKS, event_types=["delivery.exhausted"])
    make(house, 2)
    settle(house, claim(house), Dead("gave up"))
    assert words(house, listener) == ["delivery.exhausted"] * 2
    assert {row.word for row in house.deliveries(endpoint)} == {"program.created"}
    [first, second] = [event for event in house.events() if event.type == "delivery.exhausted"]
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.notice["delivery"]["id"] == house.deliveries(endpoint)[0].id


def test_an_exhausted_delivery_of_an_operational_event_is_told_to_nobody(house, endpoint):
    listener = house.endpoint("standard", HOOKS, event_types=["*", "delivery.*"])
    make(house)
    for _ in range(5):
        settle(house, claim(house), Dead("gave up"))
    told = [event for event in house.events() if event.type == "delivery.exhausted"]
    assert len(told) == 2  # the program's creation at both endpoints, and no more
    assert words(house, listener) == ["program.created", "delivery.exhausted", "delivery.exhausted"]


def test_where_nobody_asks_nothing_is_recorded(house, endpoint):
    everything = house.endpoint("standard", HOOKS, event_types=["*"])
    make(house)
    settle(house, claim(house), Dead("gave up"))
    assert [event.type for event in house.events()] == ["program.created"]
    assert words(house, everything) == ["program.created"]


def test_what_is_said_of_an_endpoint_never_holds_its_url(house, endpoint):
    house.endpoint("standard", HOOKS, event_types=OPERATIONAL)
    make(house)
    settle(house, claim(house), Dead("gave up"))
    notice = next(event.notice for event in house.events() if event.type == "delivery.exhausted")
    assert "hooks.example.com" not in str(notice)


def test_health_is_shown_with_rate_times_backlog_and_last_error(house, endpoint):
    make(house, 4)
    claims = claim(house)
    settle(house, claims[:3], Delivered())
    settle(house, claims[3:], later(house))
    make(house, 2)
    shown = house.run(lambda tx: health.shown(tx, house.organization.id, endpoint.id, 24))
    assert shown["attempts"] == {"ok": 3, "failed": 1, "unknown": 0}
    assert (shown["success_rate"], shown["p50_ms"], shown["p95_ms"]) == (0.75, 40, 40)
    assert shown["backlog"] == {"pending": 3, "held": 0, "leased": 0}
    assert (shown["state"], shown["failures_in_row"], shown["last_error"]) == ("failing", 1, "HTTP 500")
    house.clock.advance(2 * 3_600_000)
    assert house.run(lambda tx: health.shown(tx, house.organization.id, endpoint.id, 1))["success_rate"] is None


def test_a_tripped_paused_or_disabled_endpoint_says_so(house, endpoint):
    def state_now():
        return house.run(lambda tx: health.shown(tx, house.organization.id, endpoint.id, 1))["state"]

    assert state_now() == "healthy"
    fail(house, endpoint)
    assert state_now() == "tripped"
    update(house, endpoint, paused=True)
    assert state_now() == "paused"
    update(house, endpoint, enabled=False)
    assert state_now() == "disabled"
    with house.refuses("endpoint_not_found"):
        house.run(lambda tx: health.shown(tx, "org_other", endpoint.id, 1))


def test_what_is_said_has_the_shape_of_its_sample(house, endpoint):
    listener = house.endpoint("standard", HOOKS, event_types=OPERATIONAL)
    fail(house, endpoint)
    house.clock.advance(3 * DAY)
    probe(house)
    settle(house, [one for one in claim(house) if one.endpoint.id == endpoint.id], Dead("gave up"))
    dialect = house.dialects["standard"]
    samples = load_samples("affwire.dialects.standard")
    claims = [one for one in claim(house) if one.endpoint.id == listener.id]
    assert sorted(one.delivery.word for one in claims) == ["delivery.exhausted", "endpoint.failing"]
    for one in claims:
        saying = Saying(one.delivery.word, one.delivery.subject_id)
        request = dialect.request(one.event, saying, one.recipient, one.delivery.id, one.attempt)
        body, sample = json.loads(request.body), json.loads(samples[saying.word])
        assert list(shapes.differences(dialect.card, sample, body)) == []


def test_a_breakers_way_is_logged_once_each_time_it_opens_and_closes(house, endpoint):
    with capture_logs() as lines:
        fail(house, endpoint)
        house.clock.advance(breaker.PAUSE_MS)
        probe(house)
        settle(house, claim(house), later(house))
        house.clock.advance(breaker.PAUSE_MS_MAX)
        probe(house)
        settle(house, claim(house), Delivered())
    assert [(line["event"], line["log_level"], line["id"], line["by"]) for line in lines] == [
        ("endpoint.tripped", "warning", endpoint.id, "affwire"),
        ("endpoint.recovered", "info", endpoint.id, "affwire"),
    ]
    assert lines[0]["last_error"] == "HTTP 500"


def test_an_endpoint_that_the_engine_disables_is_logged_with_the_reason(house, endpoint):
    make(house)
    with capture_logs() as lines:
        settle(house, claim(house), Gone())
    [line] = lines
    assert (line["event"], line["log_level"], line["id"]) == ("endpoint.disabled", "warning", endpoint.id)
    assert line["reason"] == deliveries.GONE


def test_a_backlog_that_was_never_tried_does_not_hide_the_success_rate(house, endpoint, monkeypatch):
    monkeypatch.setattr("affwire.store.health.SAMPLE_MAX", 5)
    make(house, 2)
    settle(house, claim(house), Delivered())
    make(house, 6)  # newer, and still waiting
    shown = house.run(lambda tx: health.shown(tx, house.organization.id, endpoint.id, 24))
    assert shown["success_rate"] == 1
