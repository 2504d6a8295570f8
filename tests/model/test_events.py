"""An event knows its request's leader and its own membership."""

import msgspec

from affwire.model.events import EVENT_TYPES, Event
from affwire.testing import events


def test_an_event_leads_its_request_or_it_does_not():
    assert events.event("affiliate.updated").leads
    assert not events.event("membership.activated", leads=False).leads


def test_an_events_own_membership_is_the_one_it_names():
    snapshot = events.snapshot(events.view(1), events.view(2))
    event = events.event("membership.updated", snapshot, membership_id=events.id_of("membership", 2))
    assert event.own == event.view(events.id_of("membership", 2)) == snapshot.memberships[1]
    assert event.view("mem_gone") is None
    assert events.event("affiliate.updated", snapshot).own is None
    assert events.event("program.created").own is None


def test_an_event_survives_its_json_and_its_place_is_not_part_of_it():
    event = events.event("membership.updated", events.snapshot(events.view(promo_codes=(events.promo_code(),))))
    document = msgspec.json.encode(event)
    assert msgspec.json.decode(document, type=Event) == event
    assert b'"position"' not in document


def test_what_only_a_newer_version_knows_of_an_event_does_not_keep_it_from_being_read():
    document = msgspec.to_builtins(events.event("membership.updated", events.snapshot(events.view())))
    told = {**document, "type": "membership.promoted", "actor": {"kind": "robot", "model": 2}, "mood": "fine"}
    told["snapshot"] = {**document["snapshot"], "weather": {"rain": True}}
    told["snapshot"]["affiliate"] = {**(document["snapshot"]["affiliate"] or {}), "status": "dormant"}
    read = msgspec.json.decode(msgspec.json.encode(told), type=Event)
    assert (read.type, read.actor.kind, read.snapshot.affiliate.status) == ("membership.promoted", "robot", "dormant")


def test_every_type_names_its_subject_and_has_a_meaning():
    for name, meaning in EVENT_TYPES.items():
        assert name.partition(".")[0] in {"program", "affiliate", "membership"}
        assert meaning.endswith(".")
