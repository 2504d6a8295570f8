"""What a platform calls a record, and what of the told has a place in ours."""

import pytest

from affwire.model import ids
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.registry import NUMBER_FIRST, Affiliate, Membership
from affwire.rules.naming import address_of, fields_of, key_of_affiliate, key_of_membership, number_of


def reading(affiliate=None, membership_id=None, program_id=None):
    program = Told(kind="program", id=program_id) if program_id else None
    member = ToldMembership(told=Told(kind="membership", id=membership_id), program=program)
    return Reading(word="x", affiliate=affiliate, memberships=(member,), own=0)


def person(told_id=None, **fields):
    return Told(kind="affiliate", id=told_id, fields=fields)


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (reading(person("7", email="Kim@Example.org"), "9"), "7"),
        (reading(person(email=" Kim@Example.org "), "9"), "email:kim@example.org"),
        (reading(person(email=""), "9"), "membership:9"),
        (reading(None, "9"), "membership:9"),
        (reading(None), None),
        (Reading(word="x"), None),
    ],
)
def test_an_affiliate_has_an_id_else_an_address_else_a_membership(told, key):
    assert key_of_affiliate(told) == key


@pytest.mark.parametrize(
    ("told", "affiliate", "key"),
    [
        (reading(membership_id="9", program_id="3"), "7", "9"),
        (reading(program_id="3"), "7", "7:3"),
        (reading(program_id="3"), None, None),
        (reading(), "7", None),
    ],
)
def test_a_membership_has_an_id_else_both_its_parents(told, affiliate, key):
    assert key_of_membership(told.membership, affiliate) == key


def test_only_what_has_a_place_and_is_not_ours_alone_comes_into_a_record():
    told = person("7", email=None, first_name="Kim", receive_new_commission_notifications=None, number=5, invented=1)
    assert fields_of(Affiliate, told) == {"first_name": "Kim"}
    other = Told(
        kind="membership", fields={"affiliate_id": "aff_x", "group_id": "grp_x", "tag": None, "status": "active"}
    )
    assert fields_of(Membership, other) == {"tag": None, "status": "active"}


@pytest.mark.parametrize(
    ("told", "address"), [(None, None), (person(email=None), None), (person(email=" a@b.c "), "a@b.c")]
)
def test_an_empty_address_is_none(told, address):
    assert address_of(told) == address


def test_a_number_is_always_the_same_and_above_every_platforms():
    record_id = ids.make("affiliate", 1_772_000_000_000, 5)
    assert number_of(record_id) == number_of(record_id) >= NUMBER_FIRST
    assert number_of(record_id) < 2**53
