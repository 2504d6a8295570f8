"""Looking through deliveries, and the overview: every mark narrows, pages follow each other, no look is without an end."""

import pytest
from registry_walk import HOOKS

from affwire.model.deliveries import AttemptRecord
from affwire.model.endpoints import Endpoint
from affwire.rules.delivery import Dead, Delivered
from affwire.services import affiliates, deliveries, endpoints, overview, programs
from affwire.services.deliveries import Result
from affwire.store import browse, figures
from affwire.store.browse import Wanted
from affwire.testing.house import MemoryHouse


@pytest.fixture
def house():
    house = MemoryHouse()
    for dialect in ("growi", "standard"):
        house.endpoint(dialect, HOOKS)
    for nth in range(6):
        house.act(programs.create, {"name": f"P{nth}"})
    house.act(affiliates.create, {"email": "a@example.org"})
    return house


def look(house, *, place=None, limit=100, oldest=False, **wanted):
    organization_id = house.organization.id
    return house.run(
        lambda tx: tx.browse.deliveries(organization_id, Wanted(**wanted), place=place, limit=limit, oldest=oldest)
    )


def positions(found):
    return [row.delivery.position for row in found.rows]


def test_the_newest_come_first_unless_the_oldest_are_wanted(house):
    newest = positions(look(house))
    assert len(newest) >= 7
    assert newest == sorted(newest, reverse=True)
    assert positions(look(house, oldest=True)) == newest[::-1]


@pytest.mark.parametrize("oldest", [False, True])
def test_pages_follow_each_other_without_a_gap(house, oldest):
    whole, place, seen = positions(look(house, oldest=oldest)), None, []
    while True:
        found = look(house, place=place, limit=2, oldest=oldest)
        seen += positions(found)
        if found.looked_to is None:
            break
        place = found.looked_to
    assert seen == whole


def test_each_mark_narrows(house):
    one = look(house).rows[0].delivery
    house.run(lambda tx: deliveries.cancel(tx, house.organization.id, one.id))
    assert positions(look(house, status="cancelled")) == [one.position]
    assert one.position not in positions(look(house, status="pending"))
    assert {row.event_type for row in look(house, type="program.created").rows} == {"program.created"}
    assert positions(look(house, event_id=one.event_id)) == [one.position]
    assert {row.delivery.endpoint_id for row in look(house, endpoint_id=one.endpoint_id).rows} == {one.endpoint_id}
    assert len(look(house, dialect="standard").rows) == len(look(house).rows)
    for nothing in (
        {"dialect": "growi"},
        {"outcome": "failed"},
        {"outcome": "5xx"},
        {"status": "retrying"},
        {"endpoint_id": "ep_x"},
    ):
        assert look(house, **nothing).rows == []
    house.clock.advance(1)
    assert look(house, since=house.clock.now()).rows == []


def test_another_organization_finds_nothing(house):
    found = house.run(lambda tx: tx.browse.deliveries("org_other", Wanted(), place=None, limit=9, oldest=False))
    assert found.rows == []


def test_a_look_ends_where_its_window_does_and_says_so(house, monkeypatch):
    monkeypatch.setattr(browse, "WINDOW", 3)
    every = positions(look(house, limit=100))
    first = look(house, limit=100, outcome="ok")
    assert (first.rows, first.looked_to) == ([], every[-1] if len(every) == 3 else first.looked_to)
    assert first.looked_to is not None
    house.clock.advance(10)
    assert look(house, since=house.clock.now()).looked_to is None


def test_the_overview_counts_what_waits_and_names_who_needs_somebody(house):
    shown = house.run(lambda tx: overview.of(tx, house.organization.id))
    waiting = shown.pending
    assert waiting >= 7
    assert (shown.delivered, shown.exhausted, shown.held, shown.p95_ms, shown.needs) == (0, 0, 0, None, [])
    assert (shown.share, shown.inbox, shown.reaches_to) == (None, {}, None)
    assert [len(one) for one in shown.series.values()] == [overview.SPANS[overview.SPAN][1]] * 3
    paused = endpoints.Wish(fields={"paused": True})
    receivers = house.run(lambda tx: tx.registry.find(Endpoint, house.organization.id))
    [standard] = [one for one in receivers if one.dialect == "standard"]
    house.run(lambda tx: endpoints.update(tx, house.organization, house.dialects, standard.id, paused))
    shown = house.run(lambda tx: overview.of(tx, house.organization.id))
    assert [(need.endpoint.id, need.state) for need in shown.needs] == [(standard.id, "paused")]
    assert (shown.held, shown.pending) == (waiting, 0)


def test_the_figures_of_a_span_leave_out_what_was_before(house):
    batch = house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=3, room=lambda *_: 3))
    verdicts = [(Delivered(), "ok"), (Delivered(), "ok"), (Dead("no"), "failed")]
    results = [_result(one, *verdict) for one, verdict in zip(batch.claims, verdicts, strict=True)]
    house.run(lambda tx: deliveries.settle(tx, house.dialects, results))
    owner = house.organization.id
    for span in overview.SPANS:
        shown = house.run(lambda tx, span=span: overview.of(tx, owner, span))
        assert (shown.delivered, shown.exhausted) == (2, 1)
        assert shown.share == pytest.approx(2 / 3)
        assert (shown.series["ok"][-1], shown.series["failed"][-1]) == (2, 1)
    house.clock.advance(2 * overview.HOUR_MS)
    assert house.run(lambda tx: overview.of(tx, owner, "1h")).delivered == 0
    assert sum(house.run(lambda tx: overview.of(tx, owner, "24h")).series["ok"]) == 2


def test_the_span_that_is_shown_unasked_is_the_one_with_the_most_to_see(house):
    owner = house.organization.id
    assert house.run(lambda tx: overview.span(tx, owner)) == "1h"
    tried(house)
    shown = []
    for hours in (0, 0.9, 0.2, 20, 4):
        house.clock.advance(round(hours * overview.HOUR_MS))
        shown.append(house.run(lambda tx: overview.span(tx, owner)))
    assert shown == ["1h", "1h", "24h", "24h", "7d"]
    tried(house)
    assert house.run(lambda tx: overview.span(tx, owner)) == "24h"


def tried(house):
    """Have one delivery arrive."""
    batch = house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=1, room=lambda *_: 1))
    results = [_result(batch.claims[0], Delivered(), "ok")]
    house.run(lambda tx: deliveries.settle(tx, house.dialects, results))


def test_a_chart_that_not_all_fits_into_says_how_far_it_reaches(house, monkeypatch):
    monkeypatch.setattr(figures, "TALLY_MAX", 2)
    for _ in range(3):
        batch = house.run(lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=1, room=lambda *_: 1))
        house.run(
            lambda tx, batch=batch: deliveries.settle(tx, house.dialects, [_result(batch.claims[0], Delivered(), "ok")])
        )
        house.clock.advance(60_000)
    shown = house.run(lambda tx: overview.of(tx, house.organization.id, "1h"))
    assert sum(shown.series["ok"]) == 2
    assert shown.reaches_to == house.clock.now() - 120_001


def _result(claim, verdict, outcome):
    at = claim.attempt.at
    attempt = AttemptRecord(
        delivery_id=claim.delivery.id, number=claim.attempt.number, id=claim.attempt.id,
        started_at=at - 9, ended_at=at - 1, outcome=outcome,
    )  # fmt: skip
    return Result(claim, verdict, attempt)


def test_the_overview_counts_who_asks_to_join_and_nobody_else(house):
    program = house.act(programs.create, {"name": "Asked"})
    for nth, status in enumerate(("pending", "active", "pending")):
        wish = {"email": f"asks{nth}@example.org"}
        house.act(affiliates.create, wish, program_id=program.id, membership={"status": status})
    shown = house.run(lambda tx: overview.of(tx, house.organization.id))
    assert (shown.asking, shown.unsent_mails) == (2, 0)
