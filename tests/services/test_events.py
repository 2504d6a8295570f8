"""The waist: what is in the log, and who is told or why not."""

import pytest
from registry_walk import HOOKS

from affwire.dialects.base import Saying
from affwire.errors import Broken
from affwire.model.events import leader
from affwire.services import affiliates, endpoints, events, health, memberships, programs


@pytest.mark.parametrize(
    ("types", "place"),
    [
        (["membership.activated"], 0),
        (["affiliate.created", "membership.activated"], 0),
        (["membership.removed", "membership.removed", "affiliate.deleted"], 2),
        (["membership.updated", "affiliate.updated"], 1),
        (["membership.requested", "membership.updated"], 0),
    ],
)
def test_what_the_affiliates_own_event_is_leads_its_request(types, place):
    assert leader(types) == place


def test_sequences_have_no_gaps_whatever_is_refused_in_between(house):
    program = house.act(programs.create, {"name": "A"})
    kim, membership = house.act(affiliates.create, {"email": "k@example.org"}, program_id=program.id)
    for _ in range(3):
        with house.refuses("illegal_transition"):
            house.act(memberships.update, membership.id, {"status": "pending"})
        house.act(memberships.update, membership.id, {"status": "paused"})
        house.act(memberships.update, membership.id, {"status": "active"})
    house.act(affiliates.delete, kim.id)
    story = [event for event in house.events() if event.subject_id == kim.id]
    assert [event.sequence for event in story] == list(range(1, len(story) + 1))
    assert [event.position for event in house.events()] == list(range(1, len(house.events()) + 1))


def test_the_events_of_one_request_share_cause_time_and_snapshot(house):
    program = house.act(programs.create, {"name": "A"})
    house.act(affiliates.create, {"email": "k@example.org"}, program_id=program.id)
    created, activated = house.events()[-2:]
    assert created.cause == activated.cause
    assert (created.leads, activated.leads) == (True, False)
    assert (created.cause.event_id, created.cause.event_type) == (created.id, "affiliate.created")
    assert created.occurred_at == activated.occurred_at
    assert created.snapshot == activated.snapshot
    assert (created.standing_before, created.standing_after) == (False, True)


def test_a_subject_that_is_not_there_is_our_own_fault(house):
    def act(action):
        action.say("program.updated", {}, program_id="prg_gone")

    with pytest.raises(Broken, match="subject_missing"):
        house.act(act)


def test_each_endpoint_is_told_or_the_log_says_why_not(house):
    told = house.endpoint("standard", HOOKS)
    filtered = house.endpoint("standard", HOOKS, event_types=["membership.*"])
    disabled = house.endpoint("standard", HOOKS, enabled=False)
    wordless = house.endpoint("growi", HOOKS)
    foreign = house.endpoint("tamio", HOOKS)
    deleted = house.endpoint("standard", HOOKS)
    house.run(lambda tx: endpoints.delete(tx, house.organization, deleted.id))
    house.dialects = {name: dialect for name, dialect in house.dialects.items() if name != "tamio"}
    house.act(programs.create, {"name": "A"})
    [event] = house.events()
    entry = house.run(lambda tx: tx.log.get(house.organization.id, event.id))
    assert entry.silences == {
        filtered.id: events.FILTERED,
        disabled.id: "the endpoint is disabled by its owner",
        wordless.id: "no word in this dialect",
        foreign.id: "the dialect 'tamio' is not installed",
    }
    assert [(row.endpoint_id, row.word) for row in house.run(lambda tx: tx.outbox.of_event(event.id))] == [
        (told.id, "program.created")
    ]


@pytest.mark.parametrize("event_types", [[], ["*"], ["affiliate.*"]])
def test_a_word_that_was_never_asked_for_is_no_matter_of_a_filter(house, event_types):
    endpoint = house.endpoint("rewardful", HOOKS, event_types=event_types)
    house.act(programs.create, {"name": "A"})
    [event] = house.events()
    entry = house.run(lambda tx: tx.log.get(house.organization.id, event.id))
    assert entry.silences == {endpoint.id: "said only to endpoints that ask for it by name"}


def test_one_without_an_address_is_told_apart(house):
    endpoint = house.endpoint("insert_affiliate", HOOKS)
    house.act(affiliates.create, {"email": None})
    [event] = house.events()
    entry = house.run(lambda tx: tx.log.get(house.organization.id, event.id))
    assert entry.silences == {endpoint.id: "no e-mail"}


def test_an_endpoint_that_must_wait_gets_its_deliveries_held_with_the_reason(house):
    paused = house.endpoint("standard", HOOKS, paused=True)
    gone = house.endpoint("standard", HOOKS)
    house.run(lambda tx: health.disabled(tx, house.dialects, gone, "410"))
    house.act(programs.create, {"name": "A"})
    assert [(row.status, row.reason) for row in house.deliveries(paused)] == [("held", "the endpoint is paused")]
    assert [(row.status, row.reason) for row in house.deliveries(gone)] == [("held", "410")]


def test_a_lane_is_given_on_ordered_endpoints_alone_and_only_its_head_is_due(house):
    plain = house.endpoint("tamio", HOOKS)
    ordered = house.endpoint("tamio", HOOKS, policy={"ordering": "affiliate"})
    program = house.act(programs.create, {"name": "A"})
    kim = house.act(affiliates.create, {"email": "k@example.org"}, program_id=program.id)[0]
    assert [row.lane for row in house.deliveries(plain)] == [None] * 3
    assert [(row.lane, row.due_at is None, row.word) for row in house.deliveries(ordered)] == [
        (program.id, False, "affiliate-program-created"),
        (kim.id, False, "affiliate-signup"),
        (kim.id, True, "affiliate-approved"),
    ]


class Faulty:
    """A dialect from elsewhere with a fault in it."""

    def __init__(self, card):
        self.card = card

    def says(self, event):
        raise KeyError(event.snapshot.affiliate.email)

    def silence(self, event):
        raise KeyError


def test_a_dialect_with_a_fault_stops_neither_the_registry_nor_the_others(house):
    faulty, healthy = house.endpoint("tamio", HOOKS), house.endpoint("standard", HOOKS)
    house.dialects = {**house.dialects, "tamio": Faulty(house.dialects["tamio"].card)}
    house.act(affiliates.create, {"email": "kim@example.org"})
    assert len(house.deliveries(healthy)) == 1
    [event] = house.events()
    entry = house.run(lambda tx: tx.log.get(house.organization.id, event.id))
    assert entry.silences == {faulty.id: "the dialect 'tamio' could not read this event (KeyError)"}


def test_a_saying_that_a_dialect_returns_twice_is_one_delivery(house):
    class Stutterer(Faulty):
        def says(self, event):
            return (Saying("word", event.subject_id),) * 2

    endpoint = house.endpoint("tamio", HOOKS)
    house.dialects = {**house.dialects, "tamio": Stutterer(house.dialects["tamio"].card)}
    house.act(affiliates.create, {"email": "kim@example.org"})
    assert [row.word for row in house.deliveries(endpoint)] == ["word"]
