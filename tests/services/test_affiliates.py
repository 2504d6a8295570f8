"""Affiliates, refusals first."""

import pytest

from affwire.services import affiliates, memberships, programs
from affwire.store.registry import Affiliate


@pytest.fixture
def kim(house):
    return house.act(affiliates.create, {"email": "Kim@Example.org"})[0]


def reload(house, affiliate):
    return house.run(lambda tx: tx.registry.get_even_deleted(Affiliate, house.organization.id, affiliate.id))


@pytest.mark.parametrize("email", ["Kim@Example.org", "kim@example.org", "KIM@EXAMPLE.ORG", " kim@example.org "])
def test_an_address_belongs_to_one_affiliate_without_regard_to_case(house, kim, email):
    with house.refuses("email_taken", field="email", existing_id=kim.id):
        house.act(affiliates.create, {"email": email})
    other = house.act(affiliates.create, {"email": "other@example.org"})[0]
    with house.refuses("email_taken", existing_id=kim.id):
        house.act(affiliates.update, other.id, {"email": email})


def test_the_address_of_a_deleted_affiliate_is_free_again(house, kim):
    house.act(affiliates.delete, kim.id)
    again = house.act(affiliates.create, {"email": "kim@example.org"})[0]
    assert again.id != kim.id
    assert again.number == kim.number + 1


def test_ones_own_address_may_change_its_case(house, kim):
    assert house.act(affiliates.update, kim.id, {"email": "kim@example.org"}).email == "kim@example.org"
    assert house.events()[-1].previous == {"email": "Kim@Example.org"}


def test_an_address_cannot_be_taken_away(house, kim):
    with house.refuses("email_required", field="email"):
        house.act(affiliates.update, kim.id, {"email": None, "city": "Lund"})


def test_two_affiliates_may_have_no_address_and_either_may_get_one(house):
    first = house.act(affiliates.create, {"email": None})[0]
    house.act(affiliates.create, {"email": None})
    assert house.act(affiliates.update, first.id, {"email": "a@example.org"}).email == "a@example.org"


def test_a_refused_first_membership_creates_no_affiliate(house):
    program = house.act(programs.create, {"name": "Spring"})
    with house.refuses("program_not_found"):
        house.act(affiliates.create, {"email": "a@example.org"}, program_id="prg_gone")
    for status in ("paused", "rejected", "removed", "left"):
        with house.refuses("illegal_transition", status_now=None, legal=["active", "pending"]):
            house.act(
                affiliates.create, {"email": "a@example.org"}, program_id=program.id, membership={"status": status}
            )
    with house.refuses("unknown_group", field="group_id"):
        house.act(
            affiliates.create, {"email": "a@example.org"}, program_id=program.id, membership={"group_id": "grp_gone"}
        )
    house.act(programs.delete, program.id, force=False)
    with house.refuses("program_not_found"):
        house.act(affiliates.create, {"email": "a@example.org"}, program_id=program.id)


@pytest.mark.parametrize(
    "do",
    [
        lambda house, id_: house.act(affiliates.update, id_, {"city": "Lund"}),
        lambda house, id_: house.act(affiliates.confirm, id_),
        lambda house, id_: house.act(affiliates.delete, id_),
        lambda house, id_: house.act(memberships.create, id_, "prg_x", {}),
    ],
)
def test_one_that_is_not_there_or_deleted_cannot_be_changed(house, kim, do):
    house.act(affiliates.delete, kim.id)
    for gone in (kim.id, "aff_gone", ""):
        with house.refuses("affiliate_not_found"):
            do(house, gone)


def test_what_changes_nothing_writes_nothing(house, kim):
    same = {"email": "Kim@Example.org", "city": None, "metadata": {}, "status": "active"}
    with house.changes_nothing():
        assert house.act(affiliates.update, kim.id, same) == house.act(affiliates.update, kim.id, {})
    house.act(affiliates.confirm, kim.id)
    with house.changes_nothing():
        house.act(affiliates.confirm, kim.id)


def test_metadata_and_external_ids_are_merged(house, kim):
    house.act(affiliates.update, kim.id, {"metadata": {"a": {"x": 1, "y": 2}}, "external_ids": {"crm": "7"}})
    after = house.act(affiliates.update, kim.id, {"metadata": {"a": {"x": None}, "b": 3}, "external_ids": {"erp": "8"}})
    assert after.metadata == {"a": {"y": 2}, "b": 3}
    assert after.external_ids == {"crm": "7", "erp": "8"}
    assert house.events()[-1].previous == {"metadata": {"a": {"x": 1, "y": 2}}, "external_ids": {"crm": "7"}}
    with house.changes_nothing():
        house.act(affiliates.update, kim.id, {"metadata": {"b": 3, "absent": None}})


def test_previous_names_all_that_changed_and_nothing_else(house, kim):
    house.act(affiliates.update, kim.id, {"city": "Lund", "country": "SE", "email": "Kim@Example.org"})
    assert house.events()[-1].previous == {"city": None, "country": None}


def test_metadata_that_would_grow_too_large_is_refused(house, kim):
    house.act(affiliates.update, kim.id, {"metadata": {"a": "x" * 10_000}})
    with house.refuses("too_long", field="metadata"):
        house.act(affiliates.update, kim.id, {"metadata": {"b": "x" * 10_000}})


def test_a_pending_account_becomes_active_with_the_first_activation(house):
    program, other = (house.act(programs.create, {"name": name}) for name in "AB")
    kim, asked = house.act(
        affiliates.create, {"email": "k@example.org"}, program_id=program.id, membership={"status": "pending"}
    )
    assert (kim.status, kim.standing) == ("pending", False)
    house.act(memberships.create, kim.id, other.id, {"status": "pending"})
    assert reload(house, kim).status == "pending"
    house.clock.advance(5)
    house.act(memberships.command, asked.id, "approve")
    after = reload(house, kim)
    assert (after.status, after.standing, after.updated_at > kim.updated_at) == ("active", True, True)
    assert house.events()[-1].previous == {"status": "pending", "affiliate": {"status": "pending"}}


def test_a_request_where_everybody_is_taken_makes_an_active_account(house):
    program = house.act(programs.create, {"name": "A", "auto_approve": True})
    kim, membership = house.act(
        affiliates.create, {"email": "k@example.org"}, program_id=program.id, membership={"status": "pending"}
    )
    assert (kim.status, kim.standing, membership.status) == ("active", True, "active")


@pytest.mark.parametrize("status", ["disabled", "rejected", "suspicious"])
def test_an_activation_leaves_any_other_account_status_alone(house, status):
    program = house.act(programs.create, {"name": "A"})
    kim = house.act(affiliates.create, {"email": "k@example.org", "status": status})[0]
    house.act(memberships.create, kim.id, program.id, {})
    assert reload(house, kim).status == status
    assert house.events()[-1].previous == {"status": None}


def test_deleting_ends_live_memberships_alone_and_the_affiliate_last(house, kim):
    ended = {}
    for status in ("active", "pending", "paused", "rejected", "removed", "left"):
        program = house.act(programs.create, {"name": status})
        first = "active" if status in {"active", "paused", "removed", "left"} else "pending"
        membership = house.act(memberships.create, kim.id, program.id, {"status": first})
        if status != first:
            membership = house.act(memberships.update, membership.id, {"status": status})
        ended[status] = membership
    before = len(house.events())
    house.act(affiliates.delete, kim.id)
    news = house.events()[before:]
    assert [event.type for event in news] == ["membership.removed"] * 3 + ["affiliate.deleted"]
    assert [event.membership_id for event in news[:3]] == [ended[name].id for name in ("active", "pending", "paused")]
    assert [event.previous["status"] for event in news[:3]] == ["active", "pending", "paused"]
    assert {event.cause.event_id for event in news} == {news[-1].id}
    final = {view.membership.program_id: view for view in news[-1].snapshot.memberships}
    assert {final[ended[name].program_id].membership.status for name in ("active", "pending", "paused")} == {"removed"}
    assert final[ended["rejected"].program_id].membership.status == "rejected"
    assert news[-1].snapshot.affiliate.deleted_at == news[-1].occurred_at
    assert (news[-1].standing_before, news[-1].standing_after) == (True, False)


def test_times_of_an_affiliate_grow_from_request_to_request_whatever_the_clock_does(house, kim):
    house.act(affiliates.update, kim.id, {"city": "A"})
    house.clock.advance(-5_000)
    house.act(affiliates.update, kim.id, {"city": "B"})
    house.act(affiliates.confirm, kim.id)
    house.act(affiliates.delete, kim.id)
    moments = [event.occurred_at for event in house.events()]
    assert moments == [moments[0], moments[0] + 1, moments[0] + 2, moments[0] + 3, moments[0] + 4]
    last = house.events()[-1].snapshot.affiliate
    assert last.updated_at == last.deleted_at == moments[-1]
    assert house.events()[3].snapshot.affiliate.confirmed_at == moments[3]
