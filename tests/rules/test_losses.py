"""What counts as lost: nothing told is forgotten, nothing that came back is complained about."""

import pytest
from msgspec import UNSET

from affwire.model.reading import Reading, Told, ToldMembership
from affwire.rules.losses import Lost, MadeUp, losses, made_up

PROGRAM = "82f26208-778e-4e98-a467-6ee264cf96d5"


def affiliate(identifier="a1", **fields):
    return Reading(word="w", affiliate=Told(kind="affiliate", id=identifier, fields=fields))


def member(status, program=PROGRAM, **fields):
    return ToldMembership(
        told=Told(kind="membership", fields={"status": status, **fields}), program=Told(kind="program", id=program)
    )


def members(*told, own=None):
    return Reading(word="w", memberships=told, own=own)


def test_what_does_not_come_back_is_lost():
    lost = losses(affiliate(country="DE", email="a@b"), [affiliate(email="a@b")])
    assert lost == (Lost(field="affiliate.country", value="DE"),)


def test_what_comes_back_otherwise_is_lost_and_says_as_what():
    lost = losses(affiliate(status="suspicious"), [affiliate(status="rejected")])
    assert lost == (Lost(field="affiliate.status", value="suspicious", became="rejected"),)


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_what_told_nothing_is_not_missed(nothing):
    assert losses(affiliate(city=nothing), [affiliate()]) == ()


def test_a_number_is_no_truth_value():
    assert losses(affiliate(sign_in_count=1), [affiliate(sign_in_count=True)])


def test_what_one_of_several_messages_tells_is_kept():
    told = affiliate(country="DE", city="Ulm")
    lost = losses(told, [affiliate(country="DE"), affiliate(city="Ulm")])
    assert lost == ()


def test_without_a_message_all_is_lost():
    assert [lost.field for lost in losses(affiliate(country="DE"), [])] == ["affiliate.id", "affiliate.country"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("3433fffa-8255-4843-81b1-22aebc21eb34", "aff_1m6fzzn0jn911r3c92nty23tsm", True),
        ("3433fffa-8255-4843-81b1-22aebc21eb34", "aff_1m6fzzn0jn911r3c92nty23tsn", False),
        ("aff_01kje4s70se008000000000002", "prog_01kje4s70se008000000000002", True),
        ("42", "42", True),
        ("42", "43", False),
    ],
)
def test_the_same_bits_are_the_same_id(one, other, same):
    assert bool(losses(affiliate(one), [affiliate(other)])) is not same


def test_an_id_among_the_external_ids_is_kept():
    assert losses(affiliate("42"), [affiliate("aff_x", external_ids={"growi": "42"})]) == ()
    assert losses(affiliate("42"), [affiliate("aff_x")])[0].became == "aff_x"


def test_external_ids_come_back_as_ids():
    told = affiliate("a", external_ids={"growi": "42"})
    assert losses(told, [affiliate("42", external_ids={"other": "a"})]) == ()
    assert losses(told, [affiliate("a")])[0].field == "affiliate.external_ids"


def test_events_that_are_told_by_another_name_are_lost():
    told, back = Reading(word="w", events=("membership.left",)), Reading(word="v", events=("membership.removed",))
    assert losses(told, [back]) == (
        Lost(field="event.membership.left", value="membership.left", became="membership.removed"),
    )


def test_memberships_are_held_against_their_own_kind():
    told = members(member("active", "p1", tag="x"), member("removed", "p2"), own=1)
    back = members(member("removed", "p2"), own=0)
    assert {lost.field for lost in losses(told, [back])} == {
        "memberships[0].status",
        "memberships[0].tag",
        "memberships[0].program.id",
    }


def test_without_an_own_one_the_most_alike_are_the_same():
    told = members(member("rejected", "p1"), member("active", "p2", deep_link="https://x"), own=0)
    back = members(ToldMembership(told=Told(kind="membership", fields={"deep_link": "https://x"})))
    assert "memberships[1].deep_link" not in {lost.field for lost in losses(told, [back])}


def test_items_of_lists_are_paired_in_any_order():
    links = tuple(Told(kind="link", id=one, fields={"url": one}) for one in ("x", "y"))
    told, back = Reading(word="w", links=links), Reading(word="w", links=links[::-1])
    assert losses(told, [back]) == ()
    assert [lost.field for lost in losses(told, [Reading(word="w", links=links[1:])])] == [
        "links[0].id",
        "links[0].url",
    ]


@pytest.mark.parametrize(
    ("field", "canonical"),
    [
        ("affiliate.email", "affiliate.email"),
        ("links[3].url", "link.url"),
        ("memberships[1].tag", "membership.tag"),
        ("memberships[1].program.name", "program.name"),
        ("membership.promo_codes[0].code", "promo_code.code"),
        ("memberships[1].promo_codes[2].code", "promo_code.code"),
    ],
)
def test_a_field_has_its_canonical_name(field, canonical):
    assert Lost(field=field, value=1).canonical == canonical


def test_a_loss_without_a_substitute_says_so():
    assert losses(affiliate(city="Ulm"), [affiliate()])[0].became is UNSET


def test_the_events_own_id_is_lost_where_it_comes_back_as_another():
    lost = losses(Reading(word="w", event_id="e-1"), [Reading(word="w", event_id="evt_2")])
    assert lost == (Lost(field="event.id", value="e-1", became="evt_2"),)


def test_what_nobody_told_is_made_up():
    found = made_up(affiliate(email="a@b"), [affiliate(email="a@b", status="active"), affiliate(status="active")])
    assert found == (MadeUp("affiliate.status", "active"),)


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_what_tells_nothing_is_not_made_up(nothing):
    assert made_up(affiliate(), [affiliate(city=nothing)]) == ()


def test_what_is_told_otherwise_is_lost_and_not_made_up():
    assert made_up(affiliate(status="suspicious"), [affiliate("a2", status="rejected")]) == ()


def test_an_event_beside_the_one_that_was_told_is_made_up():
    told, asked = (Reading(word="w", events=(f"membership.{one}",)) for one in ("activated", "requested"))
    assert made_up(told, [asked, told]) == (MadeUp("event.membership.requested", "membership.requested"),)
    assert made_up(told, [asked]) == ()


def test_an_empty_name_where_none_was_told_is_made_up():
    told, back = (Reading(word="w", program=Told(kind="program", id="p", fields=one)) for one in ({}, {"name": ""}))
    assert made_up(told, [back]) == (MadeUp("program.name", ""),)
    assert losses(back, [told]) == ()
