"""What a platform calls a record names one record within an organization, and is remembered until it is forgotten."""

import pytest

from affwire.model.inbound import EMAIL, KnownAs
from affwire.testing.house import MemoryHouse


def known(**fields):
    return KnownAs(**{"namespace": "rewardful", "kind": "affiliate", "value": "1", "record_id": "aff_1"} | fields)


@pytest.fixture
def identities():
    house = MemoryHouse()
    return lambda work: house.run(lambda tx: work(tx.identities))


def test_an_identity_is_found_by_all_of_its_name(identities):
    identities(lambda book: book.put("org_1", known()))
    assert identities(lambda book: book.get("org_1", "rewardful", "affiliate", "1")) == known()
    for other in (
        ("org_2", "rewardful", "affiliate", "1"),
        ("org_1", "growi", "affiliate", "1"),
        ("org_1", "rewardful", "program", "1"),
        ("org_1", "rewardful", "affiliate", "2"),
    ):
        assert identities(lambda book, other=other: book.get(*other)) is None


def test_the_latest_telling_replaces_the_former(identities):
    identities(lambda book: book.put("org_1", known()))
    latest = known(record_id="aff_2", told_at=7, ended=True, status="active")
    identities(lambda book: book.put("org_1", latest))
    assert identities(lambda book: book.get("org_1", "rewardful", "affiliate", "1")) == latest
    assert identities(lambda book: book.of_record("org_1", "aff_1")) == []


def test_a_record_is_known_under_several_names_until_they_are_forgotten(identities):
    email = known(namespace=EMAIL, value="jane@example.com")
    for one in (email, known(namespace="growi", value="9"), known(), known(value="x", record_id="aff_2")):
        identities(lambda book, one=one: book.put("org_1", one))
    assert [one.namespace for one in identities(lambda book: book.of_record("org_1", "aff_1"))] == [
        "email",
        "growi",
        "rewardful",
    ]
    assert identities(lambda book: book.of_record("org_2", "aff_1")) == []
    identities(lambda book: book.forget("aff_1", namespace=EMAIL))
    assert len(identities(lambda book: book.of_record("org_1", "aff_1"))) == 2
    identities(lambda book: book.forget("aff_1"))
    assert identities(lambda book: book.of_record("org_1", "aff_1")) == []
    assert identities(lambda book: book.of_record("org_1", "aff_2")) != []
