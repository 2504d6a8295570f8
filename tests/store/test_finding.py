"""What a search finds in the store: by an index, and bounded where there is none. On both engines."""

import re

import pytest
from registry_walk import HOOKS
from sqlalchemy import event

from affwire.model import ids
from affwire.services import affiliates, perks, programs
from affwire.store import finding, looking, members
from affwire.store.members import Wanted
from affwire.testing.house import MemoryHouse

WALK = re.compile(r"^SCAN (?!anon_|CONSTANT ROW|\(subquery)|Seq Scan")
"""Of a plan: a look at every row of a table, not of what was looked up before."""


@pytest.fixture
def house():
    return MemoryHouse()


@pytest.fixture
def kim(house):
    """An affiliate with everything that others call it."""
    program = house.act(programs.create, {"name": "Spring"})
    fields = {"email": "Kim@Example.org", "first_name": "Kim", "last_name": "Åberg", "external_ids": {"crm": "cus_1"}}
    affiliate, membership = house.act(affiliates.create, fields, program_id=program.id, membership={})
    link = {"url": "https://shop.example/?via=kim", "token": "kim"}
    house.act(perks.create_link, membership.id, link)
    house.act(perks.create_promo_code, membership.id, {"code": "KIM20"})
    return affiliate, membership


def look(house, find, *args, **more):
    return [
        (ids.kind_of(one.record_id), one.how)
        for one in house.run(lambda tx: find(tx.connection, house.organization.id, *args, **more))
    ]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("cus_1", [("affiliate", "crm id")]),
        ("KIM20", [("promo_code", "promo code")]),
        ("kim20", [("promo_code", "promo code")]),
        ("kim", [("link", "token of a link")]),
        ("KIM2", []),
    ],
)
def test_what_others_call_a_record_finds_it(house, kim, value, found):
    assert look(house, finding.by_value, value, ["growi"]) == found


def test_another_organizations_records_are_not_found(house, kim):
    for find, args in (
        (finding.by_value, ("cus_1", [])),
        (finding.by_token, ("kim",)),
        (finding.by_link, ("https://shop.example/?via=kim",)),
        (finding.by_number, (1,)),
        (finding.by_address, ("kim@example.org",)),
        (finding.by_name, ("kim", 10)),
    ):
        assert house.run(lambda tx, find=find, args=args: find(tx.connection, "org_other", *args)) == []


@pytest.mark.parametrize("text", ["kim", "KIM", "kim åberg", "Åberg", "example.org", "berg Kim"])
def test_a_name_is_found_by_its_words(house, kim, text):
    assert ("affiliate", "name or address") in look(house, finding.by_name, text, 10)


@pytest.mark.parametrize("text", ["kim berglund", "%", "_im"])
def test_a_name_that_nobody_has_is_not_found(house, kim, text):
    assert look(house, finding.by_name, text, 10) == []


def test_a_deleted_affiliate_is_not_found(house, kim):
    house.act(affiliates.delete, kim[0].id)
    assert look(house, finding.by_address, "kim@example.org") == []
    assert look(house, finding.by_name, "kim", 10) == []


def walks_of(house, work):
    """Return how the database goes about each statement of a work: the lines of its plan that walk through a table.

    PostgreSQL walks through small tables at any time: it is told not to, so that it does where there is no other way.
    """
    asked = []

    def note(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    def run(tx):
        event.listen(tx.connection, "before_cursor_execute", note)
        try:
            work(tx)
        finally:
            event.remove(tx.connection, "before_cursor_execute", note)
        cursor = tx.connection.connection.cursor()
        if not tx.alone:
            cursor.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if tx.alone else "EXPLAIN"
        lines = []
        for statement, parameters in asked:
            lines += [row[-1] for row in cursor.execute(f"{explain} {statement}", parameters).fetchall()]
        return [line for line in lines if WALK.search(line)], len(lines)

    return house.run(run)


@pytest.mark.parametrize(
    "find",
    [
        lambda tx, org: finding.by_value(tx.connection, org, "x", ["growi", "email"]),
        lambda tx, org: finding.by_dedupe_key(tx.connection, ["src_1", "src_2"], "x"),
        lambda tx, org: finding.by_number(tx.connection, org, 7),
        lambda tx, org: finding.by_address(tx.connection, org, "x"),
        lambda tx, org: finding.by_link(tx.connection, org, "https://x"),
        lambda tx, org: finding.by_name(tx.connection, org, "x", 10),
        lambda tx, org: [finding.by_ending(tx.connection, org, kind, "5k2m9x4d") for kind in ids.PREFIXES],
        lambda tx, org: list(finding.addresses(tx.connection, org, 9)),
        lambda tx, org: list(finding.said_for(tx.connection, finding.events_of_time(tx.connection, org, 1, 9))),
        lambda tx, org: finding.of_attempt(tx.connection, org, ids.make("attempt", 1, 1), 1),
        lambda tx, org: looking.events_of(tx.connection, org, looking.Span(limit=9), {"affiliate_id": "x"}),
        lambda tx, org: looking.messages_of(tx.connection, org, looking.Span(limit=9), {"affiliate_id": "x"}),
        lambda tx, org: looking.events_of(tx.connection, org, looking.Span(limit=9, oldest=True, since=5), {}),
        lambda tx, org: members.statuses(tx.connection, org, ["prg_1"]),
        lambda tx, org: members.page(tx.connection, org, Wanted(status="left"), place=None, limit=9, oldest=False),
    ],
)
def test_no_look_walks_through_a_table(house, find):
    walks, lines = walks_of(house, lambda tx: find(tx, house.organization.id))
    assert lines
    assert not walks


def test_what_was_said_is_looked_through_endpoint_by_endpoint_the_newest_first(house, monkeypatch):
    told = [house.endpoint("tamio", HOOKS) for _ in range(3)]
    for nth in range(4):
        house.act(programs.create, {"name": f"P{nth}"})
    newest = [one.id for one in house.events()][::-1]

    def said(limit):
        own = house.organization.id
        return [one.event_id for one in house.run(lambda tx: list(finding.said_by(tx.connection, own, "tamio", limit)))]

    assert said(3 * 4) == newest * len(told)
    assert said(3 * 2) == newest[:2] * len(told)
    monkeypatch.setattr(finding, "SPEAKING_MAX", 2)
    assert said(2 * 4) == newest * 2


def test_who_has_a_rare_status_is_found_however_long_ago_they_came(house, monkeypatch):
    monkeypatch.setattr(members, "WINDOW", 2)
    program = house.act(programs.create, {"name": "Spring"})
    for nth in range(6):
        wish = {"status": "active" if nth else "pending"}
        house.act(affiliates.create, {"email": f"a{nth}@x.org"}, program_id=program.id, membership=wish)

    def page(**wanted):
        own = house.organization.id
        return house.run(
            lambda tx: members.page(tx.connection, own, Wanted(**wanted), place=None, limit=9, oldest=False)
        )

    look = page(status="pending")
    assert [row.affiliate.email for row in look.rows] == ["a0@x.org"]
    assert look.looked_to is None
    assert page(tag="none").looked_to is not None
    counts = house.run(lambda tx: members.statuses(tx.connection, house.organization.id, [program.id]))
    assert counts == {program.id: {"pending": 1, "active": 5}}
