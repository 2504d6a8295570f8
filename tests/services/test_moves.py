"""Moves: who goes and who stays, a rehearsal that leaves nothing behind, and exactly what it had said."""

import pytest
from registry_walk import HOOKS

from affwire.errors import NotFound
from affwire.model.events import Actor
from affwire.services import affiliates, memberships, moves, programs
from affwire.services.actions import Caller
from affwire.services.moves import Rehearsed

NOBODY = "mem_00000000000000000000000000"


@pytest.fixture
def program(house):
    return house.act(programs.create, {"name": "Spring"})


@pytest.fixture
def join(house, program):
    """Returns a function: statuses one after the other -> the id of a new affiliate's membership."""
    made = []

    def joined(*statuses, tag=None):
        made.append(None)
        fields = {"email": f"m{len(made)}@example.org"}
        wish = {"status": statuses[0], "tag": tag}
        _, membership = house.act(affiliates.create, fields, program_id=program.id, membership=wish)
        for status in statuses[1:]:
            house.act(memberships.update, membership.id, {"status": status})
        return membership.id

    return joined


def planned(house, ids, deed, tag=None):
    return house.run(lambda tx: moves.plan(tx, house.organization.id, ids, deed, tag))


def carried_out(house, tx, plan, tag=None):
    caller = Caller(house.organization.id, Actor("user", "usr_1"))
    return moves.extent(tx, moves.carry_out(tx, caller, house.dialects, plan, tag))


def status(house, membership_id):
    return house.run(lambda tx: tx.registry.get(moves.Membership, house.organization.id, membership_id)).status


@pytest.mark.parametrize(
    ("deed", "going", "staying"),
    [
        (
            "activate",
            {
                "pending": "approve",
                "rejected": "approve",
                "left": "reactivate",
                "removed": "reactivate",
                "paused": "reactivate",
            },
            {"they are active already": 1},
        ),
        (
            "remove",
            {"pending": "remove", "active": "remove", "paused": "remove"},
            {"they are rejected": 1, "they are left": 1, "they are removed already": 1},
        ),
    ],
)
def test_only_legal_moves_go_and_the_others_say_why(house, join, deed, going, staying):
    ways = {
        "pending": ("pending",),
        "active": ("active",),
        "rejected": ("pending", "rejected"),
        "left": ("active", "left"),
        "removed": ("active", "removed"),
        "paused": ("active", "paused"),
    }
    ids = {name: join(*way) for name, way in ways.items()}
    plan = planned(house, list(ids.values()), deed)
    assert plan.going == {ids[name]: command for name, command in going.items()}
    assert plan.staying == staying


def test_one_of_another_organization_is_not_found(house, join):
    with pytest.raises(NotFound):
        planned(house, [join("active"), NOBODY], "remove")


def test_nobody_is_moved_in_a_deleted_program_but_tagged(house, join, program):
    left = join("active", "left")
    house.act(programs.delete, program.id, force=False)
    assert planned(house, [left], "activate").staying == {"their program was deleted": 1}
    assert planned(house, [left], "tag", "gold").going == {left: None}


def test_whoever_has_the_tag_already_stays(house, join):
    gold, plain = join("active", tag="gold"), join("active")
    plan = planned(house, [gold, plain, plain], "tag", "gold")
    assert (plan.going, plan.staying) == ({plain: None}, {"they have this tag already": 1})


def test_a_rehearsal_says_what_will_be_said_and_leaves_nothing_behind(house, join):
    standard = house.endpoint("standard", HOOKS)
    growi = house.endpoint("growi", HOOKS, paused=True)
    ids = [join("active"), join("pending")]
    plan = planned(house, ids, "remove")
    with house.changes_nothing(), pytest.raises(Rehearsed) as done:
        house.run(moves.rehearsed(lambda tx: carried_out(house, tx, plan)))
    said = done.value.result
    before = {one.id: len(house.deliveries(one)) for one in (standard, growi)}
    real = house.run(lambda tx: carried_out(house, tx, plan))
    assert said == real
    assert said.events == {"membership.removed": 2}
    assert [(one.endpoint.id, one.word, one.count) for one in said.told] == [
        (standard.id, "membership.removed", 2),
        (growi.id, "campaign_affiliate.removed", 2),
    ]
    assert said.told[1].waits is not None
    assert said.deliveries == sum(len(house.deliveries(one)) - before[one.id] for one in (standard, growi))
    assert {status(house, one) for one in ids} == {"removed"}


def test_each_move_is_a_request_of_its_own(house, join):
    plan = planned(house, [join("pending"), join("pending")], "activate")
    house.run(lambda tx: carried_out(house, tx, plan))
    events = [event for event in house.events() if event.type == "membership.activated"]
    assert len({event.cause.request_id for event in events}) == 2
    assert {event.actor for event in events} == {Actor("user", "usr_1")}
