"""The oracle: what each action in the registry makes each dialect say (contracts A1), row by row, through the real services."""

from collections.abc import Callable

import pytest
from registry_walk import Walk

from affwire.model.registry import Membership
from affwire.services import affiliates, memberships, perks, programs

CAMPAIGN = "campaign_affiliate."
Row = tuple[str, Callable[[Walk], Callable[[], object]], str, dict[str, str]]


def patch_program(walk: Walk, **fields):
    program = walk.program()
    return lambda: walk.house.act(programs.update, program.id, fields)


def delete_program(walk: Walk, *statuses: str, force: bool = False):
    program = walk.program()
    for status in statuses:
        affiliate = walk.affiliate()
        membership = walk.join(affiliate, program, "pending" if status == "rejected" else status)
        if status == "rejected":
            walk.house.act(memberships.command, membership.id, "reject")
    return lambda: walk.house.act(programs.delete, program.id, force=force)


def person(walk: Walk, *, active: int = 0, pending: int = 0, rejected: int = 0, **fields):
    affiliate = walk.affiliate(**fields)
    for _ in range(active):
        walk.join(affiliate, walk.program())
    for _ in range(pending + rejected):
        membership = walk.join(affiliate, walk.program(), "pending")
        if rejected:
            walk.house.act(memberships.command, membership.id, "reject")
    return affiliate


def patch_person(fields: dict, **made):
    def prepare(walk: Walk):
        affiliate = person(walk, **made)
        return lambda: walk.house.act(affiliates.update, affiliate.id, fields)

    return prepare


def confirm(**made):
    def prepare(walk: Walk):
        affiliate = person(walk, **made)
        return lambda: walk.house.act(affiliates.confirm, affiliate.id)

    return prepare


def delete_person(*, erase: bool = False, **made):
    def prepare(walk: Walk):
        affiliate = person(walk, **made)
        return lambda: walk.house.act(affiliates.delete, affiliate.id, erase=erase)

    return prepare


def join(status: str, *, first: bool = True, auto: bool = False):
    def prepare(walk: Walk):
        affiliate = walk.affiliate()
        if not first:
            walk.join(affiliate, walk.program())
        program = walk.program(auto_approve=auto)
        return lambda: walk.join(affiliate, program, status)

    return prepare


def go(*statuses: str, to: str, **fields):
    def prepare(walk: Walk):
        membership = walk.member(*statuses)
        return lambda: walk.house.act(memberships.update, membership.id, {"status": to, **fields})

    return prepare


def again(*statuses: str, status: str, auto: bool = False):
    def prepare(walk: Walk):
        membership = walk.member(*statuses)
        if auto:
            walk.house.act(programs.update, membership.program_id, {"auto_approve": True})
        create = {"status": status}
        return lambda: walk.house.act(memberships.create, membership.affiliate_id, membership.program_id, create)

    return prepare


def patch_member(fields: dict, *statuses: str):
    def prepare(walk: Walk):
        membership = walk.member(*(statuses or ("active",)))
        return lambda: walk.house.act(memberships.update, membership.id, fields)

    return prepare


def both(status: str, *, auto: bool = False):
    def prepare(walk: Walk):
        program = walk.program(auto_approve=auto)
        return lambda: walk.affiliate(program, status)

    return prepare


def newcomer(*statuses: str, to: str):
    """A person who came in by a request (row 17) and so stands only from the first activation on."""

    def prepare(walk: Walk):
        affiliate = walk.affiliate(walk.program(), "pending")
        [membership] = walk.house.run(
            lambda tx: tx.registry.find(Membership, walk.house.organization.id, affiliate_id=affiliate.id)
        )
        for status in statuses:
            walk.house.act(memberships.update, membership.id, {"status": status})
        return lambda: walk.house.act(memberships.update, membership.id, {"status": to})

    return prepare


def add_code(walk: Walk):
    membership = walk.member("active")
    return lambda: walk.house.act(perks.create_promo_code, membership.id, {"code": "WELCOME10"})


def drop_code(walk: Walk):
    membership = walk.member("active")
    code = walk.house.act(perks.create_promo_code, membership.id, {"code": "WELCOME10"})
    return lambda: walk.house.act(perks.delete_promo_code, code.id)


def change_code(walk: Walk):
    membership = walk.member("active")
    code = walk.house.act(perks.create_promo_code, membership.id, {"code": "WELCOME10"})
    return lambda: walk.house.act(perks.update_promo_code, code.id, {"discount_value": "12.50"})


def second_removed(walk: Walk):
    affiliate = walk.affiliate()
    walk.join(affiliate, walk.program())
    later = walk.join(affiliate, walk.program())
    return lambda: walk.house.act(memberships.command, later.id, "remove")


def rejoin_with_tag(walk: Walk):
    membership = walk.member("active", "left")
    fields = {"status": "active", "tag": "NEW"}
    return lambda: walk.house.act(memberships.create, membership.affiliate_id, membership.program_id, fields)


UPDATED = "affiliate.updated"
ROWS: list[Row] = [
    ("1 create a program", lambda w: w.program, "program.created", {"tamio": "affiliate-program-created"}),
    (
        "2 change a program",
        lambda w: patch_program(w, name="Autumn"),
        "program.updated",
        {"tamio": "affiliate-program-updated"},
    ),
    ("2 a field Tamio has not", lambda w: patch_program(w, metadata={"a": 1}), "program.updated", {}),
    ("2 nothing changes", lambda w: patch_program(w, name="Spring"), "", {}),
    (
        "3 delete an empty program",
        delete_program,
        "program.deleted",
        {"tamio": "affiliate-program-removed"},
    ),
    (
        "3 rejected partnerships end silently",
        lambda w: delete_program(w, "rejected"),
        "program.deleted",
        {"tamio": "affiliate-program-removed"},
    ),
    (
        "3b delete it by force",
        lambda w: delete_program(w, "active", "pending", force=True),
        "membership.removed membership.removed program.deleted",
        {
            "growi": "campaign_affiliate.removed campaign_affiliate.removed",
            "affonso": "affiliate.deleted affiliate.deleted",
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.deactivated",
            "tamio": "affiliate-removed affiliate-removed affiliate-program-removed",
        },
    ),
    (
        "4 create an affiliate",
        lambda w: w.affiliate,
        "affiliate.created",
        {"rewardful": "affiliate.created", "insert_affiliate": "affiliate.created"},
    ),
    ("5 confirm, no partnership", confirm(), "affiliate.confirmed", {"rewardful": "affiliate.confirmed"}),
    (
        "5 confirm, two partnerships",
        confirm(active=2),
        "affiliate.confirmed",
        {"affonso": "affiliate.confirmed affiliate.confirmed", "rewardful": "affiliate.confirmed"},
    ),
    (
        "5 confirm after onboarding",
        confirm(active=1, onboarding_completed=True),
        "affiliate.confirmed",
        {"affonso": UPDATED, "rewardful": "affiliate.confirmed"},
    ),
    (
        "5b onboarding completed",
        patch_person({"onboarding_completed": True}, active=1, rejected=1),
        UPDATED,
        {"affonso": "affiliate.confirmed affiliate.confirmed", "rewardful": UPDATED},
    ),
    (
        "5b onboarding after confirming",
        patch_person({"onboarding_completed": True}, active=1, confirmed_at=1),
        UPDATED,
        {"affonso": UPDATED, "rewardful": UPDATED},
    ),
    ("6 change details", patch_person({"city": "Umeå"}, active=1), UPDATED, {"affonso": UPDATED, "rewardful": UPDATED}),
    ("6 change nothing", patch_person({"city": None}, active=1), "", {}),
    (
        "6b change the e-mail address",
        patch_person({"email": "new@example.org"}, active=1),
        UPDATED,
        {"affonso": UPDATED, "rewardful": UPDATED, "insert_affiliate": "affiliate.deactivated affiliate.created"},
    ),
    (
        "6b the e-mail address of one who does not stand",
        patch_person({"email": "new@example.org"}, status="disabled"),
        UPDATED,
        {"rewardful": UPDATED},
    ),
    (
        "6c standing ends",
        patch_person({"status": "disabled"}, active=1),
        UPDATED,
        {"affonso": UPDATED, "rewardful": UPDATED, "insert_affiliate": "affiliate.deactivated"},
    ),
    (
        "6c standing begins",
        patch_person({"status": "active"}, status="rejected"),
        UPDATED,
        {"rewardful": UPDATED, "insert_affiliate": "affiliate.created"},
    ),
    ("6c suspicious", patch_person({"status": "suspicious"}), UPDATED, {"rewardful": UPDATED}),
    (
        "6b and 6c in one",
        patch_person({"email": "new@example.org", "status": "disabled"}),
        UPDATED,
        {"rewardful": UPDATED, "insert_affiliate": "affiliate.deactivated"},
    ),
    (
        "7 ask to join",
        join("pending"),
        "membership.requested",
        {"growi": "campaign_affiliate.pending", "affonso": "affiliate.created", "tamio": "affiliate-signup"},
    ),
    (
        "7b ask where everybody is taken",
        join("pending", auto=True),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "rewardful": UPDATED,
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    (
        "8 approve",
        go("pending", to="active"),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": UPDATED,
            "rewardful": UPDATED,
            "tamio": "affiliate-approved",
        },
    ),
    (
        "8 approve a newcomer",
        newcomer(to="active"),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": UPDATED,
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.created",
            "tamio": "affiliate-approved",
        },
    ),
    (
        "9 add at once",
        join("active"),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "rewardful": UPDATED,
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    (
        "9 a second program leaves the campaign",
        join("active", first=False),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    (
        "10 decline",
        go("pending", to="rejected"),
        "membership.rejected",
        {"growi": "campaign_affiliate.rejected", "affonso": UPDATED, "tamio": "affiliate-declined"},
    ),
    (
        "11 remove a member",
        go("active", to="removed"),
        "membership.removed",
        {
            "growi": "campaign_affiliate.removed",
            "affonso": "affiliate.deleted",
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.deactivated",
            "tamio": "affiliate-removed",
        },
    ),
    (
        "11 remove one of two",
        second_removed,
        "membership.removed",
        {"growi": "campaign_affiliate.removed", "affonso": "affiliate.deleted", "tamio": "affiliate-removed"},
    ),
    (
        "11 remove a pending one",
        go("pending", to="removed"),
        "membership.removed",
        {"growi": "campaign_affiliate.removed", "affonso": "affiliate.deleted", "tamio": "affiliate-removed"},
    ),
    (
        "12 leave",
        go("active", "paused", to="left"),
        "membership.left",
        {
            "growi": "campaign_affiliate.left",
            "affonso": "affiliate.deleted",
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.deactivated",
            "tamio": "affiliate-removed",
        },
    ),
    (
        "13 another status",
        go("active", to="paused"),
        "membership.changed",
        {"growi": "campaign_affiliate.paused", "affonso": UPDATED},
    ),
    (
        "13 from another to yet another",
        go("active", "paused", to="on_leave"),
        "membership.changed",
        {"growi": "campaign_affiliate.on_leave", "affonso": UPDATED},
    ),
    (
        "13b back to active",
        go("active", "paused", to="active"),
        "membership.activated",
        {"growi": "campaign_affiliate.activated", "affonso": UPDATED},
    ),
    (
        "14 delete an affiliate",
        delete_person(active=1, pending=1),
        "membership.removed membership.removed affiliate.deleted",
        {
            "growi": "campaign_affiliate.removed campaign_affiliate.removed",
            "affonso": "affiliate.deleted affiliate.deleted",
            "rewardful": "affiliate.deleted",
            "insert_affiliate": "affiliate.deactivated",
            "tamio": "affiliate-removed affiliate-removed",
        },
    ),
    (
        "14 with a declined membership",
        delete_person(rejected=1),
        "affiliate.deleted",
        {"affonso": "affiliate.deleted", "rewardful": "affiliate.deleted", "insert_affiliate": "affiliate.deactivated"},
    ),
    (
        "14 one who does not stand",
        delete_person(status="disabled"),
        "affiliate.deleted",
        {"rewardful": "affiliate.deleted"},
    ),
    ("15 tag", patch_member({"tag": "KIM"}), "membership.updated", {"affonso": UPDATED}),
    ("15 deep link", patch_member({"deep_link": "https://a.example/k"}), "membership.updated", {"affonso": UPDATED}),
    ("15 of an ended membership", patch_member({"tag": "KIM"}, "active", "left"), "membership.updated", {}),
    ("15 nothing", patch_member({"tag": None}), "", {}),
    (
        "16 active again",
        again("active", "removed", status="active"),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.created",
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    (
        "16 with a new tag: the status's event alone",
        rejoin_with_tag,
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.created",
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    (
        "16b a declined one is taken",
        again("pending", "rejected", status="active"),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": UPDATED,
            "rewardful": UPDATED,
            "tamio": "affiliate-approved",
        },
    ),
    (
        "16b a declined newcomer is taken",
        newcomer("rejected", to="active"),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": UPDATED,
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.created",
            "tamio": "affiliate-approved",
        },
    ),
    (
        "16c one who left asks again",
        again("active", "left", status="pending"),
        "membership.requested",
        {"growi": "campaign_affiliate.pending", "affonso": "affiliate.created", "tamio": "affiliate-signup"},
    ),
    (
        "16c where everybody is taken",
        again("active", "left", status="pending", auto=True),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "rewardful": UPDATED,
            "insert_affiliate": "affiliate.created",
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    (
        "16d a declined one asks again",
        again("pending", "rejected", status="pending"),
        "membership.requested",
        {"growi": "campaign_affiliate.pending", "affonso": UPDATED, "tamio": "affiliate-signup"},
    ),
    (
        "16d where everybody is taken",
        again("pending", "rejected", status="pending", auto=True),
        "membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": UPDATED,
            "rewardful": UPDATED,
            "tamio": "affiliate-approved",
        },
    ),
    (
        "17 both at once, pending",
        both("pending"),
        "affiliate.created membership.requested",
        {
            "growi": "campaign_affiliate.pending",
            "affonso": "affiliate.created",
            "rewardful": "affiliate.created",
            "tamio": "affiliate-signup",
        },
    ),
    (
        "17 both at once, active",
        both("active"),
        "affiliate.created membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "rewardful": "affiliate.created",
            "insert_affiliate": "affiliate.created",
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    (
        "17 pending where everybody is taken",
        both("pending", auto=True),
        "affiliate.created membership.activated",
        {
            "growi": "campaign_affiliate.activated",
            "affonso": "affiliate.created",
            "rewardful": "affiliate.created",
            "insert_affiliate": "affiliate.created",
            "tamio": "affiliate-signup affiliate-approved",
        },
    ),
    ("18 add a promo code", add_code, "membership.updated", {"affonso": UPDATED}),
    ("18 change a promo code", change_code, "membership.updated", {"affonso": UPDATED}),
    ("18 take a promo code away", drop_code, "membership.updated", {"affonso": UPDATED}),
    (
        "19 erase",
        delete_person(active=1, erase=True),
        "membership.removed affiliate.deleted",
        {
            "growi": "campaign_affiliate.removed",
            "affonso": "affiliate.deleted",
            "rewardful": "affiliate.deleted",
            "insert_affiliate": "affiliate.deactivated",
            "tamio": "affiliate-removed",
        },
    ),
]


@pytest.mark.parametrize(("prepare", "types", "words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_action_makes_each_dialect_say_its_words(prepare, types, words):
    walk = Walk()
    act = prepare(walk)
    walk.news()
    act()
    happened, said = walk.news()
    assert happened == types.split()
    expected = {name: words.get(name, "").split() for name in said}
    assert said == {**expected, "standard": types.split()}


def test_campaign_words_are_said_only_where_they_are_asked_for_by_name():
    walk = Walk(event_types=["campaign.*", "affiliate.deleted"])
    program = walk.program()
    walk.house.act(programs.update, program.id, {"name": "Autumn"})
    walk.house.act(programs.delete, program.id, force=False)
    _, said = walk.news()
    assert said["rewardful"] == ["campaign.created", "campaign.updated", "campaign.deleted"]
    assert said["standard"] == []
    assert Walk(event_types=["*"]).program()
    everything = Walk(event_types=["*"])
    everything.program()
    assert everything.news()[1]["rewardful"] == []


def test_the_silence_of_every_endpoint_has_a_reason_on_record():
    walk = Walk()
    walk.program()
    event = walk.house.events()[-1]
    entry = walk.house.run(lambda tx: tx.log.get(walk.house.organization.id, event.id))
    spoken = {walk.endpoints["tamio"].id, walk.endpoints["standard"].id}
    assert set(entry.silences) == {endpoint.id for endpoint in walk.endpoints.values()} - spoken
    assert all(entry.silences.values())
