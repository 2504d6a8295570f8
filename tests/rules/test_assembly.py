"""From a reading to events, without a registry."""

import itertools

import pytest

from affwire.model import ids
from affwire.model.reading import Reading, Told, ToldMembership
from affwire.model.registry import Affiliate, Organization
from affwire.rules.assembly import Scene, assemble, happened

AT = 1_772_000_000_000
ACME = Organization(id="org_1", number=1, slug="acme", name="Acme", created_at=0, updated_at=0)


class Names:
    """Ids that are the same for the same key."""

    def __init__(self):
        self.known, self.counter = {}, itertools.count(1)

    def of(self, kind, key, told):
        return self.known.setdefault((kind, key), ids.make(kind, AT, next(self.counter)))

    def event(self, event_type):
        return ids.make("event", AT, next(self.counter))


def scene(**fields):
    return Scene(dialect="growi", organization=ACME, at=AT, request_id="req_1", **fields)


def member(status="active", **told):
    program = Told(kind="program", id="3", fields={"name": "Spring"})
    return ToldMembership(told=Told(kind="membership", id="9", fields={"status": status, **told}), program=program)


def reading(*events, status="active", told=None, **fields):
    affiliate = Told(kind="affiliate", id="7", fields={"email": "kim@example.org", **(told or {})})
    return Reading(word="x", events=events, affiliate=affiliate, memberships=(member(status),), own=0, **fields)


def test_a_word_that_means_nothing_makes_no_event():
    assert assemble(reading(), scene(), Names()) == ()
    assert assemble(Reading(word="x", events=("affiliate.created",)), scene(), Names()) == ()


def test_events_of_one_message_share_the_request_and_count_on():
    created, activated = assemble(reading("affiliate.created", "membership.activated"), scene(sequence=4), Names())
    assert (created.sequence, activated.sequence) == (5, 6)
    assert created.cause == activated.cause
    assert (created.leads, activated.leads) == (True, False)
    assert created.snapshot is activated.snapshot
    assert (created.membership_id, activated.membership_id) == (None, activated.own.membership.id)
    assert (created.standing_before, created.standing_after) == (False, True)


def test_records_have_the_platforms_ids_and_times_and_the_models_defaults():
    [event] = assemble(reading("membership.activated", told={"created_at": 5}, occurred_at=77), scene(), Names())
    affiliate = event.snapshot.affiliate
    assert affiliate.external_ids == {"growi": "7"}
    assert (affiliate.created_at, affiliate.updated_at, affiliate.sign_in_count) == (5, 5, 0)
    assert event.occurred_at == 77
    assert (event.own.program.name, event.own.program.currency) == ("Spring", "USD")


@pytest.mark.parametrize(
    ("event", "remembered", "before"),
    [
        ("membership.requested", None, None),
        ("membership.rejected", None, "pending"),
        ("membership.removed", None, "active"),
        ("membership.removed", "paused", "paused"),
        ("membership.updated", None, "active"),
    ],
)
def test_the_status_before_is_remembered_else_the_usual_one(event, remembered, before):
    [made] = assemble(reading(event), scene(remembered=remembered), Names())
    assert made.own.status_before == before


def test_what_a_message_tells_of_the_status_before_wins():
    told = reading("membership.activated", previous={"status": "rejected"})
    [made] = assemble(told, scene(remembered="pending"), Names())
    assert (made.own.status_before, made.previous) == ("rejected", {"status": "rejected"})


@pytest.mark.parametrize(
    ("status", "remembered", "event"),
    [
        ("active", "pending", "membership.activated"),
        ("rejected", "pending", "membership.rejected"),
        ("paused", "active", "membership.changed"),
        ("active", "active", "affiliate.updated"),
        ("active", None, "affiliate.updated"),
    ],
)
def test_an_update_that_shows_another_status_is_its_change(status, remembered, event):
    assert happened(reading("affiliate.updated", status=status), remembered) == (event,)


def test_other_words_mean_what_they_say_whatever_is_remembered():
    assert happened(reading("affiliate.confirmed"), "pending") == ("affiliate.confirmed",)


def test_what_is_left_out_is_as_it_was_seen_last_and_other_names_stay():
    names = Names()
    [first] = assemble(reading("membership.activated"), scene(), names)
    affiliate = first.snapshot.affiliate
    seen = {affiliate.id: Affiliate(**{**fields(affiliate), "external_ids": {"rewardful": "u"}})}
    told = Reading(
        word="x",
        events=("membership.left",),
        affiliate=Told(kind="affiliate", id="7", fields={"first_name": "Kim"}),
        memberships=(member("left"),),
        own=0,
    )
    [later] = assemble(told, scene(seen=seen), names)
    assert later.snapshot.affiliate.email == "kim@example.org"
    assert later.snapshot.affiliate.first_name == "Kim"
    assert later.snapshot.affiliate.external_ids == {"rewardful": "u", "growi": "7"}


def test_another_installations_ids_are_not_ours():
    told = Reading(
        word="x",
        events=("membership.activated",),
        affiliate=Told(kind="affiliate", id="7"),
        memberships=(member(affiliate_id="aff_theirs", group_id="grp_theirs"),),
        own=0,
    )
    [event] = assemble(told, scene(), Names())
    assert event.own.membership.affiliate_id == event.affiliate_id
    assert event.own.membership.group_id is None


def fields(record):
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_who_is_declined_is_not_told_as_added_to_the_company():
    [event] = assemble(reading("membership.rejected", status="rejected"), scene(), Names())
    assert (event.standing_before, event.standing_after) == (False, False)
