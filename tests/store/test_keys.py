"""Keys and kept answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from affwire.model import ids
from affwire.store.keys import ApiKey, KeptAnswer
from affwire.testing.house import MemoryHouse


def key(nth, **fields):
    default = {"organization_id": "org_1", "name": "n", "scope": "read", "digest": f"d{nth}", "last4": "last"}
    return ApiKey(**{"id": ids.make("key", nth, nth), "created_at": nth, **default, **fields})


@pytest.fixture
def keys():
    house = MemoryHouse()
    return lambda work: house.run(lambda tx: work(tx.keys))


def test_a_key_is_found_by_its_digest_also_when_it_is_over(keys):
    keys(lambda book: book.insert(key(1, expires_at=5)))
    assert keys(lambda book: book.by_digest("d1")) == key(1, expires_at=5)
    keys(lambda book: book.revoke(key(1).id, 7))
    assert keys(lambda book: book.by_digest("d1")).revoked_at == 7
    assert keys(lambda book: book.by_digest("d2")) is None
    assert keys(lambda book: book.get("org_1", key(1).id)) is None


def test_a_digest_belongs_to_one_key(keys):
    keys(lambda book: book.insert(key(1)))
    with pytest.raises(IntegrityError):
        keys(lambda book: book.insert(key(2, digest="d1")))


def test_a_key_is_listed_in_its_organization_until_it_is_revoked(keys):
    for nth in (1, 2, 3):
        keys(lambda book, nth=nth: book.insert(key(nth)))
    keys(lambda book: book.revoke(key(2).id, 7))
    assert keys(lambda book: book.page("org_1", after=None, limit=9)) == [key(1), key(3)]
    assert keys(lambda book: book.page("org_2", after=None, limit=9)) == []
    assert keys(lambda book: book.get("org_1", key(1).id)) == key(1)
    assert keys(lambda book: book.get("org_2", key(1).id)) is None


@pytest.mark.slow
@given(st.integers(1, 4), st.lists(st.integers(0, 3), max_size=5))
@settings(deadline=None, max_examples=40)
def test_a_paged_listing_is_complete_while_keys_are_added(limit, additions):
    house, made = MemoryHouse(), iter(range(1, 1000))

    def add(count):
        for _ in range(count):
            house.run(lambda tx: tx.keys.insert(key(next(made))))

    add(6)
    seen, after = [], None
    for extra in [*additions, *([0] * 20)]:
        page = house.run(lambda tx, at=after: tx.keys.page("org_1", after=at, limit=limit))
        if not page:
            break
        seen += [one.created_at for one in page]
        after = page[-1].id
        add(extra)
    assert seen == list(range(1, next(made)))


def test_an_answer_is_kept_once_per_key_and_organization_and_forgotten_by_age(keys):
    answer = KeptAnswer(fingerprint="f", status=201, body=b"{}")
    keys(lambda book: book.keep("org_1", "k", answer, 10))
    keys(lambda book: book.keep("org_2", "k", answer, 20))
    with pytest.raises(IntegrityError):
        keys(lambda book: book.keep("org_1", "k", answer, 30))
    assert keys(lambda book: book.kept("org_1", "k")) == answer
    assert keys(lambda book: book.kept("org_1", "other")) is None
    assert keys(lambda book: book.forget_answers(10, limit=9)) == 0
    assert keys(lambda book: book.forget_answers(11, limit=9)) == 1
    assert keys(lambda book: book.kept("org_1", "k")) is None
    assert keys(lambda book: book.kept("org_2", "k")) == answer
