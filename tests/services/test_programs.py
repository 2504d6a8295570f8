"""Programs, refusals first."""

import pytest

from affwire.model.registry import Membership, Program
from affwire.services import affiliates, memberships, programs


@pytest.fixture
def spring(house):
    return house.act(programs.create, {"name": "Spring"})


def join(house, program, *statuses):
    number = len(house.events())
    affiliate = house.act(affiliates.create, {"email": f"p{number}@example.org"})[0]
    membership = house.act(memberships.create, affiliate.id, program.id, {"status": statuses[0]})
    for status in statuses[1:]:
        membership = house.act(memberships.update, membership.id, {"status": status})
    return membership


def status_of(house, membership):
    return house.run(lambda tx: tx.registry.get(Membership, house.organization.id, membership.id)).status


@pytest.mark.parametrize("statuses", [("active",), ("pending",), ("active", "paused")])
def test_a_program_with_a_live_member_is_not_deleted_unless_forced(house, spring, statuses):
    join(house, spring, *statuses)
    with house.refuses("program_has_members", live_members=1):
        house.act(programs.delete, spring.id, force=False)


def test_a_forced_delete_removes_the_live_members_alone(house, spring):
    active = join(house, spring, "active")
    pending = join(house, spring, "pending")
    paused = join(house, spring, "active", "paused")
    rejected = join(house, spring, "pending", "rejected")
    gone = [join(house, spring, "active", "left"), join(house, spring, "active", "removed")]
    elsewhere = join(house, house.act(programs.create, {"name": "Autumn"}), "active")
    before = len(house.events())
    house.act(programs.delete, spring.id, force=True)
    news = house.events()[before:]
    assert [event.membership_id for event in news] == [active.id, pending.id, paused.id, None]
    assert [event.type for event in news] == ["membership.removed"] * 3 + ["program.deleted"]
    assert [status_of(house, one) for one in (rejected, *gone)] == ["rejected", "left", "removed"]
    assert status_of(house, elsewhere) == "active"
    assert all(event.snapshot.memberships[0].program.deleted_at for event in news[:3])
    assert (news[-1].snapshot.program.deleted_at, news[-1].snapshot.program_affiliates) == (news[-1].occurred_at, 0)
    assert len({event.cause.request_id for event in news}) == 1
    assert [event.leads for event in news] == [True] * 4


def test_a_forced_delete_does_not_hold_the_writer_for_thousands_of_members(house, spring):
    for _ in range(3):
        join(house, spring, "active")
    with house.refuses("too_many_members", live_members=3):
        house.act(programs.delete, spring.id, force=True, members_max=2)
    house.act(programs.delete, spring.id, force=True, members_max=3)


def test_a_person_in_a_deleted_program_cannot_come_back(house, spring):
    rejected, left = join(house, spring, "pending", "rejected"), join(house, spring, "active", "left")
    house.act(programs.delete, spring.id, force=False)
    for membership in (rejected, left):
        with house.refuses("program_deleted"):
            house.act(memberships.command, membership.id, "reactivate")
        with house.refuses("program_deleted"):
            house.act(memberships.update, membership.id, {"status": "active"})
        with house.refuses("program_not_found"):
            house.act(memberships.create, membership.affiliate_id, spring.id, {})
    assert house.act(memberships.update, left.id, {"tag": "OLD"}).tag == "OLD"


def test_one_that_is_not_there_or_deleted_cannot_be_changed(house, spring):
    house.act(programs.delete, spring.id, force=False)
    for gone in (spring.id, "prg_gone"):
        with house.refuses("program_not_found"):
            house.act(programs.update, gone, {"name": "Autumn"})
        for force in (True, False):
            with house.refuses("program_not_found"):
                house.act(programs.delete, gone, force=force)


def test_what_changes_nothing_writes_nothing(house, spring):
    with house.changes_nothing():
        house.act(programs.update, spring.id, {"name": "Spring", "destinations": ["worldwide"], "metadata": {}})


def test_previous_names_all_that_changed_and_metadata_is_merged(house, spring):
    house.act(programs.update, spring.id, {"metadata": {"a": 1}})
    house.act(programs.update, spring.id, {"name": "Autumn", "currency": "USD", "metadata": {"b": 2}})
    event = house.events()[-1]
    assert event.previous == {"name": "Spring", "metadata": {"a": 1}}
    assert event.snapshot.program.metadata == {"a": 1, "b": 2}


def test_a_program_counts_its_own_events_and_its_times_never_go_back(house, spring):
    house.clock.advance(-60_000)
    house.act(programs.update, spring.id, {"name": "A"})
    house.act(programs.update, spring.id, {"name": "B"})
    house.act(programs.delete, spring.id, force=False)
    events = house.events()
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    moments = [event.occurred_at for event in events]
    assert moments == sorted(set(moments))
    updates = [event.snapshot.program.updated_at for event in events]
    assert updates == sorted(set(updates))
    assert events[-1].snapshot.program.deleted_at >= spring.created_at


def test_numbers_of_programs_are_never_given_twice(house, spring):
    house.act(programs.delete, spring.id, force=False)
    assert house.act(programs.create, {"name": "Again"}).number == spring.number + 1
    kept = house.run(lambda tx: tx.registry.get_even_deleted(Program, house.organization.id, spring.id))
    assert kept.number == spring.number
