"""What is searched for by an id that a receiver has: whatever a dialect wrote into a request finds what it was about."""

import json
import re

import pytest
from registry_walk import HOOKS

from affwire.engine.wording import Wording
from affwire.model import ids
from affwire.model.deliveries import AttemptRecord
from affwire.rules.delivery import Delivered
from affwire.services import affiliates, deliveries, digests, journal, memberships, perks, programs, search
from affwire.services.deliveries import Result
from affwire.store import finding

ID = re.compile(r"[a-z]+_[0-9a-z]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OLD_ADDRESS = "Kim@Example.org"


@pytest.fixture
def sent(house):
    """Every request that every dialect made of a program's and a person's life, with the claim that it is of."""
    for dialect in house.dialects:
        house.endpoint(dialect, HOOKS)
    program = house.act(programs.create, {"name": "Spring"})
    group = house.act(perks.create_group, {"name": "Gold"})
    member = {"status": "active", "group_id": group.id}
    kim, membership = house.act(affiliates.create, {"email": OLD_ADDRESS}, program_id=program.id, membership=member)
    house.act(perks.create_promo_code, membership.id, {"code": "KIM20"})
    house.act(perks.create_link, membership.id, {"url": "https://shop.example/?via=kim", "token": "kim"})
    house.act(affiliates.update, kim.id, {"last_name": "Lee"})
    gone, _ = house.act(affiliates.create, {"email": "lou@example.org"}, program_id=program.id, membership={})
    house.act(affiliates.delete, gone.id)
    house.act(memberships.command, membership.id, "remove")
    house.act(programs.delete, program.id, force=True)
    return delivered(house)


def delivered(house):
    claims = house.run(
        lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=500, room=lambda *_: 500)
    ).claims
    wording = Wording(house.dialects)
    house.run(
        lambda tx: deliveries.settle(tx, house.dialects, [Result(one, Delivered(), tried(one)) for one in claims])
    )
    return [(one, wording.request(one)) for one in claims]


def tried(claim):
    attempt, at = claim.attempt, claim.attempt.at
    return AttemptRecord(
        delivery_id=claim.delivery.id, number=attempt.number, id=attempt.id, started_at=at, ended_at=at, outcome="ok"
    )


def found(house, text):
    """Return the ids of what a search finds, of the kinds that a search may name."""
    named = house.run(lambda tx: search.found(tx, house.organization, text, house.dialects, limit=10))
    return {one.record_id for one in named}


def ids_in(value):
    """Yield every id that a body holds, wherever it stands."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from ids_in(inner)
    elif isinstance(value, str) and ID.fullmatch(value):
        yield value


def at(body, path):
    for name in path.split("."):
        body = body[name]
    return body


def known_to(house, record_id):
    """Whether there is such a record, or was."""

    def work(tx):
        own = house.organization.id
        its = tx.log.get(own, record_id) or tx.outbox.get(own, record_id)
        return its is not None or record_id == own or journal.is_known(tx, own, record_id) or kept(tx, record_id)

    return house.run(work)


def kept(tx, record_id):
    kind = ids.kind_of(record_id)
    column = finding._NEWEST.get(kind) if kind else None
    if column is None:
        return False
    return tx.connection.execute(column.table.select().where(column.table.c.id == record_id)).first() is not None


def test_whatever_a_receiver_dedupes_on_finds_the_event(house, sent):
    """Growi's and Insert Affiliate's keys are made of numbers, addresses and times: their ids are in the test below."""
    asked = set()
    for claim, request in sent:
        card, headers = house.dialects[claim.endpoint.dialect].card, dict(request.headers)
        for name in card.dedupe if card.name not in {"growi", "insert_affiliate"} else ():
            header = name.removeprefix("header ")
            value = headers[header] if name != header else at(json.loads(request.body), name)
            assert claim.event.id in found(house, value), (card.name, name, value)
            asked.add(card.name)
    assert asked == set(house.dialects) - {"growi", "insert_affiliate"}


def test_every_id_that_any_dialect_wrote_finds_a_record(house, sent):
    lost, seen = [], {}
    for claim, request in sent:
        dialect = claim.endpoint.dialect
        for value in {*ids_in(json.loads(request.body)), *ids_in([value for _, value in request.headers])}:
            seen.setdefault(dialect, set()).add(value)
    for dialect, values in seen.items():
        lost += [(dialect, one) for one in values if not any(known_to(house, its) for its in found(house, one))]
    assert [one for one in lost if not one[1].startswith("req_")] == []  # a request is in the server's log alone
    assert set(seen) == set(house.dialects) - {"growi"}


def test_every_number_that_growi_wrote_finds_a_record(house, sent):
    bodies = [json.loads(request.body) for claim, request in sent if claim.endpoint.dialect == "growi"]
    numbers = {body[name] for body in bodies for name in body if name.endswith("_id")}
    assert len(numbers) > 1
    assert [one for one in numbers if not found(house, str(one))] == []


def test_the_id_of_a_rewardful_request_finds_its_delivery(house, sent):
    asked = [(claim, json.loads(request.body)["request"]["id"]) for claim, request in sent
             if claim.endpoint.dialect == "rewardful"]  # fmt: skip
    assert asked
    assert all(claim.delivery.id in found(house, value) for claim, value in asked)


def test_an_event_that_nobody_was_told_of_is_found_by_the_id_it_would_have(house):
    program = house.act(programs.create, {"name": "Spring"})
    house.act(affiliates.create, {"email": OLD_ADDRESS}, program_id=program.id, membership={})
    event = house.events()[-1]
    [saying] = house.dialects["affonso"].says(event)
    text = house.dialects["affonso"].message_id(event.id, saying.word, saying.subject)
    assert event.id in found(house, text)
    assert event.id not in found(house, text[:-1] + ("0" if text[-1] != "0" else "1"))


def test_another_organization_finds_nothing_by_the_ids_of_receivers(house, sent):
    values = {one for claim, request in sent for one in ids_in(json.loads(request.body))}
    house.organization = house.another("other")
    assert [
        one for one in values if any(known_to(house, its) for its in found(house, one) if kept_here(house, its))
    ] == []


def kept_here(house, record_id):
    return house.run(lambda tx: journal.is_known(tx, house.organization.id, record_id))


def test_the_newest_of_many_affiliates_is_found_by_the_id_of_its_address(house, monkeypatch):
    monkeypatch.setattr(digests, "PEOPLE_MAX", 3)
    people = [house.act(affiliates.create, {"email": f"a{nth}@x.org"})[0] for nth in range(5)]
    called = house.dialects["insert_affiliate"].affiliate_id
    hit = [one.id in found(house, called(one.email)) for one in people]
    assert hit == [False, False, True, True, True]


def test_who_has_a_new_address_is_found_by_the_id_of_the_one_before(house):
    house.endpoint("insert_affiliate", HOOKS)
    kim = house.act(affiliates.create, {"email": OLD_ADDRESS})[0]
    house.act(affiliates.update, kim.id, {"email": "kim@new.example"})
    wrote = {one for _, request in delivered(house) for one in ids_in(json.loads(request.body))}
    assert len(wrote) == 2
    assert [found(house, one) for one in wrote] == [{kim.id}, {kim.id}]


@pytest.mark.parametrize("dots", ["\u2026", "..."])
def test_an_id_as_a_page_shortens_it_finds_its_record(house, sent, dots):
    claim = next(claim for claim, _ in sent if claim.event.program_id)
    for one in (claim.delivery.id, claim.event.id, claim.endpoint.id, claim.event.program_id):
        prefix, _, body = one.partition("_")
        assert found(house, f"{prefix}_{dots}{body[-8:]}") == {one}
    body = ids.body_of(claim.attempt.id)
    assert found(house, f"att_{dots}{body[-8:]}") == {claim.delivery.id}


@pytest.mark.parametrize("place", ["http://127.0.0.1:8080", "https://console.example/affwire", ""])
def test_the_address_of_a_page_finds_what_it_shows(house, sent, place):
    delivery_id = sent[0][0].delivery.id
    organization = f"?organization={house.organization.id}"
    assert found_there(house, f"{place}/deliveries/{delivery_id}{organization}&tab=request") == {delivery_id}
    assert found_there(house, f"{place}/deliveries?event={sent[0][0].event.id}") == {sent[0][0].event.id}


def found_there(house, text):
    return {one for one in found(house, text) if known_to(house, one)}


@pytest.mark.parametrize("text", ["\0", "\0\x01", "\x7f\n"])
def test_control_characters_are_nothing_to_search_for(text):
    assert search.pasted(text) == ""
