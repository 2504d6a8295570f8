"""Intake: every kind of message ends in a status with a reason, in both modes, and is settled with what it changed."""

import pytest
from inflow import Platform
from registry_walk import HOOKS

from affwire.dialects.base import load_samples
from affwire.errors import Conflict
from affwire.model.events import EVENT_TYPES
from affwire.plugins import load_dialects
from affwire.services import intake
from affwire.testing.house import MemoryHouse

DIALECTS = load_dialects()
SAMPLES = [(name, word) for name, dialect in DIALECTS.items() for word in load_samples(type(dialect).__module__)]


@pytest.fixture
def house():
    house = MemoryHouse()
    house.clock.advance(400 * 24 * 3_600_000)
    for name in DIALECTS:
        house.endpoint(name, HOOKS)
    return house


@pytest.mark.parametrize("mode", ["mirror", "relay"])
@pytest.mark.parametrize(("name", "word"), SAMPLES)
def test_every_sample_is_carried_out(house, name, word, mode):
    message = Platform(house, name, mode=mode).send(word)
    assert message.status in {"applied", "unchanged"}, message.reason
    assert message.word == word
    assert message.settled_at == house.clock.now()
    assert (message.status == "unchanged") <= bool(message.reason)
    events = house.events()
    assert message.events == [event.id for event in events]
    assert {event.type for event in events} <= set(EVENT_TYPES)
    unsaid = [event for event in events if event.actor.kind != "source"]
    assert not unsaid, "whatever a message does is the source's doing"


@pytest.mark.parametrize("mode", ["mirror", "relay"])
@pytest.mark.parametrize(("name", "word"), SAMPLES)
def test_a_message_that_was_settled_is_not_carried_out_again(house, name, word, mode):
    platform = Platform(house, name, mode=mode)
    message = platform.send(word)
    before = house.events()
    with pytest.raises(Conflict):
        house.run(lambda tx: intake.process(tx, house.dialects, message))
    assert house.events() == before


@pytest.mark.parametrize("mode", ["mirror", "relay"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"nothing", b'"\\ud800"', b"\xff\xfe", b'{"event": 5}'])
@pytest.mark.parametrize("name", list(DIALECTS))
def test_garbage_is_parked_with_a_reason_and_changes_nothing(house, name, body, mode):
    message = Platform(house, name, mode=mode).bring(body)
    assert (message.status, house.events()) == ("parked", [])
    assert message.reason
    assert message.reason.endswith("]"), "the reason has a code"


def test_a_dialect_that_is_not_installed_any_more_parks_what_comes(house):
    platform = Platform(house, "growi")
    message = platform.send("campaign_affiliate.activated", hops=5)
    assert message.status == "unchanged"
    house.dialects = {name: dialect for name, dialect in house.dialects.items() if name != "growi"}
    parked = platform.bring(message.body)
    assert (parked.status, "is not installed" in parked.reason) == ("parked", True)
