"""Groups, links and promo codes."""

import pytest

from affwire.model.registry import Group, Link, PromoCode
from affwire.services import affiliates, memberships, perks, programs


@pytest.fixture
def membership(house):
    program = house.act(programs.create, {"name": "Spring"})
    return house.act(affiliates.create, {"email": "kim@example.org"}, program_id=program.id)[1]


def all_of(house, kind):
    return house.run(lambda tx: tx.registry.find(kind, house.organization.id))


def test_a_group_with_members_is_not_deleted(house, membership):
    group = house.act(perks.create_group, {"name": "Gold"})
    house.act(memberships.update, membership.id, {"group_id": group.id})
    with house.refuses("group_in_use", memberships=1):
        house.act(perks.delete_group, group.id)
    house.act(memberships.update, membership.id, {"group_id": None})
    house.act(perks.delete_group, group.id)
    assert all_of(house, Group) == []
    with house.refuses("unknown_group"):
        house.act(memberships.update, membership.id, {"group_id": group.id})


def test_a_code_is_given_once_per_membership(house, membership):
    code = house.act(perks.create_promo_code, membership.id, {"code": "WELCOME"})
    other = house.act(perks.create_promo_code, membership.id, {"code": "welcome"})
    with house.refuses("code_taken", field="code", existing_id=code.id):
        house.act(perks.create_promo_code, membership.id, {"code": "WELCOME"})
    with house.refuses("code_taken", field="code", existing_id=code.id):
        house.act(perks.update_promo_code, other.id, {"code": "WELCOME", "coupon_id": "c"})


@pytest.mark.parametrize(
    ("do", "args", "name"),
    [
        (perks.update_group, ({"name": "X"},), "group"),
        (perks.delete_group, (), "group"),
        (perks.create_link, ({"url": "https://example.com", "token": "t"},), "membership"),
        (perks.update_link, ({"token": "t"},), "link"),
        (perks.delete_link, (), "link"),
        (perks.create_promo_code, ({"code": "C"},), "membership"),
        (perks.update_promo_code, ({"code": "C"},), "promo_code"),
        (perks.delete_promo_code, (), "promo_code"),
    ],
)
def test_what_is_not_there_cannot_be_changed(house, membership, do, args, name):
    for gone in (f"{name}_gone", "", house.organization.id):
        with house.refuses(f"{name}_not_found"):
            house.act(do, gone, *args)


def test_groups_and_links_say_nothing(house, membership):
    before = house.types()
    group = house.act(perks.create_group, {"name": "Gold"})
    house.act(perks.update_group, group.id, {"name": "Silver"})
    link = house.act(perks.create_link, membership.id, {"url": "https://example.com", "token": "t"})
    assert house.act(perks.update_link, link.id, {"token": "u"}).token == "u"
    house.act(perks.delete_link, link.id)
    house.act(perks.delete_group, group.id)
    assert house.types() == before
    assert all_of(house, Link) == []


def test_a_promo_code_speaks_for_its_membership_and_tells_the_codes_before(house, membership):
    code = house.act(perks.create_promo_code, membership.id, {"code": "A"})
    house.act(perks.update_promo_code, code.id, {"discount_value": "10.00"})
    house.act(perks.delete_promo_code, code.id)
    added, changed, gone = house.events()[-3:]
    assert {event.type for event in (added, changed, gone)} == {"membership.updated"}
    assert added.previous == {"promo_codes": []}
    assert [one["discount_value"] for one in changed.previous["promo_codes"]] == [None]
    assert [one["discount_value"] for one in gone.previous["promo_codes"]] == ["10.00"]
    assert [len(event.own.promo_codes) for event in (added, changed, gone)] == [1, 1, 0]
    stamps = [event.own.membership.updated_at for event in (added, changed, gone)]
    assert stamps == sorted(set(stamps))
    assert all_of(house, PromoCode) == []


def test_what_changes_nothing_writes_nothing(house, membership):
    group = house.act(perks.create_group, {"name": "Gold"})
    link = house.act(perks.create_link, membership.id, {"url": "https://example.com", "token": "t"})
    code = house.act(perks.create_promo_code, membership.id, {"code": "A"})
    with house.changes_nothing():
        house.act(perks.update_group, group.id, {"name": "Gold"})
        house.act(perks.update_link, link.id, {"token": "t"})
        house.act(perks.update_promo_code, code.id, {"code": "A", "coupon_id": None})


def test_links_and_codes_of_all_the_affiliates_memberships_are_in_the_snapshot(house, membership):
    house.act(perks.create_link, membership.id, {"url": "https://example.com", "token": "t"})
    house.act(perks.create_promo_code, membership.id, {"code": "A"})
    snapshot = house.events()[-1].snapshot
    assert [link.token for link in snapshot.links] == ["t"]
    assert [code.code for code in snapshot.memberships[0].promo_codes] == ["A"]
