"""Links: looking changes nothing, using works once, and a link fits what it was made for only."""

import pytest
from applicants import Applicants
from hypothesis import given, settings
from hypothesis import strategies as st

from affwire.errors import NotFound, Refused
from affwire.services import affiliates, memberships, passes, programs
from affwire.services.passes import DAY_MS, LIFE_MS
from affwire.testing.house import MemoryHouse


@pytest.fixture
def people(house):
    return Applicants(house)


def test_a_link_confirms_the_address_once(house, people):
    people.apply()
    link = people.link()
    assert people.view("confirm", link).state == "open"
    assert people.use("confirm", link).state == "used"
    assert people.affiliate.confirmed_at is not None
    assert (house.types()[-1], house.events()[-1].actor.id) == ("affiliate.confirmed", people.affiliate.id)
    with house.refuses("pass_used"):
        people.use("confirm", link)


def test_looking_at_a_link_changes_nothing(house, people):
    people.apply()
    link = people.link()
    with house.changes_nothing():
        seen = people.view("confirm", link)
    assert (seen.program.id, seen.organization, seen.affiliate.email) == (
        people.program.id,
        house.organization,
        "ada@example.com",
    )
    assert seen.expires_at == house.clock.now() + LIFE_MS["confirm"]


def test_a_link_works_until_its_end_only(house, people):
    people.apply()
    link = people.link()
    house.clock.advance(LIFE_MS["confirm"] - 1)
    assert people.view("confirm", link).state == "open"
    house.clock.advance(1)
    with house.refuses("pass_expired"):
        people.use("confirm", link)


def test_the_link_to_a_former_address_decides_nothing(house, people):
    people.apply()
    link = people.link()
    house.act(affiliates.update, people.affiliate.id, {"email": "other@example.com"})
    with house.refuses("pass_void"):
        people.use("confirm", link)


@pytest.mark.parametrize("gone", ["affiliate", "program"])
def test_a_link_about_what_is_gone_does_nothing(house, people, gone):
    people.apply()
    link = people.link()
    if gone == "affiliate":
        house.act(affiliates.delete, people.affiliate.id)
    else:
        house.act(programs.delete, people.program.id, force=True)
    with house.refuses("pass_void"):
        people.use("confirm", link)


def test_a_known_affiliate_joins_by_the_link_and_has_confirmed_the_address(house, people):
    people.apply()
    other = people.another()
    other.apply()
    link = other.link()
    assert other.use("join", link).membership.status == "pending"
    assert house.types()[-2:] == ["affiliate.confirmed", "membership.requested"]
    assert other.membership.source == "application"
    with house.refuses("pass_used"):
        other.use("join", link)


def test_confirming_and_joining_by_one_link_are_two_requests_since_dialects_speak_once_in_each(house, people):
    people.apply()
    other = people.another(auto_approve=True)
    other.apply()
    link = other.link()
    house.run(lambda tx: passes.use(tx, house.dialects, "join", link, "req_1"))
    confirmed, activated = house.events()[-2:]
    assert (confirmed.type, activated.type) == ("affiliate.confirmed", "membership.activated")
    assert confirmed.cause.request_id == "req_1"
    assert activated.cause.request_id != "req_1"
    assert confirmed.leads
    assert activated.leads


@pytest.mark.parametrize(("fields", "status"), [({}, "pending"), ({"auto_approve": True}, "active")])
def test_one_who_was_removed_comes_back_as_the_program_lets_in(house, fields, status):
    people = Applicants(house, **fields)
    people.apply()
    house.act(memberships.command, people.membership.id, "remove")
    people.apply()
    people.use("join", people.link())
    assert people.membership.status == status


def test_a_used_link_to_join_does_not_bring_back_who_was_removed_afterwards(house, people):
    people.apply()
    other = people.another()
    other.apply()
    link = other.link()
    other.use("join", link)
    house.act(memberships.command, other.membership.id, "remove")
    with house.refuses("pass_used"):
        other.use("join", link)


@pytest.mark.parametrize("change", ["account", "program"])
def test_a_link_to_join_is_void_for_a_closed_account_and_for_a_closed_program(house, people, change):
    people.apply()
    other = people.another()
    other.apply()
    link = other.link()
    if change == "account":
        house.act(affiliates.update, people.affiliate.id, {"status": "disabled"})
    else:
        house.act(programs.update, other.program.id, {"is_public": False})
    with house.refuses("pass_void"):
        other.use("join", link)


@pytest.mark.parametrize("status", ["pending", "active", "paused"])
def test_a_member_leaves_by_the_link_that_the_manager_hands_on(house, people, status):
    people.apply()
    if status != "pending":
        house.act(memberships.command, people.membership.id, "approve")
    if status == "paused":
        house.act(memberships.update, people.membership.id, {"status": "paused"})
    link = leaving(people)
    assert people.use("leave", link).state == "used"
    assert people.membership.status == "left"
    assert house.types()[-1] == "membership.left"


def test_who_has_come_back_is_not_sent_away_by_the_link_that_was_used(house, people):
    people.apply()
    link = leaving(people)
    people.use("leave", link)
    house.act(memberships.command, people.membership.id, "reactivate")
    with house.refuses("pass_used"):
        people.use("leave", link)


def test_there_is_no_link_for_leaving_what_was_left(house, people):
    people.apply()
    house.act(memberships.command, people.membership.id, "reject")
    with house.refuses("not_a_member"):
        leaving(people)
    with house.refuses("membership_not_found"):
        house.run(lambda tx: passes.leaving(tx, house.organization.id, "mem_none"))


def test_what_we_never_made_is_not_found_also_before_the_first_link(house, people):
    for text in ("", "x", "A" * 83):
        with pytest.raises(NotFound):
            people.view("confirm", text)
    people.apply()
    with house.refuses("pass_not_found"):
        people.use("leave", people.link())


def test_the_same_mail_has_the_same_link_whenever_it_is_asked_for(house, people):
    people.apply()
    assert people.link() == people.link()


def test_links_live_on_when_secrets_are_sealed_anew(house, people):
    people.apply()
    link = people.link()
    house.run(lambda tx: tx.applications.reseal_key())
    assert people.view("confirm", link).state == "open"


def leaving(people):
    owner, membership_id = people.owner, people.membership.id
    path, _ = people.house.run(lambda tx: passes.leaving(tx, owner, membership_id))
    return path.removeprefix(passes.PATHS["leave"])


@settings(max_examples=25, deadline=None)
@given(
    made=st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from(["confirm", "join", "leave"])),
    asked=st.sampled_from(["confirm", "join", "leave"]),
    passed=st.integers(0, 400 * DAY_MS),
)
def test_a_link_acts_for_its_purpose_its_affiliate_and_its_program_only(made, asked, passed):
    house = MemoryHouse()
    first, second = Applicants(house), Applicants(house)
    for people in (first, second):
        people.apply("ada@example.com", origin="a")
        people.apply("eve@example.com", origin="b")
    who, where, purpose = made
    affiliate, program = first.affiliates()[who], (first, second)[where].program
    path, ends_at = house.run(lambda tx: passes.made(tx, purpose, affiliate, program.id, since=tx.now))
    house.clock.advance(passed)
    told = len(house.events())
    try:
        first.use(asked, path.rpartition("/")[2])
    except Refused:
        assert len(house.events()) == told
        return
    assert asked == purpose
    assert house.clock.now() < ends_at
    events = house.events()[told:]
    assert {event.affiliate_id for event in events} == {affiliate.id}
    assert {event.program_id for event in events} <= {program.id, None}
