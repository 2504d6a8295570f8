"""The caller's own ids: create or change by them, one record each, and a dialect's own stays as it was given."""

import pytest
from registry_walk import HOOKS

from affwire.model.registry import Affiliate, Membership, Program
from affwire.services import affiliates, externals, memberships, organizations, programs
from affwire.services.actions import found, resolved

OWN = externals.OwnId("crm", "7")
DIALECTS = ["growi", "affonso", "rewardful", "insert_affiliate", "tamio"]


@pytest.fixture
def program(house):
    return house.act(programs.create, {"name": "Spring", "external_ids": {"crm": "p"}})


@pytest.fixture
def kim(house):
    return house.act(externals.put_affiliate, OWN, {"email": "kim@example.org"})[0]


def test_an_id_of_ones_own_has_three_parts_and_the_last_may_hold_colons():
    assert externals.OwnId.parse("ext:crm:a:b") == externals.OwnId("crm", "a:b")


def test_the_first_put_creates_and_the_next_ones_change(house):
    program, new = house.act(externals.put_program, OWN, {"name": "Spring"})
    again, second = house.act(externals.put_program, OWN, {"description": "D", "external_ids": {"erp": "1"}})
    assert (new, second) == (True, False)
    assert (again.id, again.name, again.description) == (program.id, "Spring", "D")
    assert again.external_ids == {"crm": "7", "erp": "1"}
    assert house.types() == ["program.created", "program.updated"]


def test_the_same_put_again_changes_nothing(house, kim):
    with house.changes_nothing():
        again, joined, new = house.act(externals.put_affiliate, OWN, {"email": "kim@example.org"})
    assert (again.id, again.updated_at, joined, new) == (kim.id, kim.updated_at, None, False)


BEGINNING = {"status": "pending", "tag": "T", "metadata": {"a": 1}, "external_ids": {"crm": "m"}}


def test_the_same_put_with_its_first_membership_may_come_again(house, program):
    fields = {"email": "kim@example.org", "confirmed_at": 1}
    kim, membership, new = house.act(externals.put_affiliate, OWN, fields, program_id="ext:crm:p", membership=BEGINNING)
    assert (membership.program_id, kim.confirmed_at, new) == (program.id, 1, True)
    with house.changes_nothing():
        again, joined, new = house.act(
            externals.put_affiliate, OWN, fields, program_id=program.id, membership=BEGINNING
        )
    assert (again.id, joined, new) == (kim.id, membership, False)


@pytest.mark.parametrize(
    ("fields", "membership", "field"),
    [
        ({"confirmed_at": 2}, None, "confirmed_at"),
        ({}, {"status": "active"}, "membership/status"),
        ({}, {"tag": None}, "membership/tag"),
        ({}, {"metadata": {"a": 2}}, "membership/metadata"),
        ({}, {"external_ids": {"crm": "n"}}, "membership/external_ids"),
    ],
)
def test_what_a_put_cannot_change_of_an_affiliates_beginning_is_not_passed_over_in_silence(
    house, program, fields, membership, field
):
    first = {"email": "kim@example.org", "confirmed_at": 1}
    house.act(externals.put_affiliate, OWN, first, program_id="ext:crm:p", membership=BEGINNING)
    with house.refuses("only_at_creation", field=field):
        house.act(externals.put_affiliate, OWN, fields, program_id="ext:crm:p", membership=membership)


def test_a_put_makes_nobody_who_is_there_join_in_silence(house, program, kim):
    with house.refuses("only_at_creation", field="program_id"):
        house.act(externals.put_affiliate, OWN, {}, program_id=program.id)
    with house.refuses("program_not_found"):
        house.act(externals.put_affiliate, OWN, {}, program_id="prg_x")


def test_a_put_of_one_who_asked_and_was_let_in_at_once_may_come_again(house):
    house.act(programs.create, {"name": "Open", "auto_approve": True, "external_ids": {"crm": "o"}})
    asked = {"program_id": "ext:crm:o", "membership": {"status": "pending"}}
    first = house.act(externals.put_affiliate, OWN, {"email": "kim@example.org"}, **asked)[1]
    assert first.status == "active"
    with house.changes_nothing():
        assert house.act(externals.put_affiliate, OWN, {"email": "kim@example.org"}, **asked)[1] == first


@pytest.mark.parametrize(
    ("put", "field", "more"),
    [
        (externals.put_program, "name", {}),
        (externals.put_affiliate, "email", {}),
        (externals.put_membership, "affiliate_id", {"affiliate_id": None, "program_id": "prg_1"}),
        (externals.put_membership, "program_id", {"affiliate_id": "aff_1", "program_id": None}),
    ],
)
def test_a_new_record_needs_what_every_new_one_needs(house, put, field, more):
    with house.refuses("required_at_creation", field=field):
        house.act(put, OWN, {}, **more)


def test_nulls_beside_a_new_record_take_nothing_away(house):
    made = house.act(externals.put_affiliate, OWN, {"email": "a@example.org", "external_ids": {"erp": None}})[0]
    assert made.external_ids == {"crm": "7"}


def test_the_body_cannot_name_another_id_than_the_path(house):
    for other in ("8", None):
        with house.refuses("external_id_differs", field="external_ids/crm"):
            house.act(externals.put_program, OWN, {"name": "A", "external_ids": {"crm": other}})


def test_a_membership_is_put_between_ids_of_ones_own(house, program, kim):
    between = {"affiliate_id": "ext:crm:7", "program_id": "ext:crm:p"}
    membership, new = house.act(externals.put_membership, OWN, {"status": "pending"}, **between)
    assert (membership.affiliate_id, membership.program_id, new) == (kim.id, program.id, True)
    again, new = house.act(externals.put_membership, OWN, {"status": "active"}, **between)
    assert (again.id, again.status, new) == (membership.id, "active", False)
    assert house.act(memberships.command, "ext:crm:7", "remove").status == "removed"


def test_a_membership_does_not_move(house, program, kim):
    membership, _ = house.act(externals.put_membership, OWN, {}, affiliate_id=kim.id, program_id=program.id)
    other = house.act(programs.create, {"name": "Other"})
    with house.refuses("membership_elsewhere", existing_id=membership.id):
        house.act(externals.put_membership, OWN, {}, affiliate_id=None, program_id=other.id)


def test_an_id_names_one_record_of_a_kind(house, kim, program):
    with house.refuses("external_id_taken", existing_id=kim.id, field="external_ids/crm"):
        house.act(affiliates.create, {"email": "lee@example.org", "external_ids": {"crm": "7"}})
    lee = house.act(affiliates.create, {"email": "lee@example.org", "external_ids": {"erp": "7"}})[0]
    with house.refuses("external_id_taken", existing_id=kim.id):
        house.act(affiliates.update, lee.id, {"external_ids": {"crm": "7"}})
    house.act(programs.update, program.id, {"external_ids": {"crm": "7"}})
    assert house.run(lambda tx: resolved(tx, Program, house.organization.id, "ext:crm:7")) == program.id


def test_another_organizations_ids_are_its_own(house, kim):
    other = house.run(lambda tx: organizations.create(tx, {"slug": "other", "name": "Other"}))[0]
    mine, house.organization = house.organization, other
    theirs = house.act(externals.put_affiliate, OWN, {"email": "kim@example.org"})[0]
    house.organization = mine
    assert theirs.id != kim.id
    assert house.run(lambda tx: found(tx, Affiliate, mine.id, "ext:crm:7")).id == kim.id


@pytest.mark.parametrize("text", ["ext:", "ext:crm", "ext:crm:", "ext::7", "ext:crm:8", "ext:erp:7"])
def test_an_id_that_names_nothing_is_not_found(house, kim, text):
    with house.refuses("affiliate_not_found"):
        house.act(affiliates.update, text, {"city": "Bonn"})


def test_a_changed_id_is_found_under_the_new_one_only(house, kim):
    house.act(affiliates.update, kim.id, {"external_ids": {"crm": "8"}})
    assert house.act(affiliates.update, "ext:crm:8", {"city": "Bonn"}).id == kim.id
    with house.refuses("affiliate_not_found"):
        house.act(affiliates.update, "ext:crm:7", {"city": "Bonn"})


def test_who_is_deleted_frees_the_ids_and_those_of_the_memberships(house, program, kim):
    put = externals.put_membership, OWN, {}
    first, _ = house.act(*put, affiliate_id=kim.id, program_id=program.id)
    house.act(affiliates.delete, "ext:crm:7")
    again = house.act(externals.put_affiliate, OWN, {"email": "kim@example.org"})[0]
    second, new = house.act(*put, affiliate_id="ext:crm:7", program_id=program.id)
    assert again.id != kim.id
    assert (second.id != first.id, new) == (True, True)


def test_a_deleted_program_frees_its_members_ids(house, program, kim):
    house.act(externals.put_membership, OWN, {}, affiliate_id=kim.id, program_id=program.id)
    house.act(programs.delete, "ext:crm:p", force=True)
    for kind in (Program, Membership):
        assert house.run(lambda tx, kind=kind: resolved(tx, kind, house.organization.id, "ext:crm:7")) == "ext:crm:7"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_dialect_calls_a_record_is_frozen_from_its_creation_on(house, dialect):
    given = {"external_ids": {dialect: "1"}}
    kim, membership = house.act(
        affiliates.create,
        {"email": "k@example.org", **given},
        program_id=house.act(programs.create, {"name": "A", **given}).id,
    )
    program_id = membership.program_id
    for change in ({dialect: "2"}, {dialect: None}):
        with house.refuses("external_id_frozen", namespaces=[dialect]):
            house.act(affiliates.update, kim.id, {"external_ids": change})
        with house.refuses("external_id_frozen", namespaces=[dialect]):
            house.act(programs.update, program_id, {"external_ids": change})
    with house.refuses("external_id_frozen", namespaces=[dialect]):
        house.act(memberships.update, membership.id, {"external_ids": {dialect: "1"}})
    with house.changes_nothing():
        house.act(affiliates.update, kim.id, given)


def test_a_dialects_id_can_be_put_at_creation_and_only_then(house):
    own = externals.OwnId("growi", "5")
    program, _ = house.act(externals.put_program, own, {"name": "A"})
    assert house.act(externals.put_program, own, {"name": "B"})[0].external_ids == {"growi": "5"}
    with house.refuses("external_id_frozen"):
        house.act(externals.put_program, own, {"external_ids": {"tamio": "x"}})
    assert program.external_ids == {"growi": "5"}


def test_one_who_comes_back_cannot_bring_a_new_id_of_a_dialect(house, program, kim):
    between = kim.id, program.id
    membership = house.act(memberships.create, *between, {})
    house.act(memberships.command, membership.id, "remove")
    with house.refuses("external_id_frozen"):
        house.act(memberships.create, *between, {"external_ids": {"growi": "5"}})
    assert house.act(memberships.create, *between, {"external_ids": {"erp": "5"}}).external_ids == {"erp": "5"}


IA = {"email": "kim@example.org", "external_ids": {"crm": "7", "insert_affiliate": "ia_0a1b2c3d"}}


def test_an_id_of_the_old_address_goes_with_it(house):
    kim = house.act(affiliates.create, IA)[0]
    changed = house.act(affiliates.update, kim.id, {"email": "new@example.org"})
    assert changed.external_ids == {"crm": "7"}
    assert house.events()[-1].previous == {"email": IA["email"], "external_ids": IA["external_ids"]}
    again = house.act(affiliates.create, {**IA, "external_ids": {"insert_affiliate": "ia_0a1b2c3d"}})[0]
    assert again.external_ids["insert_affiliate"] == "ia_0a1b2c3d"


def test_the_same_address_in_other_letters_keeps_its_id(house):
    kim = house.act(affiliates.create, IA)[0]
    changed = house.act(affiliates.update, kim.id, {"email": "Kim@Example.org"})
    assert changed.external_ids == IA["external_ids"]


def test_a_new_address_cannot_bring_its_own_id(house):
    kim = house.act(affiliates.create, IA)[0]
    with house.refuses("external_id_frozen"):
        house.act(
            affiliates.update,
            kim.id,
            {"email": "new@example.org", "external_ids": {"insert_affiliate": "ia_ffffffff"}},
        )


def test_after_a_new_address_insert_affiliate_hears_the_old_id_end_and_the_new_one_begin(house):
    endpoint = house.endpoint("insert_affiliate", HOOKS)
    kim = house.act(affiliates.create, IA)[0]
    house.act(affiliates.update, kim.id, {"email": "new@example.org"})
    assert [one.word for one in house.deliveries(endpoint)] == [
        "affiliate.created",
        "affiliate.deactivated",
        "affiliate.created",
    ]
