"""Applying: who is new becomes an affiliate, who is known gets a mail, and the page tells nobody which."""

import pytest
from applicants import URL, Applicants

from affwire.errors import NotFound, TooMany
from affwire.services import affiliates, applications, erasure, mail, memberships, passes, programs
from affwire.services.passes import DAY_MS
from affwire.store import tables


@pytest.fixture
def people(house):
    return Applicants(house)


def test_a_stranger_becomes_an_affiliate_who_asks_to_join_and_is_asked_to_confirm(house, people):
    people.apply(last_name="Lovelace", country="gb", website="https://ada.example", note="I write.")
    affiliate, membership = people.affiliate, people.membership
    assert (affiliate.email, affiliate.name, affiliate.country) == ("ada@example.com", "Ada Lovelace", "GB")
    assert (affiliate.status, affiliate.confirmed_at) == ("pending", None)
    assert (membership.status, membership.source) == ("pending", "application")
    assert (affiliate.metadata, membership.metadata) == ({"website": "https://ada.example"}, {"note": "I write."})
    assert people.kinds() == ["confirm"]
    assert house.types()[-2:] == ["affiliate.created", "membership.requested"]


def test_the_affiliate_is_the_actor_of_the_application(house, people):
    people.apply()
    actor = house.events()[-1].actor
    assert (actor.kind, actor.id) == ("affiliate", people.affiliate.id)


def test_a_program_that_approves_by_itself_takes_the_stranger_in_at_once(house):
    people = Applicants(house, auto_approve=True)
    people.apply()
    assert (people.affiliate.status, people.membership.status) == ("active", "active")


def test_a_second_application_changes_nothing_and_sends_the_confirmation_once_more(house, people):
    people.apply()
    before, types = (people.affiliate, people.membership), house.types()
    people.apply("ADA@example.com", last_name="Other", company="Evil")
    assert (people.affiliate, people.membership) == before
    assert house.types() == types
    assert people.kinds() == ["confirm", "confirm"]


def test_a_confirmed_member_is_told_that_nothing_has_changed(house, people):
    people.apply()
    house.act(affiliates.confirm, people.affiliate.id)
    types = house.types()
    people.apply()
    assert people.kinds() == ["confirm", "member"]
    assert house.types() == types


def test_a_known_affiliate_joins_another_program_only_by_the_link_in_the_mail(house, people):
    people.apply()
    other = people.another()
    types = house.types()
    other.apply()
    assert house.types() == types
    assert people.kinds() == ["confirm", "join"]


@pytest.mark.parametrize("end", ["reject", "remove"])
def test_one_who_was_declined_or_removed_is_asked_whether_to_ask_again(house, people, end):
    people.apply()
    house.act(memberships.command, people.membership.id, end)
    types = house.types()
    people.apply()
    assert people.kinds()[-1] == "join"
    assert house.types() == types


def test_a_closed_account_gets_no_mail_and_nothing_changes(house, people):
    people.apply()
    house.act(affiliates.update, people.affiliate.id, {"status": "disabled"})
    people.apply()
    assert people.kinds() == ["confirm"]
    assert [one.outcome for one in kept(house)] == ["closed", "new"]


@pytest.mark.parametrize("fields", [{"is_public": False}, {"name": ""}])
def test_a_program_that_is_not_public_takes_no_applications(house, fields):
    people = Applicants(house, **fields)
    with house.refuses("program_not_found"):
        people.apply()
    with pytest.raises(NotFound):
        house.run(lambda tx: applications.page(tx, people.program.id))


def test_neither_does_a_deleted_one_nor_one_that_never_was(house, people):
    house.act(programs.delete, people.program.id, force=False)
    for program_id in (people.program.id, "prg_nothing", "aff_x", ""):
        with house.refuses("program_not_found"):
            people.apply(program=program_id)


def test_the_page_shows_the_program_and_whose_it_is(house, people):
    page = house.run(lambda tx: applications.page(tx, people.program.id))
    assert (page.program.id, page.organization) == (people.program.id, house.organization)
    assert applications.path(people.program) == f"/apply/{people.program.id}"


def test_a_program_that_fills_in_forms_is_told_nothing_and_changes_nothing(house, people):
    with house.changes_nothing():
        people.apply(homepage="http://spam.example")


def test_one_address_has_only_so_many_applications_a_day_and_the_page_does_not_tell(house, people):
    for _ in range(applications.PERSON_MAX):
        people.apply()
    with house.changes_nothing():
        people.apply("Ada@Example.com")
    house.clock.advance(DAY_MS + 1)
    people.apply()
    assert len(people.mails()) == applications.PERSON_MAX + 1


def test_one_place_has_only_so_many_applications_an_hour_whoever_is_named(house, people):
    for number in range(applications.ORIGIN_MAX):
        people.apply(f"ada{number}@example.com", origin=f"2001:db8::{number:x}")
    with house.refuses("too_many_applications"):
        people.apply("eve@example.com", origin="2001:db8::ffff")
    people.apply("eve@example.com", origin="2001:db8:0:1::1")


def test_a_program_takes_only_so_many_applications_an_hour(house, people, monkeypatch):
    monkeypatch.setattr(applications, "PROGRAM_MAX", 3)
    for number in range(3):
        people.apply(f"ada{number}@example.com", origin=f"203.0.113.{number}")
    with pytest.raises(TooMany):
        people.apply("eve@example.com", origin="203.0.113.99")
    people.another().apply("eve@example.com", origin="203.0.113.99")
    house.clock.advance(applications.HOUR_MS + 1)
    people.apply("ian@example.com")


def test_neither_address_nor_origin_is_kept_as_it_was(house, people):
    people.apply(origin="203.0.113.7")
    [one] = kept(house)
    assert "203.0.113.7" not in repr(one)
    assert "ada@" not in repr(one)


def test_an_erased_person_is_in_no_mail_and_no_application_any_more(house, people):
    people.apply(last_name="Lovelace", website="https://ada.example", note="I write.")
    people.use("confirm", people.link())
    house.act(affiliates.delete, people.affiliate.id, erase=True)
    house.run(lambda tx: erasure.erase_due(tx, limit=10))
    everything = repr(house.everything())
    assert not [word for word in ("ada@example.com", "Lovelace", "ada.example", "I write.") if word in everything]
    assert house.everything()["mails"] == []
    assert house.everything()["applications"] == []
    assert house.everything()["used_passes"] == []


def kept(house):
    """What is kept of applications, the newest first."""
    table = tables.applications
    query = table.select().order_by(table.c.created_at.desc())
    return house.run(lambda tx: list(tx.connection.execute(query)))


def leave(house, people, *, mails=True):
    house.act(affiliates.confirm, people.affiliate.id)
    membership_id = people.membership.id
    house.clock.advance(1)
    link, _ = house.run(lambda tx: passes.leaving(tx, people.owner, membership_id))
    text = link.removeprefix(passes.PATHS["leave"])
    house.run(lambda tx: applications.use_link(tx, house.dialects, "leave", text, mails=mails))


def letter(house, people):
    last = people.mails()[-1]
    return house.run(lambda tx: mail.in_full(tx, people.owner, last.id, URL))


def test_whoever_leaves_by_the_link_gets_a_mail_that_says_so_with_a_way_to_apply_again(house, people):
    people.apply()
    leave(house, people)
    assert people.membership.status == "left"
    assert people.kinds() == ["confirm", "left"]
    told = letter(house, people)
    assert (told.letter.subject, told.letter.to) == ("You have left Spring", "ada@example.com")
    assert f"{URL}{applications.path(people.program)}" in told.letter.text
    assert told.link is None


def test_a_program_that_takes_no_applications_offers_none_to_who_has_left(house, people):
    people.apply()
    house.act(programs.update, people.program.id, {"is_public": False})
    leave(house, people)
    assert "apply again" not in letter(house, people).letter.text


def test_without_a_relay_nobody_has_to_hand_on_that_somebody_has_left(house, people):
    people.apply()
    leave(house, people, mails=False)
    assert people.kinds() == ["confirm"]
