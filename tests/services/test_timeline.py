"""A timeline: events with their deliveries and messages in one line of time, page after page."""

import pytest
from registry_walk import HOOKS

from affwire.model.inbound import Kept
from affwire.services import affiliates, programs, timeline


@pytest.fixture
def kim(house):
    house.endpoint("standard", HOOKS)
    program = house.act(programs.create, {"name": "Spring"})
    affiliate, _ = house.act(affiliates.create, {"email": "kim@example.org"}, program_id=program.id)
    for nth in range(3):
        house.clock.advance(1_000)
        house.act(affiliates.update, affiliate.id, {"company": f"Company {nth}"})
    return affiliate


def page(house, affiliate, before=None, limit=50):
    return house.run(lambda tx: timeline.of(tx, house.organization.id, affiliate.id, before=before, limit=limit))


def test_the_newest_come_first_with_their_deliveries(house, kim):
    found = page(house, kim)
    types = [entry.event.type for entry in found.entries]
    assert types[:3] == ["affiliate.updated"] * 3
    assert sorted(types[3:]) == ["affiliate.created", "membership.activated"]
    assert all(len(entry.deliveries) == 1 for entry in found.entries)
    assert found.following is None


def test_pages_go_on_to_the_first_event(house, kim):
    seen, before = [], None
    for _ in range(5):
        found = page(house, kim, before, limit=2)
        seen += [entry.event.id for entry in found.entries]
        before = found.following
        if before is None:
            break
    assert seen == [entry.event.id for entry in page(house, kim).entries]


def test_messages_stand_among_the_events(house, kim):
    events = page(house, kim).entries

    def came_in(tx):
        message = Kept(
            id="msg_1",
            organization_id=house.organization.id,
            source_id="src_1",
            dialect="growi",
            received_at=events[0].at - 500,
            affiliate_id=kim.id,
        )
        tx.inbox.keep([message])

    house.run(came_in)
    line = page(house, kim).entries
    assert [entry.message is not None for entry in line[:3]] == [False, True, False]
    assert page(house, kim, limit=1).entries[0].event is not None
    assert len(page(house, kim, limit=1).entries) == 1


def test_another_organization_sees_nothing(house, kim):
    assert house.run(lambda tx: timeline.of(tx, "org_other", kim.id, before=None, limit=9)).entries == []
