"""The world around an affiliate or a program, as it is after the request."""

from affwire.model.registry import Affiliate
from affwire.services import affiliates, memberships, perks, programs, snapshots


def of(house, affiliate, before):
    def work(tx):
        current = tx.registry.get(Affiliate, house.organization.id, affiliate.id)
        return snapshots.of_affiliate(tx, house.organization, current, before)

    return house.run(work)


def test_an_affiliate_without_memberships_stands_alone(house):
    kim = house.act(affiliates.create, {"email": "k@example.org"})[0]
    snapshot = of(house, kim, {})
    assert (snapshot.memberships, snapshot.links, snapshot.program) == ((), (), None)
    assert snapshot.organization == house.organization


def test_memberships_come_in_order_of_number_each_with_what_hangs_on_it(house):
    first, second = (house.act(programs.create, {"name": name}) for name in "AB")
    kim, one = house.act(affiliates.create, {"email": "k@example.org"}, program_id=second.id)
    two = house.act(memberships.create, kim.id, first.id, {})
    group = house.act(perks.create_group, {"name": "Gold"})
    house.act(memberships.update, two.id, {"group_id": group.id})
    code = house.act(perks.create_promo_code, one.id, {"code": "A"})
    link = house.act(perks.create_link, two.id, {"url": "https://example.com", "token": "t"})
    snapshot = of(house, kim, {two.id: "pending"})
    assert [(view.membership.id, view.program.name) for view in snapshot.memberships] == [(one.id, "B"), (two.id, "A")]
    assert [view.status_before for view in snapshot.memberships] == ["active", "pending"]
    assert [view.group for view in snapshot.memberships] == [None, group]
    assert [view.promo_codes for view in snapshot.memberships] == [(code,), ()]
    assert snapshot.links == (link,)


def test_a_deleted_program_is_still_told(house):
    program = house.act(programs.create, {"name": "A"})
    kim, _ = house.act(affiliates.create, {"email": "k@example.org"}, program_id=program.id)
    house.act(programs.delete, program.id, force=True)
    assert of(house, kim, {}).memberships[0].program.deleted_at is not None


def test_a_program_counts_its_live_members(house):
    program = house.act(programs.create, {"name": "A"})
    for number, status in enumerate(("active", "pending")):
        fields = {"email": f"{number}@example.org"}
        house.act(affiliates.create, fields, program_id=program.id, membership={"status": status})
    house.act(programs.update, program.id, {"name": "B"})
    assert house.events()[-1].snapshot.program_affiliates == 2
