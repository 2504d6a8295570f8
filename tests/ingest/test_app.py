"""The door: what is genuine is kept and answered alike, what is not is refused and kept to be looked at, and nothing is a 500."""

import asyncio
import json

import pytest
from gate import GROWI, Gate, example, knocked
from hypothesis import given, settings
from hypothesis import strategies as st

from affwire.dialects.base import Identity
from affwire.ingest import app as app_module
from affwire.ingest import bodies, keeper
from affwire.model.inbound import Source
from affwire.services import inbox, sources

BODY = example()


def test_what_is_not_for_the_door_goes_on(gate):
    assert gate.knock("/v1/affiliates", method="GET").status == 299
    assert gate.knock("/int", method="GET").status == 299


def test_a_genuine_message_is_kept_byte_for_byte_and_answered_as_received(gate):
    source = gate.source()
    said = gate.signed(source, BODY)
    assert (said.status, said.headers["content-length"], said.body) == (200, "0", b"")
    [kept] = gate.kept()
    assert (kept.body, kept.status, kept.source_id) == (BODY, "received", source.id)
    assert (kept.word, kept.dedupe_key, kept.dialect, kept.size) == ("affiliate.created", "e1", "rewardful", len(BODY))
    assert kept.received_at == gate.house.clock.now()


def test_a_repeat_is_answered_alike_and_kept_once(gate):
    source = gate.source()
    first, second = gate.signed(source, BODY), gate.signed(source, example(extra="key"))
    assert first == second
    assert len(gate.kept()) == 1
    gate.signed(source, example(id="e2"))
    assert len(gate.kept()) == 2


def test_repeats_at_one_time_are_kept_once(gate):
    source = gate.source("growi")
    path, body = gate.path(source), json.dumps(GROWI).encode()

    async def at_once():
        return await asyncio.gather(*(knocked(gate.door, path, body) for _ in range(50)))

    assert {said.status for said in asyncio.run(at_once())} == {200}
    assert len(gate.kept()) == 1


def test_an_answer_leaves_only_after_the_commit(gate, monkeypatch):
    source = gate.source()
    run, kept_at_answer = gate.house.store.run, []

    async def watched(work):
        result = await run(work)
        kept_at_answer.append(len(gate.kept()))
        return result

    monkeypatch.setattr(gate.house.store, "run", watched)
    assert gate.signed(source, BODY).status == 200
    assert kept_at_answer == [1]


@pytest.mark.parametrize("token", ["", "x", "awi_" + "0" * 48, "a/b", "\u00e4", "x" * 10_000])
def test_an_unknown_address_is_not_found_whatever_it_is(gate, token):
    gate.source()
    said, other = gate.knock("/in/" + token), gate.knock("/in/unknown")
    assert said.status == 404
    assert said.headers["content-type"] == "application/problem+json"
    assert {**said.json, "request_id": 0} == {**other.json, "request_id": 0}
    assert said.json["code"] == "address_not_found"


def test_another_method_is_not_allowed_whether_or_not_the_address_is_known(gate):
    source = gate.source()
    for path in (gate.path(source), "/in/unknown"):
        for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
            said = gate.knock(path, method=method)
            assert (said.status, said.headers["allow"]) == (405, "POST")
    assert gate.kept() == []


def test_a_wrong_signature_is_refused_and_kept_with_the_reason(gate):
    source = gate.source()
    said = gate.signed(source, BODY, secret="another-secret")
    assert (said.status, said.json["code"]) == (401, "not_genuine")
    [kept] = gate.kept()
    assert (kept.status, kept.dedupe_key, kept.body) == ("rejected", None, BODY)
    assert said.json["reason"] in kept.reason
    assert gate.signed(source, BODY).status == 200, "a forgery must not stand in the genuine one's way"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("x-rewardful-signature", "")],
        [("x-rewardful-signature", "\xff" * 64)],
        [("x-rewardful-signature", "0" * 64)] * 2,
    ],
)
def test_a_missing_empty_odd_or_doubled_signature_is_refused(gate, headers):
    source = gate.source()
    assert gate.knock(gate.path(source), BODY, headers=headers).status == 401
    assert gate.kept()[0].headers == tuple(headers)


def test_non_ascii_headers_of_no_meaning_are_kept_as_they_came(gate):
    source = gate.source("growi")
    headers = [("x-odd", "\xe4\xff"), ("x-odd", "second")]
    assert gate.knock(gate.path(source), json.dumps(GROWI).encode(), headers=headers).status == 200
    assert gate.kept()[0].headers == tuple(headers)


def test_credentials_are_kept_nowhere_in_clear(gate):
    open_one, other = gate.source("growi"), gate.source("insert_affiliate", secret="the-token")
    headers = [("authorization", "Bearer sesame-in-clear"), ("cookie", "also-in-clear")]
    gate.knock(gate.path(open_one), json.dumps(GROWI).encode(), headers=headers)
    gate.knock(gate.path(other), b"{}", headers=headers)
    genuine, rejected = gate.kept()
    assert genuine.headers == (("authorization", "****"), ("cookie", "****"))
    assert rejected.status == "rejected"
    assert "in-clear" not in str(rejected.headers)


def test_a_disabled_source_keeps_nothing_and_says_so_until_it_is_enabled(gate):
    source = gate.source()
    assert gate.signed(source, BODY).status == 200
    gate.update(source, enabled=False)
    said = gate.signed(source, example(id="e2"))
    assert (said.status, said.json["code"]) == (403, "source_disabled")
    gate.update(source, enabled=True)
    assert gate.signed(source, example(id="e2")).status == 200
    assert len(gate.kept()) == 2


def test_a_deleted_source_is_unknown_at_once(gate):
    source = gate.source()
    path = gate.path(source)
    assert gate.signed(source, BODY).status == 200
    gate.house.run(lambda tx: sources.delete(tx, gate.house.organization, source.id))
    assert gate.knock(path, BODY).status == 404


def test_a_changed_secret_counts_from_the_next_message_on(gate):
    source = gate.source()
    assert gate.signed(source, BODY).status == 200
    gate.update(source, secret="the-next-secret")
    assert gate.signed(source, example(id="e2"), secret="the-next-secret").status == 200
    assert gate.signed(source, example(id="e3")).status == 401


def test_during_a_rotation_both_secrets_verify_and_afterwards_the_new_one(gate):
    source = gate.source()
    rotation = {"secret": "the-next-secret", "overlap_ms": 1_000, "token": False}
    house = gate.house
    house.run(lambda tx: sources.rotate(tx, house.organization, house.dialects, source.id, **rotation))
    assert gate.signed(source, example(id="e1")).status == 200
    assert gate.signed(source, example(id="e2"), secret="the-next-secret").status == 200
    house.clock.advance(1_001)
    assert gate.signed(source, example(id="e3")).status == 401
    assert gate.signed(source, example(id="e4"), secret="the-next-secret").status == 200


def test_a_new_url_ends_the_old_one(gate):
    source = gate.source()
    house, old = gate.house, gate.path(source)
    assert gate.signed(source, BODY).status == 200
    rotation = {"secret": None, "overlap_ms": 0, "token": True}
    moved = house.run(lambda tx: sources.rotate(tx, house.organization, house.dialects, source.id, **rotation))
    assert gate.knock(old, BODY).status == 404
    assert gate.signed(moved, BODY).status == 200


def test_an_unverified_source_takes_what_comes(gate):
    source = gate.source(unverified=True)
    assert gate.knock(gate.path(source), BODY).status == 200
    assert gate.kept()[0].status == "received"


GARBAGE = [
    b"",
    b"not json",
    b"\xff\xfe",
    b"[" * 10_000,
    b'{"a":' * 10_000,
    b'{"event":NaN}',
    b'{"event":{"id":"\\ud800","type":"x"}}',
    b'{"event":{"id":"a\\u0000b","type":"x"}}',
    b'{"event":{"id":1e999}}',
    b'{"event":{"id":null}}',
    b"null",
    b"\x00",
    b'{"event":{"id":"1","type":"t"},"event":{"id":"2","type":"t"}}',
]


@pytest.mark.parametrize("body", GARBAGE)
@pytest.mark.parametrize("dialect", ["rewardful", "growi", "affonso", "tamio", "standard", "insert_affiliate"])
def test_a_genuine_source_keeps_what_nobody_can_read_and_answers_as_received(gate, dialect, body):
    source = gate.source(dialect, **({} if dialect == "growi" else {"unverified": True}))
    assert gate.knock(gate.path(source), body).status == 200
    [kept] = gate.kept()
    assert kept.body == body
    assert kept.status in {"parked", "received"}
    assert kept.status == "received" or kept.reason


def test_what_cannot_be_read_is_parked_with_the_reason(gate):
    source = gate.source()
    gate.signed(source, b"not json")
    [kept] = gate.kept()
    assert (kept.status, kept.dedupe_key, kept.settled_at) == ("parked", None, kept.received_at)
    assert kept.reason


@given(
    st.binary(max_size=300),
    st.lists(st.tuples(st.text("ab-", min_size=1), st.text(st.characters(max_codepoint=255))), max_size=4),
)
@settings(deadline=None, max_examples=60)
def test_whatever_arrives_is_answered_and_never_with_a_500(body, headers):
    gate = Gate()
    for dialect in ("growi", "rewardful"):
        said = gate.knock(gate.path(gate.source(dialect)), body, headers=headers)
        assert said.status in {200, 401}
    assert len(gate.kept()) == 2


def test_a_dialects_own_fault_loses_no_message(gate, monkeypatch):
    source = gate.source("growi")

    def trips(_message):
        raise ZeroDivisionError

    monkeypatch.setattr(type(gate.house.dialects["growi"]), "identify", staticmethod(trips))
    assert gate.knock(gate.path(source)).status == 200
    assert "ZeroDivisionError" in gate.kept()[0].reason


def test_a_dialect_that_trips_while_it_verifies_proves_nothing(gate, monkeypatch):
    source = gate.source()

    def trips(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(type(gate.house.dialects["rewardful"]), "verify", staticmethod(trips))
    assert gate.signed(source, BODY).status == 401


def test_a_body_over_the_limit_is_refused_also_when_its_length_lies(gate):
    source = gate.source("growi")
    path, most = gate.path(source), bodies.BODY_BYTES_MAX
    for sent in (
        gate.knock(path, b"x", headers=[("content-length", str(most + 1))]),
        gate.knock(path, b"x" * (most + 1), headers=[("content-length", "5")]),
        gate.knock(path, [b"x" * most, b"x"]),
        gate.knock(path, [b"x" * 70_000] * 16),
    ):
        assert (sent.status, sent.json["code"]) == (413, "body_too_large")
    assert gate.kept() == []
    assert gate.knock(path, b"x" * most).status == 200
    assert gate.kept()[0].size == most


def test_a_flood_of_huge_headers_does_not_fill_the_disk(gate):
    source, most = gate.source(), app_module.HEADERS_BYTES_MAX
    path = gate.path(source)
    for headers in ([("x-a", "a" * most)], [("x-a", "a" * 1000)] * (most // 1000 + 1)):
        said = gate.knock(path, BODY, headers=headers)
        assert (said.status, said.json["code"]) == (431, "headers_too_large")
    assert gate.kept() == []
    assert gate.knock(path, BODY, headers=[("x-a", "a" * (most - 3))]).status == 401
    assert len(gate.kept()) == 1


def test_a_body_that_does_not_come_in_time_is_given_up(gate, monkeypatch):
    monkeypatch.setattr(bodies, "BODY_S", 0.02)
    source = gate.source("growi")
    said = gate.knock(gate.path(source), b"{", hangs=True)
    assert (said.status, said.json["code"]) == (408, "body_too_slow")
    assert gate.kept() == []


def test_nobody_answers_a_sender_that_left(gate):
    source = gate.source("growi")
    assert gate.knock(gate.path(source), b"{", leaves=True) is None
    assert gate.kept() == []


def test_a_source_that_proves_nothing_keeps_a_bounded_number_of_unreadable_messages(gate, monkeypatch):
    monkeypatch.setattr(inbox, "PARKED_MAX", 3)
    open_one, signing = gate.source("growi"), gate.source()
    path = gate.path(open_one)
    assert [gate.knock(path, b"no").status for _ in range(4)] == [200, 200, 200, 429]
    assert gate.knock(path, b"no").headers["retry-after"] == "3600"
    assert gate.knock(path, json.dumps(GROWI).encode()).status == 200
    assert [gate.signed(signing, b"no").status for _ in range(4)] == [200] * 4


def test_unreadable_messages_of_an_unproven_source_are_bounded_by_bytes_too(gate, monkeypatch):
    monkeypatch.setattr(inbox, "PARKED_BYTES_MAX", 5)
    path = gate.path(gate.source("growi"))
    assert [gate.knock(path, b"nono").status for _ in range(3)] == [200, 200, 429]


def test_of_what_is_not_genuine_the_latest_are_kept(gate, monkeypatch):
    monkeypatch.setattr(inbox, "REJECTED_MAX", 3)
    monkeypatch.setattr(keeper, "TRIMMED_EVERY", 1)
    source = gate.source()
    for nth in range(5):
        gate.signed(source, b"%d" % nth, secret="wrong-secret")
    assert [one.body for one in gate.kept(status="rejected")] == [b"2", b"3", b"4"]


def test_a_flood_beyond_the_budget_is_refused_alike_and_not_kept(gate, monkeypatch):
    monkeypatch.setattr("affwire.ingest.budget.BURST", 2)
    source = gate.source()
    assert [gate.signed(source, b"x", secret="wrong-secret").status for _ in range(4)] == [401] * 4
    assert len(gate.kept()) == 2
    gate.house.clock.advance(1_000)
    gate.signed(source, b"x", secret="wrong-secret")
    assert len(gate.kept()) == 3


def test_beyond_the_budget_a_changed_secret_still_counts_at_once(gate, monkeypatch):
    monkeypatch.setattr("affwire.ingest.budget.BURST", 0)
    source = gate.source()
    assert gate.signed(source, BODY, secret="the-next-secret").status == 401
    gate.update(source, secret="the-next-secret")
    assert gate.signed(source, BODY, secret="the-next-secret").status == 200


def test_a_source_that_changes_all_the_time_is_asked_to_come_again(gate, monkeypatch):
    source = gate.source()
    monkeypatch.setattr(inbox, "keep", lambda _tx, arrivals: ["stale"] * len(arrivals))
    said = gate.signed(source, BODY)
    assert (said.status, said.json["code"], said.headers["retry-after"]) == (503, "source_changing", "1")
    assert app_module.TRIES == 3


def test_a_store_that_fails_is_no_success(gate, monkeypatch):
    source = gate.source()

    def breaks(_tx, _arrivals):
        raise ZeroDivisionError

    monkeypatch.setattr(inbox, "keep", breaks)
    said = gate.signed(source, BODY)
    assert (said.status, said.json["code"], said.headers["retry-after"]) == (503, "message_not_kept", "1")


def test_a_dialect_that_is_not_installed_is_waited_for(gate):
    source = gate.source("growi")
    path = gate.path(source)
    without = {name: one for name, one in gate.house.dialects.items() if name != "growi"}
    door = app_module.Door(None, gate.house.store, without, gate.house.world)
    said = asyncio.run(knocked(door, path, b"{}"))
    assert (said.status, said.json["code"]) == (503, "dialect_missing")


@pytest.mark.parametrize(
    ("values", "hops"),
    [((), 0), (("1",), 1), (("2", "7"), 7), (("x",), 0), (("-3",), 0), (("99999999999",), 1_000), ((" 4 ",), 4)],
)
def test_hops_are_read_from_their_header(gate, values, hops):
    source = gate.source("growi")
    gate.knock(gate.path(source), json.dumps(GROWI).encode(), headers=[("affwire-hop", value) for value in values])
    assert gate.kept()[0].hops == hops


def test_genuine_messages_are_heard_and_others_not(gate):
    source = gate.source()
    gate.signed(source, b"x", secret="wrong-secret")
    read = lambda: gate.house.run(lambda tx: tx.registry.get(Source, source.organization_id, source.id))  # noqa: E731
    assert read().seen == 0
    gate.signed(source, BODY)
    gate.signed(source, BODY)
    assert (read().seen, read().last_message_at) == (2, gate.house.clock.now())
    assert read().updated_at == source.updated_at


def test_a_long_word_or_key_is_kept_short(gate, monkeypatch):
    named = lambda _message: Identity("t" * 5_000, "k" * 5_000)  # noqa: E731
    monkeypatch.setattr(type(gate.house.dialects["growi"]), "identify", staticmethod(named))
    gate.knock(gate.path(gate.source("growi")))
    [kept] = gate.kept()
    assert (len(kept.word), kept.dedupe_key[:7], len(kept.dedupe_key)) == (200, "sha256:", 71)


@pytest.mark.parametrize("named", [Identity("a\0", "k"), Identity("a", "\0"), Identity("\ud800", None)])
def test_a_name_that_no_text_may_hold_parks_the_message(gate, monkeypatch, named):
    monkeypatch.setattr(type(gate.house.dialects["growi"]), "identify", staticmethod(lambda _message: named))
    assert gate.knock(gate.path(gate.source("growi"))).status == 200
    assert gate.kept()[0].status == "parked"


def test_a_message_is_waiting_for_its_turn_in_order(gate):
    source = gate.source()
    for nth in range(3):
        gate.signed(source, example(id=f"e{nth}"))
    assert [one.dedupe_key for one in gate.house.run(lambda tx: tx.inbox.waiting(9))] == ["e0", "e1", "e2"]


@pytest.mark.parametrize("bound", ["READING_MAX", "READING_OF_SOURCE_MAX"])
def test_bodies_that_come_in_at_one_time_are_bounded(gate, monkeypatch, bound):
    monkeypatch.setattr(bodies, bound, 2)
    path = gate.path(gate.source("growi"))
    assert asyncio.run(turned_away(gate, monkeypatch, path, path)) == [503, 408, 408, 200]


def test_who_sends_slowly_to_one_source_keeps_nobody_out_of_another(gate, monkeypatch):
    monkeypatch.setattr(bodies, "READING_OF_SOURCE_MAX", 2)
    slow, other = (gate.path(gate.source("growi")) for _ in range(2))
    assert asyncio.run(turned_away(gate, monkeypatch, slow, other)) == [200, 408, 408, 200]


def test_a_stranger_who_sends_slowly_keeps_nobody_out(gate, monkeypatch):
    monkeypatch.setattr(bodies, "READING_MAX", 2)
    path = gate.path(gate.source("growi"))
    assert asyncio.run(turned_away(gate, monkeypatch, "/in/awi_nobody", path)) == [200, 404, 404, 200]


def test_a_body_that_is_there_at_once_needs_no_place(gate, monkeypatch):
    monkeypatch.setattr(bodies, "READING_MAX", 0)
    path = gate.path(gate.source("growi"))
    assert [gate.knock(path, body).status for body in (b"{}", [b"{", b"}"])] == [200, 503]


async def turned_away(gate, monkeypatch, slow_path, path):
    """Have two bodies come in slowly; return what a third is answered meanwhile, what they are, and one afterwards."""
    await knocked(gate.door, slow_path)  # from here on the door knows the source, and needs no store to begin a body
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    slow = [asyncio.ensure_future(knocked(gate.door, slow_path, b"{", hangs=True)) for _ in range(2)]
    await asyncio.sleep(0)
    meanwhile = await knocked(gate.door, path, [b"{", b"}"])
    return [meanwhile.status, *[(await one).status for one in slow], (await knocked(gate.door, path)).status]


def test_every_message_of_a_known_source_is_told(gate):
    told = []
    gate.door = app_module.Door(
        None, gate.house.store, gate.house.dialects, gate.house.world, told=lambda *one: told.append(one)
    )
    source = gate.source()
    gate.signed(source, BODY)
    gate.signed(source, BODY)
    gate.signed(source, BODY, secret="wrong-secret")
    gate.knock("/in/unknown")
    assert told == [("rewardful", "kept"), ("rewardful", "repeated"), ("rewardful", "rejected")]
