"""Memberships, refusals first."""

import pytest

from affwire.services import affiliates, memberships, perks, programs


@pytest.fixture
def program(house):
    return house.act(programs.create, {"name": "Spring"})


@pytest.fixture
def kim(house):
    return house.act(affiliates.create, {"email": "kim@example.org"})[0]


def member(house, kim, program, *statuses):
    membership = house.act(memberships.create, kim.id, program.id, {"status": statuses[0]})
    for status in statuses[1:]:
        membership = house.act(memberships.update, membership.id, {"status": status})
    return membership


LIVE = [("active",), ("pending",), ("active", "paused")]
OVER = [("pending", "rejected"), ("active", "removed"), ("active", "left")]


@pytest.mark.parametrize("statuses", LIVE)
@pytest.mark.parametrize("wished", ["active", "pending"])
def test_a_live_member_cannot_join_again(house, kim, program, statuses, wished):
    existing = member(house, kim, program, *statuses)
    with house.refuses("already_member", existing_id=existing.id, status_now=statuses[-1]):
        house.act(memberships.create, kim.id, program.id, {"status": wished})


@pytest.mark.parametrize("statuses", OVER)
@pytest.mark.parametrize("wished", ["active", "pending"])
def test_one_whose_membership_is_over_comes_back_as_the_same_member(house, kim, program, statuses, wished):
    over = member(house, kim, program, *statuses)
    back = house.act(memberships.create, kim.id, program.id, {"status": wished, "tag": "BACK", "metadata": {"n": 1}})
    assert (back.id, back.number, back.created_at) == (over.id, over.number, over.created_at)
    assert (back.status, back.tag, back.metadata) == (wished, "BACK", {"n": 1})
    assert house.events()[-1].previous == {"status": statuses[-1], "tag": None, "metadata": {}}


@pytest.mark.parametrize("statuses", OVER)
@pytest.mark.parametrize("wished", ["paused", "rejected", "removed", "left"])
def test_joining_leads_to_pending_or_active_alone(house, kim, program, statuses, wished):
    with house.refuses("illegal_transition", status_now=None):
        house.act(memberships.create, kim.id, program.id, {"status": wished})
    member(house, kim, program, *statuses)
    with house.refuses("illegal_transition", status_now=statuses[-1], legal=["active", "pending"]):
        house.act(memberships.create, kim.id, program.id, {"status": wished})


def test_a_status_that_is_none_is_refused(house, kim, program):
    with house.refuses("invalid_status", field="status"):
        house.act(memberships.create, kim.id, program.id, {"status": "Not A Status"})
    membership = member(house, kim, program, "active")
    with house.refuses("invalid_status", field="status"):
        house.act(memberships.update, membership.id, {"status": "Not A Status", "tag": "X"})


def test_an_illegal_transition_changes_none_of_the_fields_either(house, kim, program):
    membership = member(house, kim, program, "active")
    with house.refuses("illegal_transition", status_now="active", legal=["X", "left", "removed"]):
        house.act(memberships.update, membership.id, {"status": "rejected", "tag": "X"})
    with house.refuses("illegal_transition"):
        house.act(memberships.command, membership.id, "approve")


def test_auto_approve_turns_a_request_into_its_activation_and_nothing_else(house, kim):
    program = house.act(programs.create, {"name": "Open", "auto_approve": True})
    membership = member(house, kim, program, "pending")
    assert membership.status == "active"
    with house.refuses("illegal_transition", status_now="active"):
        house.act(memberships.update, membership.id, {"status": "pending"})
    house.act(memberships.update, membership.id, {"status": "paused"})
    with house.refuses("illegal_transition", status_now="paused"):
        house.act(memberships.update, membership.id, {"status": "pending"})
    house.act(memberships.update, membership.id, {"status": "left"})
    assert house.act(memberships.update, membership.id, {"status": "pending"}).status == "active"


def test_a_request_of_before_auto_approve_stays_a_request(house, kim, program):
    membership = member(house, kim, program, "pending")
    house.act(programs.update, program.id, {"auto_approve": True})
    with house.changes_nothing():
        assert house.act(memberships.update, membership.id, {"status": "pending"}).status == "pending"


def test_a_membership_of_a_deleted_affiliate_is_out_of_reach(house, kim, program):
    membership = member(house, kim, program, "active")
    house.act(affiliates.delete, kim.id)
    for do in (
        lambda: house.act(memberships.update, membership.id, {"tag": "X"}),
        lambda: house.act(memberships.command, membership.id, "reactivate"),
        lambda: house.act(perks.create_link, membership.id, {"url": "https://example.com", "token": "t"}),
    ):
        with house.refuses("affiliate_not_found"):
            do()


@pytest.mark.parametrize("group_id", ["grp_gone", ""])
def test_a_group_that_is_not_there_is_refused(house, kim, program, group_id):
    with house.refuses("unknown_group", field="group_id"):
        house.act(memberships.create, kim.id, program.id, {"group_id": group_id})
    membership = member(house, kim, program, "active")
    with house.refuses("unknown_group", field="group_id"):
        house.act(memberships.update, membership.id, {"group_id": group_id, "status": "paused"})


def test_what_changes_nothing_writes_nothing(house, kim, program):
    membership = member(house, kim, program, "active", "paused")
    with house.changes_nothing():
        house.act(memberships.update, membership.id, {"status": "paused", "tag": None, "metadata": {}})


def test_a_status_and_fields_in_one_request_are_one_event_that_names_both(house, kim, program):
    group = house.act(perks.create_group, {"name": "Gold"})
    membership = member(house, kim, program, "active")
    before = len(house.events())
    fields = {"status": "paused", "tag": "T", "group_id": group.id, "metadata": {"a": 1}, "source": None}
    house.act(memberships.update, membership.id, fields)
    [event] = house.events()[before:]
    assert event.type == "membership.changed"
    assert event.previous == {"status": "active", "tag": None, "group_id": None, "metadata": {}}
    assert event.own.status_before == "active"
    assert event.own.group.name == "Gold"


def test_a_change_of_fields_keeps_the_status_in_its_view(house, kim, program):
    membership = member(house, kim, program, "active")
    house.act(memberships.update, membership.id, {"tag": "T"})
    event = house.events()[-1]
    assert (event.type, event.previous, event.own.status_before) == ("membership.updated", {"tag": None}, "active")


@pytest.mark.parametrize("step_ms", [0, -3_600_000, 1, 999, 1_000, 1_001, 86_400_000])
def test_each_change_of_status_moves_updated_at_to_a_later_whole_second(house, kim, program, step_ms):
    membership = member(house, kim, program, "pending")
    seconds = [membership.updated_at // 1000]
    for status in ("active", "paused", "active", "left", "active", "removed", "pending", "rejected"):
        house.clock.advance(step_ms)
        house.act(memberships.update, membership.id, {"tag": status})
        membership = house.act(memberships.update, membership.id, {"status": status})
        seconds.append(membership.updated_at // 1000)
    assert seconds == sorted(set(seconds))


def test_a_change_of_fields_moves_updated_at_too(house, kim, program):
    membership = member(house, kim, program, "active")
    after = house.act(memberships.update, membership.id, {"tag": "A"})
    assert after.updated_at > membership.updated_at
    house.clock.advance(-10_000)
    assert house.act(memberships.update, membership.id, {"tag": "B"}).updated_at > after.updated_at


def test_one_that_is_not_there_cannot_be_changed(house):
    for do in (
        lambda: house.act(memberships.update, "mem_gone", {"tag": "X"}),
        lambda: house.act(memberships.command, "mem_gone", "approve"),
    ):
        with house.refuses("membership_not_found"):
            do()


def test_every_membership_of_the_affiliate_is_in_the_snapshot_with_its_former_status(house, kim, program):
    other = house.act(programs.create, {"name": "Autumn"})
    first, second = member(house, kim, program, "active"), member(house, kim, other, "pending")
    house.act(memberships.command, second.id, "approve")
    views = house.events()[-1].snapshot.memberships
    assert [(view.membership.id, view.status_before, view.membership.status) for view in views] == [
        (first.id, "active", "active"),
        (second.id, "pending", "active"),
    ]
