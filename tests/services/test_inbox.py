"""What may be done with a message by hand, and that nothing of it loses one or takes one in twice."""

import hashlib
import hmac
import json

import pytest

from affwire.errors import Conflict, NotGenuine
from affwire.model import ids
from affwire.model.inbound import EMAIL, Kept, KnownAs
from affwire.services import affiliates, erasure, inbox, resealing, sources
from affwire.services.inbox import Arrival
from affwire.store.sealing import TxVault
from affwire.store.vault import Vault

SECRET = "a-secret-of-the-platform"
RIGHT = "the-right-secret-after-all"


@pytest.fixture
def source(house):
    return house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "rewardful", {"secret": SECRET}))


def body(event_id="e1"):
    event = {"id": event_id, "type": "affiliate.created", "created_at": "2026-02-25T06:00:00.000Z", "api_version": "v1"}
    shown = {"id": "a1", "email": "jane@example.com", "first_name": "Jane", "last_name": "Doe"}
    return json.dumps({"object": shown, "event": event, "request": {"id": "r"}}).encode()


def signature(content, secret):
    return ("X-Rewardful-Signature", hmac.digest(secret.encode(), content, hashlib.sha256).hex())


def arrived(house, source, nth=1, *, secret=SECRET, content=None, **fields):
    content = body() if content is None else content
    kept = Kept(
        **{
            "id": ids.make("message", house.clock.now(), nth),
            "organization_id": house.organization.id,
            "source_id": source.id,
            "dialect": source.dialect,
            "word": "affiliate.created",
            "dedupe_key": f"e{nth}",
            "headers": (signature(content, secret),),
            "body": content,
            "size": len(content),
            "received_at": house.clock.now(),
        }
        | fields
    )
    assert house.run(lambda tx: inbox.keep(tx, [Arrival(source, kept)])) == ["kept"]
    return kept


def rejected(house, source, nth=1, **fields):
    return arrived(house, source, nth, **{"status": "rejected", "reason": "wrong", "dedupe_key": None} | fields)


def get(house, message):
    return house.run(lambda tx: inbox.get(tx, house.organization.id, message.id))


def do(house, what, message, *more):
    if what is inbox.quarantine:
        return house.run(lambda tx: what(tx, house.organization.id, message.id))
    return house.run(lambda tx: what(tx, house.organization.id, house.dialects, message.id, *more))


def settle(house, message, status, **fields):
    house.run(lambda tx: tx.inbox.settle(message.id, status, "because", **fields))


@pytest.mark.parametrize("status", ["parked", "applied", "unchanged"])
def test_a_settled_message_is_processed_once_more(house, source, status):
    message = arrived(house, source)
    settle(house, message, status)
    again = do(house, inbox.reprocess, message)
    assert (again.status, again.reason, again.settled_at) == ("received", None, None)
    assert [one.id for one in house.run(lambda tx: tx.inbox.waiting(9))] == [message.id]


def test_a_message_that_waits_goes_on_waiting(house, source):
    message = arrived(house, source)
    with house.changes_nothing():
        assert do(house, inbox.reprocess, message).status == "received"


def test_a_parked_message_gets_the_name_it_has_by_now(house, source):
    message = arrived(house, source, status="parked", dedupe_key=None, word=None, settled_at=1)
    again = do(house, inbox.reprocess, message)
    assert (again.word, again.dedupe_key) == ("affiliate.created", "e1")


def test_a_parked_message_that_came_again_meanwhile_is_not_taken_in_twice(house, source):
    message = arrived(house, source, status="parked", dedupe_key=None, word=None, settled_at=1)
    other = arrived(house, source, 2, dedupe_key="e1")
    with house.refuses("message_repeated", existing_id=other.id):
        do(house, inbox.reprocess, message)


def test_a_message_that_is_not_there_or_anothers_is_not_found(house, source):
    message = arrived(house, source)
    with house.refuses("message_not_found"):
        house.run(lambda tx: inbox.get(tx, "org_other", message.id))
    for what in (inbox.reprocess, inbox.release):
        with house.refuses("message_not_found"):
            house.run(lambda tx, what=what: what(tx, "org_other", house.dialects, message.id))
    with house.refuses("message_not_found"):
        house.run(lambda tx: inbox.quarantine(tx, "org_other", message.id))
    with house.refuses("message_not_found"):
        house.run(lambda tx: inbox.verify(tx, "org_other", house.dialects, message.id, None))


def test_a_quarantined_message_is_left_alone_until_it_is_released(house, source):
    message = arrived(house, source)
    assert do(house, inbox.quarantine, message).status == "quarantined"
    assert house.run(lambda tx: tx.inbox.waiting(9)) == []
    with house.refuses("message_quarantined"):
        do(house, inbox.reprocess, message)
    with house.changes_nothing():
        do(house, inbox.quarantine, message)
    house.clock.advance(400 * 86_400_000)
    assert house.run(lambda tx: inbox.forget(tx, 0, limit=9)) == 0
    assert do(house, inbox.release, message).status == "received"
    with house.refuses("message_not_quarantined"):
        do(house, inbox.release, message)


def test_what_is_not_genuine_is_neither_processed_nor_set_aside(house, source):
    message = rejected(house, source)
    for what in (inbox.reprocess, inbox.quarantine):
        with house.refuses("message_rejected"):
            do(house, what, message)


def test_a_rejected_message_is_taken_in_with_the_right_secret(house, source):
    message = rejected(house, source, secret=RIGHT)
    with house.changes_nothing():
        kept, doubt = do(house, inbox.verify, message, None)
        assert isinstance(doubt, NotGenuine)
        assert kept.status == "rejected"
    kept, doubt = do(house, inbox.verify, message, RIGHT)
    assert (kept.status, kept.word, kept.dedupe_key, doubt) == ("received", "affiliate.created", "e1", None)


def test_a_rejected_message_is_taken_in_once_its_source_has_the_right_secret(house, source):
    message = rejected(house, source, secret=RIGHT)
    house.run(lambda tx: sources.update(tx, house.organization, house.dialects, source.id, {"secret": RIGHT}))
    assert do(house, inbox.verify, message, None)[0].status == "received"


def test_a_rejected_message_that_was_taken_in_already_is_not_taken_in_twice(house, source):
    message = rejected(house, source)
    other = arrived(house, source, 2, dedupe_key="e1")
    with house.refuses("message_repeated", existing_id=other.id):
        do(house, inbox.verify, message, None)


def test_a_message_is_judged_as_at_the_time_it_came(house):
    source = house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "affonso", {"secret": SECRET}))
    content, at = b"{}", house.clock.now() // 1000
    signed = hmac.digest(SECRET.encode(), f"{at}.".encode() + content, hashlib.sha256).hex()
    headers = (("X-Affonso-Signature", f"t={at},v1={signed}"),)
    message = rejected(house, source, content=content, headers=headers)
    house.clock.advance(86_400_000)
    assert do(house, inbox.verify, message, None)[1] is None


def test_judging_a_message_that_was_taken_in_changes_nothing(house, source):
    message = arrived(house, source)
    settle(house, message, "applied")
    with house.changes_nothing():
        assert do(house, inbox.verify, message, None)[1] is None
        assert do(house, inbox.verify, message, "some-other-secret")[1] is not None


def test_a_bearer_token_is_sealed_while_it_may_be_judged_anew_and_then_masked(house):
    source = house.run(
        lambda tx: sources.create(tx, house.organization, house.dialects, "insert_affiliate", {"secret": "first-token"})
    )
    headers = (("Authorization", "Bearer right-token"), ("Cookie", "pass"))
    message = rejected(house, source, headers=headers)
    assert "right-token" not in str(house.everything())
    assert get(house, message).headers == (("Authorization", "****"), ("Cookie", "****"))
    assert do(house, inbox.verify, message, "wrong-token")[1] is not None
    assert do(house, inbox.verify, message, "right-token")[1] is None
    assert "sealed:" not in str(house.everything()["messages"])


def test_a_message_whose_token_is_masked_is_not_called_a_forgery(house):
    source = house.run(
        lambda tx: sources.create(tx, house.organization, house.dialects, "insert_affiliate", {"secret": "first-token"})
    )
    message = arrived(house, source, headers=(("authorization", inbox.MASK),))
    for secret in (None, "first-token"):
        with pytest.raises(Conflict) as refused:
            house.run(
                lambda tx, secret=secret: inbox.verify(tx, house.organization.id, house.dialects, message.id, secret)
            )
        assert refused.value.code == "credentials_forgotten"


def test_secrets_tokens_and_sealed_headers_live_on_under_another_master_key(house):
    source = house.run(
        lambda tx: sources.create(tx, house.organization, house.dialects, "insert_affiliate", {"secret": "first-token"})
    )
    message = rejected(house, source, headers=(("Authorization", "Bearer right-token"),))
    path = house.run(lambda tx: sources.ingest_path(tx, source))
    fresh = house.vault.rotated(b"n" * 32)

    def reseal(tx):
        tx.vault = TxVault(fresh, tx.connection)
        return resealing.reseal_all(tx)

    assert house.run(reseal) == 3

    def under_the_new_key(tx):
        tx.vault = Vault(b"n" * 32)
        found = tx.sources.every()[0]
        judged = inbox.verify(tx, house.organization.id, house.dialects, message.id, "right-token")
        return sources.ingest_path(tx, found), sources.opened_secrets(tx, found), judged[1]

    assert house.run(under_the_new_key) == (path, ["first-token"], None)


def test_a_persons_messages_say_nothing_any_more_and_are_still_known(house, source):
    person, _ = house.act(affiliates.create, {"email": "jane@example.com"})
    message, other = arrived(house, source), arrived(house, source, 2, content=body("e2"))
    settle(house, message, "applied", affiliate_id=person.id)
    put = lambda tx, namespace, value: tx.identities.put(  # noqa: E731
        house.organization.id, KnownAs(namespace=namespace, kind="affiliate", value=value, record_id=person.id)
    )
    house.run(lambda tx: (put(tx, EMAIL, "jane@example.com"), put(tx, "rewardful", "a1")))
    house.act(affiliates.delete, person.id, erase=True)
    assert house.run(lambda tx: erasure.erase_due(tx, limit=9)) == 1
    assert (get(house, message).body, get(house, message).status) == (None, "applied")
    assert get(house, other).body is not None
    left = house.run(lambda tx: tx.identities.of_record(house.organization.id, person.id))
    assert [one.namespace for one in left] == ["rewardful"]
    with house.refuses("message_forgotten"):
        do(house, inbox.reprocess, message)
    with house.refuses("message_forgotten"):
        do(house, inbox.verify, message, None)


def test_settled_messages_go_after_the_retention_but_not_before_repeats_have_ended(house, source):
    message = arrived(house, source)
    settle(house, message, "applied")
    day = 86_400_000
    house.clock.advance(inbox.RETENTION_DAYS_MIN * day)
    assert house.run(lambda tx: inbox.forget(tx, day, limit=9)) == 0
    house.clock.advance(1)
    assert house.run(lambda tx: inbox.forget(tx, 30 * day, limit=9)) == 0
    assert house.run(lambda tx: inbox.forget(tx, day, limit=9)) == 1


def test_a_stale_source_keeps_nothing_and_the_others_do(house, source):
    other = house.run(lambda tx: sources.create(tx, house.organization, house.dialects, "growi", {}))
    house.run(lambda tx: sources.update(tx, house.organization, house.dialects, source.id, {"name": "x"}))
    kept = [
        Kept(
            id=ids.make("message", 1, nth),
            organization_id=house.organization.id,
            source_id=one.id,
            dialect=one.dialect,
            received_at=1,
        )
        for nth, one in enumerate((source, other))
    ]
    pairs = [Arrival(one, message) for one, message in zip((source, other), kept, strict=True)]
    assert house.run(lambda tx: inbox.keep(tx, pairs)) == ["stale", "kept"]
    assert [one.source_id for one in house.run(lambda tx: tx.inbox.waiting(9))] == [other.id]


def test_one_source_in_two_states_within_a_group_is_looked_at_anew(house, source):
    after = house.run(lambda tx: sources.update(tx, house.organization, house.dialects, source.id, {"name": "x"}))
    message = Kept(
        id="msg_1", organization_id=source.organization_id, source_id=source.id, dialect="rewardful", received_at=1
    )
    pairs = [Arrival(source, message), Arrival(after, message)]
    assert house.run(lambda tx: inbox.keep(tx, pairs)) == ["stale", "stale"]
