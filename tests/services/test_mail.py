"""Mails: durable, leased with a fence, tried by a schedule, and good for nobody else."""

import pytest
from applicants import URL, Applicants

from affwire.errors import Refused
from affwire.model.wire import Outcome, Response
from affwire.rules.mailing import LEASE_MS, SCHEDULE
from affwire.services import affiliates, mail, programs, restoration
from affwire.services.passes import DAY_MS

TAKEN = Outcome(Response(250), detail="queued as 1")
BUSY = Outcome(Response(451), "status", "451 later\r\nplease")
REFUSED = Outcome(Response(550), "status", "550 no such user")


@pytest.fixture
def people(house):
    one = Applicants(house)
    one.apply()
    return one


def claim(house):
    return house.run(lambda tx: mail.claim(tx, URL))


def settle(house, claimed, outcome):
    now = house.clock.now()
    return house.run(lambda tx: mail.settle(tx, claimed, outcome, started_at=now - 5, ended_at=now))


def attempts(house, people):
    [one] = people.mails()
    return [(each.number, each.outcome, each.status_code) for each in house.run(lambda tx: tx.mails.attempts(one.id))]


def test_a_mail_waits_unsent_until_somebody_takes_it(house, people):
    [one] = people.mails()
    assert (one.status, one.address, one.attempts) == ("unsent", "ada@example.com", 0)


def test_a_mail_that_the_relay_took_is_sent_and_never_claimed_again(house, people):
    [claimed] = claim(house)
    assert claim(house) == []
    assert settle(house, claimed, TAKEN)
    house.clock.advance(DAY_MS)
    assert claim(house) == []
    assert [one.status for one in people.mails()] == ["sent"]
    assert attempts(house, people) == [(1, "ok", 250)]


def test_the_letter_says_what_it_is_about_with_links_and_without_a_word_of_the_applicant(house):
    people = Applicants(house)
    people.apply(first_name="Buy pills at spam.example", company="Pills", note="Pills")
    [claimed] = claim(house)
    letter = claimed.letter
    assert (letter.to, letter.subject) == ("ada@example.com", "Please confirm your e-mail address for Spring")
    assert f"{URL}/confirm/{people.link()}" in letter.text
    assert f'<a href="{URL}/confirm/' in letter.html
    assert f"{URL}/leave/" in letter.text
    assert "pills" not in f"{letter.text}{letter.html}{letter.subject}".lower()


def test_a_programs_name_breaks_out_of_neither_header_nor_markup(house, people):
    house.act(programs.update, people.program.id, {"name": "A<b>\r\nBcc: eve@example.com" + "x" * 300})
    [claimed] = claim(house)
    assert "\n" not in claimed.letter.subject
    assert "<b>" not in claimed.letter.html
    assert len(claimed.letter.subject) < 200


@pytest.mark.parametrize("kind", ["confirm", "join", "member"])
def test_the_link_of_a_mail_works_as_the_letter_says(house, people, kind):
    other = people.another()
    if kind == "member":
        house.act(affiliates.confirm, people.affiliate.id)
    (other if kind == "join" else people).apply()
    one = people.mails()[-1]
    assert one.kind == kind
    purpose = {"member": "leave"}.get(kind, kind)
    assert people.use(purpose, people.link()).state == "used"


def test_a_busy_relay_is_tried_again_by_the_schedule_and_then_no_more(house, people):
    for step, wait in enumerate(SCHEDULE):
        [claimed] = claim(house)
        assert settle(house, claimed, BUSY)
        [one] = people.mails()
        assert (one.status, one.reason, one.steps) == ("unsent", "451 later please", step + 1)
        house.clock.advance(round(wait * 1000))
    [claimed] = claim(house)
    settle(house, claimed, BUSY)
    [one] = people.mails()
    assert (one.status, one.attempts) == ("failed", len(SCHEDULE) + 1)


def test_an_address_that_the_relay_refuses_is_given_up_at_once(house, people):
    [claimed] = claim(house)
    settle(house, claimed, REFUSED)
    [one] = people.mails()
    assert (one.status, one.reason) == ("failed", "550 no such user")


def test_a_lease_that_ends_without_a_word_is_on_record_and_the_mail_goes_again(house, people):
    [stale] = claim(house)
    house.clock.advance(LEASE_MS)
    assert claim(house) == []
    assert attempts(house, people) == [(1, "unknown", None)]
    house.clock.advance(round(SCHEDULE[0] * 1000))
    [again] = claim(house)
    assert not settle(house, stale, TAKEN)
    assert settle(house, again, TAKEN)
    assert attempts(house, people) == [(1, "unknown", None), (2, "ok", 250)]


def test_a_stale_claim_changes_nothing(house, people):
    [stale] = claim(house)
    house.clock.advance(LEASE_MS)
    claim(house)
    with house.changes_nothing():
        assert not settle(house, stale, TAKEN)


@pytest.mark.parametrize("change", ["deleted", "address", "program"])
def test_a_mail_that_has_become_moot_is_not_sent_and_says_why(house, people, change):
    if change == "deleted":
        house.act(affiliates.delete, people.affiliate.id)
    elif change == "address":
        house.act(affiliates.update, people.affiliate.id, {"email": "new@example.com"})
    else:
        house.act(programs.delete, people.program.id, force=True)
    assert claim(house) == []
    [one] = people.mails()
    assert (one.status, one.reason) == ("failed", mail.MOOT)
    shown = house.run(lambda tx: mail.in_full(tx, people.owner, one.id, URL))
    assert (shown.letter, shown.link) == (None, None)


def test_a_mail_is_sent_once_more_with_links_that_run_from_then(house, people):
    [claimed] = claim(house)
    settle(house, claimed, REFUSED)
    before = people.link()
    house.clock.advance(8 * DAY_MS)
    [one] = people.mails()
    again = house.run(lambda tx: mail.resend(tx, one.organization_id, one.id))
    assert (again.status, again.steps, again.reason) == ("unsent", 0, None)
    assert people.view("confirm", before).state == "expired"
    assert people.view("confirm", people.link()).state == "open"
    [claimed] = claim(house)
    assert settle(house, claimed, TAKEN)
    assert attempts(house, people) == [(1, "failed", 550), (2, "ok", 250)]


def test_a_mail_that_is_under_way_is_not_sent_once_more(house, people):
    [claimed] = claim(house)
    with house.refuses("mail_under_way"):
        house.run(lambda tx: mail.resend(tx, house.organization.id, claimed.mail.id))


def test_another_organizations_mail_is_not_found(house, people):
    [one] = people.mails()
    for do in (mail.get, mail.resend):
        with house.refuses("mail_not_found"):
            house.run(lambda tx, do=do: do(tx, "org_other", one.id))


def test_old_mails_are_forgotten_with_their_attempts_unless_under_way(house, people):
    [claimed] = claim(house)
    later = house.clock.now() + 1
    assert house.run(lambda tx: tx.mails.forget(later, limit=10)) == 0
    settle(house, claimed, TAKEN)
    assert house.run(lambda tx: tx.mails.forget(later, limit=10)) == 1
    assert house.everything()["mail_attempts"] == []


def test_a_refused_change_writes_no_mail(house, people):
    with house.refuses("invalid"):
        house.run(refused_after_writing(people))


def refused_after_writing(people):
    affiliate = people.affiliate

    def work(tx):
        mail.write(tx, "confirm", affiliate, people.program)
        raise Refused("invalid")

    return work


def test_what_a_backup_had_to_send_does_not_go_by_itself(house, people):
    [stale] = claim(house)
    people.another().apply("eve@example.com")
    house.run(restoration.hold_all)
    assert {(one.status, one.reason) for one in people.mails()} == {("failed", restoration.RESTORED)}
    house.clock.advance(DAY_MS)
    assert claim(house) == []
    assert not settle(house, stale, TAKEN)
