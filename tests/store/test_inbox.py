"""Messages are kept once for each key, handed out in order, settled once, and forgotten when their time has come."""

import pytest

from affwire.model import ids
from affwire.model.inbound import Kept
from affwire.store import inbox as inbox_module
from affwire.testing.house import MemoryHouse


def message(nth, **fields):
    default = {"organization_id": "org_1", "source_id": "src_1", "dialect": "growi", "received_at": nth}
    body = fields.pop("body", b"{}")
    made = {"id": ids.make("message", nth, nth), "dedupe_key": f"k{nth}", "body": body, "size": len(body or b"")}
    return Kept(**made | default | fields)


@pytest.fixture
def house():
    return MemoryHouse()


@pytest.fixture
def inbox(house):
    return lambda work: house.run(lambda tx: work(tx.inbox))


def ids_of(messages):
    return [one.id for one in messages]


def test_a_kept_message_is_read_back_byte_for_byte(inbox):
    body, headers = b"\x00\xff{", (("X-Odd", "\xff\xe4"), ("x-odd", ""), ("A", '"'))
    kept = message(1, body=body, headers=headers, word="w", hops=3)
    assert inbox(lambda book: book.keep([kept])) == [True]
    found = inbox(lambda book: book.get("org_1", kept.id))
    assert (found.body, found.headers, found.word, found.hops) == (body, headers, "w", 3)
    assert found.message.header("a") == '"'
    assert found.position == 1
    assert inbox(lambda book: book.get("org_2", kept.id)) is None


def test_a_repeat_of_a_key_is_not_kept_also_within_one_batch(inbox):
    batch = [message(1), message(2, dedupe_key="k1"), message(3)]
    assert inbox(lambda book: book.keep(batch)) == [True, False, True]
    assert inbox(lambda book: book.keep([message(4, dedupe_key="k3")])) == [False]
    assert ids_of(inbox(lambda book: book.waiting(9))) == ids_of([batch[0], batch[2]])


def test_another_source_may_have_the_same_key(inbox):
    assert inbox(lambda book: book.keep([message(1), message(2, dedupe_key="k1", source_id="src_2")])) == [True, True]


def test_messages_without_a_key_are_all_kept(inbox):
    assert inbox(lambda book: book.keep([message(nth, dedupe_key=None) for nth in (1, 2)])) == [True, True]


def test_what_waits_comes_in_order_of_arrival_and_behind_a_position(inbox):
    batch = [message(nth) for nth in (3, 1, 2)]
    inbox(lambda book: book.keep(batch))
    found = inbox(lambda book: book.waiting(2))
    assert ids_of(found) == ids_of(batch[:2])
    assert ids_of(inbox(lambda book: book.waiting(9, after=found[-1].position))) == ids_of(batch[2:])


def test_what_waits_is_handed_out_by_bytes_too_and_at_least_one(inbox, monkeypatch):
    monkeypatch.setattr(inbox_module, "WAITING_BYTES_MAX", 5)
    inbox(lambda book: book.keep([message(nth, body=b"x" * size) for nth, size in ((1, 6), (2, 2), (3, 2), (4, 2))]))
    first = inbox(lambda book: book.waiting(9))
    assert [one.size for one in first] == [6]
    assert [one.size for one in inbox(lambda book: book.waiting(9, after=first[-1].position))] == [2, 2, 2]


def test_a_message_is_settled_once(house, inbox):
    kept = message(1, word="old")
    inbox(lambda book: book.keep([kept]))
    assert inbox(lambda book: book.settle(kept.id, "applied", occurred_at=7, affiliate_id="aff_1", events=["evt_1"]))
    assert not inbox(lambda book: book.settle(kept.id, "parked", "no"))
    found = inbox(lambda book: book.get("org_1", kept.id))
    assert (found.status, found.word, found.occurred_at, found.affiliate_id) == ("applied", "old", 7, "aff_1")
    assert (found.events, found.settled_at, found.reason) == (["evt_1"], house.clock.now(), None)
    assert inbox(lambda book: book.waiting(9)) == []


def test_a_message_of_no_word_takes_the_one_it_is_settled_with(inbox):
    inbox(lambda book: book.keep([message(1)]))
    inbox(lambda book: book.settle(message(1).id, "unchanged", "nothing new", word="w"))
    assert inbox(lambda book: book.get("org_1", message(1).id)).word == "w"


def test_pages_are_newest_first_without_bodies_and_filtered(inbox):
    for nth in range(1, 6):
        inbox(lambda book, nth=nth: book.keep([message(nth, source_id=f"src_{nth % 2}", word=f"w{nth}")]))
    everything = inbox(lambda book: book.page("org_1", before=None, limit=9))
    assert [one.position for one in everything] == [5, 4, 3, 2, 1]
    assert {one.body for one in everything} == {None}
    assert [one.position for one in inbox(lambda book: book.page("org_1", before=4, limit=2))] == [3, 2]
    assert [one.position for one in inbox(lambda book: book.page("org_1", before=2, limit=2, descending=False))] == [
        3,
        4,
    ]
    assert [
        one.position for one in inbox(lambda book: book.page("org_1", before=None, limit=9, source_id="src_0"))
    ] == [4, 2]
    assert [one.position for one in inbox(lambda book: book.page("org_1", before=None, limit=9, since=4))] == [5, 4]
    assert [one.word for one in inbox(lambda book: book.page("org_1", before=None, limit=9, word="w2"))] == ["w2"]
    assert inbox(lambda book: book.page("org_1", before=None, limit=9, status="parked")) == []
    assert inbox(lambda book: book.page("org_2", before=None, limit=9)) == []


def test_a_message_is_moved_by_hand_only_from_where_it_was_seen(inbox):
    inbox(lambda book: book.keep([message(1)]))
    seen = inbox(lambda book: book.get("org_1", message(1).id))
    assert inbox(lambda book: book.move(seen, "quarantined", "by hand"))
    assert not inbox(lambda book: book.move(seen, "parked"))
    found = inbox(lambda book: book.get("org_1", seen.id))
    assert (found.status, found.reason, found.settled_at) == ("quarantined", "by hand", None)
    assert inbox(lambda book: book.waiting(9)) == []
    assert inbox(lambda book: book.move(found, "received"))
    assert ids_of(inbox(lambda book: book.waiting(9))) == [seen.id]


def test_the_oldest_rejected_go_by_count_and_by_bytes_and_nothing_else(inbox):
    sizes = [4, 1, 1, 1, 1]
    batch = [
        message(nth, body=b"x" * size, dedupe_key=None, status="rejected") for nth, size in enumerate(sizes, start=1)
    ]
    inbox(
        lambda book: book.keep([*batch, message(9), message(8, source_id="src_2", dedupe_key=None, status="rejected")])
    )
    assert inbox(lambda book: book.trim_rejected("src_1", count_max=9, bytes_max=8)) == 0
    assert inbox(lambda book: book.trim_rejected("src_1", count_max=9, bytes_max=7)) == 1
    assert inbox(lambda book: book.trim_rejected("src_1", count_max=2, bytes_max=7)) == 2
    left = inbox(lambda book: book.page("org_1", before=None, limit=9, status="rejected", source_id="src_1"))
    assert ids_of(left) == ids_of(batch[:2:-1])
    assert len(inbox(lambda book: book.page("org_1", before=None, limit=9))) == 4


def test_parked_messages_are_counted_with_their_bytes(inbox):
    assert inbox(lambda book: book.parked("src_1")) == (0, 0)
    inbox(lambda book: book.keep([message(1, status="parked", body=b"abc"), message(2, status="parked"), message(3)]))
    assert inbox(lambda book: book.parked("src_1")) == (2, 5)


def test_settled_messages_are_forgotten_in_time_but_none_that_waits_or_is_set_aside(inbox):
    inbox(lambda book: book.keep([message(nth, settled_at=nth, status="applied") for nth in (1, 2, 3)]))
    inbox(lambda book: book.keep([message(4), message(5, status="quarantined", settled_at=1)]))
    assert inbox(lambda book: book.forget(3, limit=1)) == 1
    assert inbox(lambda book: book.forget(3, limit=9)) == 1
    assert [one.position for one in inbox(lambda book: book.page("org_1", before=None, limit=9))] == [5, 4, 3]
    assert inbox(lambda book: book.keep([message(6, dedupe_key="k1")])) == [True]


def test_a_persons_messages_lose_what_they_say_and_keep_that_they_came(inbox):
    inbox(lambda book: book.keep([message(1, headers=(("A", "b"),)), message(2)]))
    inbox(lambda book: book.settle(message(1).id, "applied", affiliate_id="aff_1"))
    assert inbox(lambda book: book.forget_person("aff_1")) == 1
    found = inbox(lambda book: book.get("org_1", message(1).id))
    assert (found.body, found.headers, found.size, found.message.body) == (None, (), 2, b"")
    assert inbox(lambda book: book.get("org_1", message(2).id)).body == b"{}"
    assert inbox(lambda book: book.keep([message(3, dedupe_key="k1")])) == [False]


def test_another_message_with_a_key_is_found(inbox):
    inbox(lambda book: book.keep([message(1)]))
    assert inbox(lambda book: book.key_taken("src_1", "k1", besides="msg_other")) == message(1).id
    assert inbox(lambda book: book.key_taken("src_1", "k1", besides=message(1).id)) is None
    assert inbox(lambda book: book.key_taken("src_2", "k1", besides="msg_other")) is None
