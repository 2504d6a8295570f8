"""The mirror: what platforms tell becomes the registry, each change through the waist, whatever the order."""

import pytest
from inflow import Platform
from registry_walk import HOOKS

from affwire.model.events import Actor
from affwire.model.registry import Affiliate, Link, Membership, Program, PromoCode
from affwire.model.times import rfc3339
from affwire.services import affiliates, memberships, programs
from affwire.services.actions import found
from affwire.testing.house import MemoryHouse

EMAIL = "noor.haddad@example.com"
SPRING = {"id": "82f26208-778e-4e98-a467-6ee264cf96d5", "name": "Spring"}
AUTUMN = {"id": "82f26208-778e-4e98-a467-6ee264cf96d6", "name": "Autumn"}
LINK = {"id": "l1", "url": "https://example.com/?via=noor", "token": "noor"}
HOUR = 3_600_000


@pytest.fixture
def house():
    house = MemoryHouse()
    house.clock.advance(400 * 24 * HOUR)  # later than every time in the samples
    return house


@pytest.fixture
def rewardful(house):
    return Platform(house, "rewardful")


@pytest.fixture
def growi(house):
    return Platform(house, "growi")


def everyone(house, kind=Affiliate):
    return house.run(lambda tx: tx.registry.find(kind, house.organization.id))


def types(house, message):
    return [event.type for event in house.events() if event.id in message.events]


def created_at(text):
    return {"event__created_at": text}


def day(number):
    return created_at(f"2026-03-{number:02}T12:00:00.000Z")


def on(number):
    return {"occurred_at": f"2026-03-{number:02}T12:00:00Z"}


def tell(rewardful, word, number, **changes):
    """Send the same affiliate, but for the changes, under any word."""
    told = {"object__campaign": None, "object__links": [], "object__email": EMAIL, **day(number), **changes}
    return rewardful.send("affiliate.updated", event__type=word, event__id=f"{word}-{number}", **told)


def statuses(house):
    programs_ = {program.id: program.name for program in everyone(house, Program)}
    return {programs_[one.program_id]: one.status for one in everyone(house, Membership) if one.program_id in programs_}


class TestCreation:
    def test_an_affiliate_comes_with_the_platforms_id_its_times_and_its_first_membership(self, house, rewardful):
        message = tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        [affiliate] = everyone(house)
        assert (message.status, message.reason, message.affiliate_id) == ("applied", None, affiliate.id)
        assert types(house, message) == ["program.created", "affiliate.created", "membership.activated"]
        assert affiliate.external_ids == {"rewardful": "019c9727-501c-7380-8000-000000000017"}
        assert affiliate.created_at == 1772114601508, "created_at is the platform's"
        assert found_by(house, f"ext:rewardful:{affiliate.external_ids['rewardful']}") == affiliate.id
        assert {event.actor for event in house.events()} == {Actor("source", rewardful.source.id)}
        created, activated = house.events()[1:]
        assert created.cause == activated.cause, "one request, as if it had been made here"

    def test_a_repeat_and_a_retry_change_nothing(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        before = everyone(house), everyone(house, Membership), house.events()
        message = tell(rewardful, "affiliate.updated", 2, object__campaign=SPRING)
        assert (message.status, message.reason) == ("unchanged", "nothing new: everything it tells is known")
        assert (everyone(house), everyone(house, Membership), house.events()) == before

    def test_a_program_of_which_only_the_id_is_told_says_nothing_until_it_has_a_name(self, house, growi):
        first = growi.send("campaign_affiliate.activated", campaign_name=..., **on(1))
        assert types(house, first) == ["affiliate.created", "membership.activated"]
        assert everyone(house, Program)[0].name == ""
        named = growi.send("campaign_affiliate.paused", campaign_name="Harbour", **on(2))
        assert types(house, named) == ["program.created", "membership.changed"]

    def test_a_creator_without_an_address_is_mirrored_too(self, house, growi):
        growi.send("campaign_affiliate.activated", user_email=..., **on(1))
        assert everyone(house)[0].email is None

    def test_what_nobody_can_reach_in_one_step_is_reached_in_several(self, house, growi):
        message = growi.send("campaign_affiliate.rejected", **on(1))
        assert types(house, message)[1:] == ["affiliate.created", "membership.requested", "membership.rejected"]
        requests = {event.cause.request_id for event in house.events()}
        assert len(requests) == 3, "each step is a request of its own"

    def test_a_pending_one_stays_pending_where_the_program_would_approve_at_once(self, house, growi):
        house.act(programs.create, {"name": "Harbour Lights", "auto_approve": True})
        growi.send("campaign_affiliate.pending", **on(1))
        assert statuses(house) == {"Harbour Lights": "pending"}

    def test_a_mistyped_message_is_parked_and_can_be_read(self, house, rewardful):
        message = rewardful.bring(b'{"event": {"id": "x", "type": "affiliate.created"}, "object": []}')
        assert message.status == "parked"
        assert message.reason
        assert everyone(house) == []

    def test_an_unknown_word_is_kept_and_does_nothing(self, house, rewardful):
        message = rewardful.send("sale.created")
        assert (message.status, message.word) == ("unchanged", "sale.created")
        assert "stands for nothing" in message.reason


class TestMatching:
    def test_an_affiliate_is_found_by_the_address_and_takes_the_platforms_id(self, house, rewardful):
        kim = house.act(affiliates.create, {"email": EMAIL.upper()})[0]
        message = tell(rewardful, "affiliate.updated", 1)
        [affiliate] = everyone(house)
        assert affiliate.id == kim.id
        assert "rewardful" in affiliate.external_ids
        assert types(house, message)[0] == "affiliate.updated"

    def test_two_platforms_tell_of_one_person(self, house, rewardful, growi):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        growi.send("campaign_affiliate.activated", user_email=EMAIL, campaign_name="Spring", **on(2))
        [affiliate] = everyone(house)
        assert set(affiliate.external_ids) == {"rewardful", "growi"}
        [program] = everyone(house, Program)
        assert set(program.external_ids) == {"rewardful", "growi"}
        assert len(everyone(house, Membership)) == 1

    def test_a_source_that_goes_by_ids_alone_takes_nobody_for_another(self, house):
        house.act(affiliates.create, {"email": EMAIL})
        house.act(programs.create, {"name": "Spring"})
        strict = Platform(house, "rewardful", match="id")
        message = tell(strict, "affiliate.created", 1, object__campaign=SPRING)
        assert len(everyone(house)) == len(everyone(house, Program)) == 2
        assert message.status == "applied"
        assert "belongs to aff_" in message.reason
        assert everyone(house)[1].email is None

    def test_a_taken_address_stops_nothing_else(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1)
        house.act(affiliates.create, {"email": "taken@example.com"})
        message = tell(rewardful, "affiliate.updated", 2, object__email="Taken@example.com", object__first_name="Nour")
        assert (everyone(house)[0].email, everyone(house)[0].first_name) == (EMAIL, "Nour")
        assert (message.status, "belongs to" in message.reason) == ("applied", True)

    def test_where_receivers_know_another_id_only_the_identity_knows_the_platforms(self, house, rewardful):
        kim = house.act(affiliates.create, {"email": EMAIL})[0]
        house.endpoint("rewardful", HOOKS)
        tell(rewardful, "affiliate.updated", 1)
        assert everyone(house)[0].external_ids == {}
        assert found_by(house, "ext:rewardful:019c9727-501c-7380-8000-000000000017") == kim.id

    def test_a_name_told_as_a_whole_leaves_the_parts_as_they_are(self, house, growi):
        house.act(affiliates.create, {"email": EMAIL, "first_name": "Noor Amal", "last_name": "Haddad"})
        growi.send("campaign_affiliate.activated", user_email=EMAIL, user_name="Noor Amal Haddad", **on(1))
        assert everyone(house)[0].first_name == "Noor Amal"


class TestTime:
    def test_a_late_message_changes_nothing(self, house, growi):
        growi.send("campaign_affiliate.paused", **on(5))
        message = growi.send("campaign_affiliate.activated", user_name="Old Name", **on(3))
        assert statuses(house) == {"Harbour Lights": "paused"}
        assert everyone(house)[0].name == "Kim Berg"
        assert (message.status, message.reason[:5]) == ("unchanged", "late:")

    def test_an_end_wins_over_an_older_beginning_that_comes_after_it(self, house, growi):
        growi.send("campaign_affiliate.removed", **on(5))
        assert everyone(house) == []
        growi.send("campaign_affiliate.activated", **on(3))
        assert [len(everyone(house)), len(everyone(house, Membership))] == [1, 0]

    def test_a_newer_telling_brings_back_what_ended(self, house, growi):
        growi.send("campaign_affiliate.removed", **on(3))
        growi.send("campaign_affiliate.activated", **on(5))
        assert statuses(house) == {"Harbour Lights": "active"}
        growi.send("campaign_affiliate.left", **on(6))
        growi.send("campaign_affiliate.activated", **on(7))
        assert statuses(house) == {"Harbour Lights": "active"}
        assert len(everyone(house, Membership)) == 1

    def test_a_deleted_affiliate_does_not_come_back_with_old_news(self, house, rewardful):
        tell(rewardful, "affiliate.deleted", 5, object__campaign=SPRING)
        message = tell(rewardful, "affiliate.updated", 3, object__campaign=SPRING)
        assert (everyone(house), message.status) == ([], "unchanged")
        tell(rewardful, "affiliate.created", 7, object__campaign=SPRING)
        assert statuses(house) == {"Spring": "active"}

    def test_what_was_deleted_here_comes_back_with_newer_news_only(self, house, growi):
        growi.send("campaign_affiliate.activated", **on(5))
        house.act(affiliates.delete, everyone(house)[0].id)
        for number in (4, 6):  # told before and after the last news, and both before the deletion
            late = growi.send("campaign_affiliate.paused", **on(number))
            assert (everyone(house), late.status) == ([], "unchanged")
        assert "deleted here" in late.reason
        house.clock.advance(HOUR)
        growi.send("campaign_affiliate.paused", occurred_at=rfc3339(house.clock.now()))
        assert statuses(house) == {"Harbour Lights": "paused"}

    def test_a_program_that_was_deleted_here_does_not_come_back_with_older_news(self, house, growi):
        growi.send("campaign_affiliate.activated", **on(5))
        house.act(programs.delete, everyone(house, Program)[0].id, force=True)
        growi.send("campaign_affiliate.paused", **on(6))
        assert everyone(house, Program) == []

    def test_who_was_made_anew_here_is_found_by_the_address_again(self, house, growi):
        growi.send("campaign_affiliate.activated", **on(3))
        house.act(affiliates.delete, everyone(house)[0].id)
        house.act(programs.delete, everyone(house, Program)[0].id, force=True)
        again = house.act(affiliates.create, {"email": "kim@example.org"})[0]
        program = house.act(programs.create, {"name": "Harbour Lights"})
        growi.send("campaign_affiliate.activated", **on(5))
        assert [one.id for one in everyone(house)] == [again.id]
        assert [one.id for one in everyone(house, Program)] == [program.id]
        assert statuses(house) == {"Harbour Lights": "active"}

    def test_updated_at_is_the_told_time(self, house, growi):
        growi.send("campaign_affiliate.activated", **on(1))
        growi.send("campaign_affiliate.paused", **on(5))
        assert everyone(house, Membership)[0].updated_at == 1772712000000

    def test_a_clock_in_the_far_future_does_not_silence_what_follows(self, house, growi):
        growi.send("campaign_affiliate.activated", occurred_at="2099-01-01T00:00:00Z")
        house.clock.advance(HOUR)
        growi.send("campaign_affiliate.paused", occurred_at="2099-01-02T00:00:00Z")
        assert statuses(house) == {"Harbour Lights": "paused"}


class TestCampaign:
    """Rewardful has one campaign per affiliate: the one membership that it knows."""

    def test_another_campaign_ends_the_membership_in_the_former(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        message = tell(rewardful, "affiliate.updated", 2, object__campaign=AUTUMN)
        assert statuses(house) == {"Spring": "removed", "Autumn": "active"}
        assert set(types(house, message)) == {"program.created", "membership.activated", "membership.removed"}

    def test_no_campaign_ends_it(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        tell(rewardful, "affiliate.updated", 2, object__campaign=None)
        assert statuses(house) == {"Spring": "removed"}
        tell(rewardful, "affiliate.updated", 3, object__campaign=SPRING)
        assert statuses(house) == {"Spring": "active"}

    def test_old_news_of_another_campaign_does_nothing(self, house, rewardful):
        tell(rewardful, "affiliate.updated", 2, object__campaign=AUTUMN)
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        assert statuses(house) == {"Autumn": "active"}

    def test_memberships_that_it_never_told_of_stay(self, house, rewardful):
        kim = house.act(affiliates.create, {"email": EMAIL})[0]
        own = house.act(programs.create, {"name": "Own"})
        house.act(memberships.create, kim.id, own.id, {})
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        tell(rewardful, "affiliate.updated", 2, object__campaign=None)
        assert statuses(house) == {"Own": "active", "Spring": "removed"}

    def test_a_finer_status_stays(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        house.act(memberships.update, everyone(house, Membership)[0].id, {"status": "paused"})
        message = tell(rewardful, "affiliate.updated", 2, object__campaign=SPRING)
        assert (statuses(house), message.status) == ({"Spring": "paused"}, "unchanged")


class TestEnds:
    def test_one_whom_another_platform_holds_too_stays(self, house, rewardful, growi):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        growi.send("campaign_affiliate.activated", user_email=EMAIL, **on(2))
        message = tell(rewardful, "affiliate.deleted", 3)
        assert statuses(house) == {"Spring": "removed", "Harbour Lights": "active"}
        assert (len(everyone(house)), message.reason) == (1, "the affiliate stays: others hold them too")

    def test_one_who_is_a_member_here_stays(self, house):
        platform = Platform(house, "insert_affiliate")
        platform.send("affiliate.created", **on(1))
        own = house.act(programs.create, {"name": "Own"})
        house.act(memberships.create, everyone(house)[0].id, own.id, {})
        platform.send("affiliate.deactivated", **on(2))
        assert statuses(house) == {"Own": "active"}

    def test_what_nobody_else_holds_is_deleted(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        message = tell(rewardful, "affiliate.deleted", 2)
        assert everyone(house) == []
        assert types(house, message) == ["membership.removed", "affiliate.deleted"]

    def test_a_deleted_program_takes_its_members_along(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING)
        message = rewardful.send("campaign.deleted", object__id=SPRING["id"], object__name="Spring", **day(2))
        assert types(house, message) == ["membership.removed", "program.deleted"]
        message = rewardful.send("campaign.updated", object__id=SPRING["id"], event__id="l", **day(1))
        assert everyone(house, Program) == []

    def test_an_affonso_deletion_ends_the_membership_alone(self, house):
        affonso = Platform(house, "affonso")
        affonso.send("affiliate.created", timestamp="2026-03-01T12:00:00.000Z")
        affonso.send("affiliate.deleted", timestamp="2026-03-02T12:00:00.000Z")
        assert len(everyone(house)) == 1
        assert everyone(house, Membership)[0].status == "removed"

    def test_tamio_ends_a_membership_by_its_id_alone(self, house):
        tamio = Platform(house, "tamio")
        tamio.send("affiliate-signup")
        tamio.send("affiliate-approved")
        assert everyone(house, Membership)[0].status == "active"
        message = tamio.send("affiliate-removed")
        assert (everyone(house, Membership)[0].status, message.status) == ("removed", "applied")
        again = tamio.send("affiliate-approved")
        assert (everyone(house, Membership)[0].status, again.status) == ("removed", "unchanged")
        tamio.send("affiliate-signup")
        assert everyone(house, Membership)[0].status == "pending"

    def test_the_end_of_a_stranger_says_so(self, house):
        message = Platform(house, "tamio").send("affiliate-removed")
        assert (message.status, message.reason) == ("unchanged", "the end of a record that is not here")


class TestPerks:
    def test_links_follow_the_platforms_list(self, house, rewardful):
        tell(rewardful, "affiliate.created", 1, object__campaign=SPRING, object__links=[LINK])
        moved = {**LINK, "token": "n"}
        tell(rewardful, "affiliate.updated", 2, object__campaign=SPRING, object__links=[moved])
        assert [link.token for link in everyone(house, Link)] == ["n"]
        message = tell(rewardful, "affiliate.updated", 3, object__campaign=SPRING, object__links=[])
        assert (everyone(house, Link), message.status) == ([], "applied")

    def test_a_link_without_a_membership_waits(self, house, rewardful):
        message = tell(rewardful, "affiliate.created", 1, object__links=[LINK])
        assert "a link waits" in message.reason
        tell(rewardful, "affiliate.updated", 2, object__campaign=SPRING, object__links=[LINK])
        assert len(everyone(house, Link)) == 1

    def test_promo_codes_and_groups_come_along(self, house):
        affonso = Platform(house, "affonso")
        code = {"code": "NOOR10", "promoCodeId": "pc_1", "discountValue": "10.00"}
        told = {"data__promoCodes": [code], "data__groupId": "grp_1"}
        affonso.send("affiliate.created", timestamp="2026-03-01T12:00:00.000Z", **told)
        assert [code.code for code in everyone(house, PromoCode)] == ["NOOR10"]
        assert everyone(house, Membership)[0].group_id
        affonso.send("affiliate.updated", timestamp="2026-03-02T12:00:00.000Z", data__promoCodes=[])
        assert everyone(house, PromoCode) == []


class TestLoops:
    def test_five_hops_are_the_end(self, house, rewardful):
        message = rewardful.send("affiliate.created", hops=5)
        assert (message.status, everyone(house)) == ("unchanged", [])
        assert "loop" in message.reason

    def test_an_events_hops_are_its_messages(self, house, rewardful):
        rewardful.send("affiliate.created", hops=3)
        assert [event.hops for event in house.events()] == [3]

    def test_nothing_goes_back_to_where_it_came_from(self, house, rewardful):
        back = house.endpoint("rewardful", HOOKS, source_id=rewardful.source.id)
        other = house.endpoint("rewardful", HOOKS)
        message = tell(rewardful, "affiliate.created", 1)
        assert (house.deliveries(back), len(house.deliveries(other))) == ([], 1)
        entry = house.run(lambda tx: tx.log.get(house.organization.id, message.events[0]))
        assert entry.silences[back.id] == "it came in from this endpoint's own source"


def found_by(house, text):
    return house.run(lambda tx: found(tx, Affiliate, house.organization.id, text)).id
