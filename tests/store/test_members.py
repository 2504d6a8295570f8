"""Affiliates as they are looked through: every facet alone and together, pages that miss nobody, and a look that ends."""

import pytest

from affwire.services import affiliates, memberships, programs
from affwire.store import members
from affwire.store.members import Wanted
from affwire.testing.house import MemoryHouse


@pytest.fixture
def house():
    return MemoryHouse()


@pytest.fixture
def crowd(house):
    """Seven affiliates, each in one or two programs; the last one in none."""
    two = [house.act(programs.create, {"name": name}).id for name in ("Spring", "Autumn")]
    for nth in range(6):
        fields = {
            "email": f"a{nth}@example.org",
            "first_name": "Ada%" if nth == 2 else "Kim",
            "country": "SE" if nth % 2 else "DE",
        }
        wish = {
            "status": "pending" if nth == 3 else "active",
            "tag": f"t{nth % 3}",
            "source": "web" if nth < 3 else None,
        }
        affiliate, _ = house.act(affiliates.create, fields, program_id=two[nth % 2], membership=wish)
        if nth == 0:
            house.act(memberships.create, affiliate.id, two[1], {"tag": "both"})
    house.act(affiliates.create, {"email": "alone@example.org", "status": "disabled"})
    return two


def looked(house, *, place=None, limit=50, oldest=False, organization=None, **wanted):
    owner = organization or house.organization.id
    return house.run(
        lambda tx: members.page(tx.connection, owner, Wanted(**wanted), place=place, limit=limit, oldest=oldest)
    )


def names(look):
    return [(row.affiliate.email or "").partition("@")[0] for row in look.rows]


def test_the_newest_come_first_each_with_all_its_memberships(house, crowd):
    look = looked(house)
    assert names(look) == ["alone", "a5", "a4", "a3", "a2", "a1", "a0", "a0"]
    assert look.rows[0].membership is None
    assert [row.membership.program_id for row in look.rows[-2:]] == crowd
    assert look.looked_to is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"status": "pending"}, ["a3"]),
        ({"tag": "t0"}, ["a3", "a0"]),
        ({"source": "web"}, ["a2", "a1", "a0"]),
        ({"country": "SE"}, ["a5", "a3", "a1"]),
        ({"account": "disabled"}, ["alone"]),
        ({"text": "ada%"}, ["a2"]),
        ({"text": "A4@EXAMPLE"}, ["a4"]),
        ({"country": "DE", "tag": "t1", "source": "web"}, []),
        ({"source": "web", "tag": "t1"}, ["a1"]),
        ({"status": "active", "tag": "both"}, ["a0"]),
        ({"text": "_"}, []),
    ],
)
def test_facets_narrow(house, crowd, wanted, found):
    assert names(looked(house, **wanted)) == found


def test_only_the_memberships_that_fit_are_shown(house, crowd):
    [row] = looked(house, tag="both").rows
    assert row.membership.program_id == crowd[1]
    assert "a0" in names(looked(house, program_id=crowd[1]))


@pytest.mark.parametrize("oldest", [True, False])
def test_pages_miss_nobody_and_repeat_nobody(house, crowd, oldest):
    seen, place = [], None
    for _ in range(10):
        look = looked(house, place=place, limit=2, oldest=oldest)
        seen += names(look)
        place = look.looked_to
        if place is None:
            break
    whole = names(looked(house, oldest=oldest))
    assert seen == whole


def test_a_look_ends_and_the_next_goes_on(house, crowd, monkeypatch):
    monkeypatch.setattr(members, "WINDOW", 3)
    look = looked(house, source="web")
    assert (names(look), look.full) == ([], False)
    assert names(looked(house, source="web", place=look.looked_to)) == ["a2", "a1"]


def test_another_organization_has_nobody(house, crowd):
    assert looked(house, organization="org_other").rows == []


def test_a_deleted_affiliate_is_gone(house, crowd):
    first = looked(house).rows[0].affiliate
    house.act(affiliates.delete, first.id)
    assert "alone" not in names(looked(house))


def test_statuses_are_counted_by_program(house, crowd):
    counts = house.run(lambda tx: members.statuses(tx.connection, house.organization.id, [*crowd, "prg_none"]))
    assert counts == {crowd[0]: {"active": 3}, crowd[1]: {"active": 3, "pending": 1}, "prg_none": {}}


def test_marks_are_offered_once_in_order(house, crowd):
    def offered(name):
        return house.run(lambda tx: members.marks(tx.connection, house.organization.id, name))

    assert offered("tag") == ["both", "t0", "t1", "t2"]
    assert offered("source") == ["web"]
    assert offered("country") == ["DE", "SE"]


def test_programs_are_paged_both_ways(house, crowd):
    def page(**how):
        found = house.run(
            lambda tx: members.programs_page(
                tx.connection, house.organization.id, **{"place": None, "limit": 9, "oldest": False, **how}
            )
        )
        return [one.name for one in found]

    assert page() == ["Autumn", "Spring"]
    assert page(oldest=True, limit=1) == ["Spring"]
    first = house.run(lambda tx: tx.registry.programs([crowd[0]]))[crowd[0]]
    assert page(oldest=True, place=first.number) == ["Autumn"]
