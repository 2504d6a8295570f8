"""Wording: what is said to everybody alike is rendered once, what is not is rendered for each."""

import pytest
from msgspec import structs
from registry_walk import judged

from affwire.dialects.base import Dialect
from affwire.engine.wording import KEPT_MAX, KEPT_MS, Wording
from affwire.errors import Unencodable
from affwire.services import deliveries, programs
from affwire.services.deliveries import Claim
from affwire.testing.house import MemoryHouse


class Counting:
    """A dialect that counts how often it renders."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.rendered = 0

    def __getattr__(self, name):
        return getattr(self._dialect, name)

    def request(self, *args):
        self.rendered += 1
        return self._dialect.request(*args)


@pytest.fixture
def house() -> MemoryHouse:
    return MemoryHouse()


def claims(house: MemoryHouse, *receivers: tuple[str, dict], events: int = 1) -> tuple[Claim, ...]:
    for number, (dialect, fields) in enumerate(receivers):
        house.endpoint(dialect, judged(f"https://r{number}.example.com/in"), **fields)
    for number in range(events):
        house.act(programs.create, {"name": f"P{number}"})
    everything = house.run(
        lambda tx: deliveries.claim(tx, house.dialects, worker="w", limit=99, room=lambda _endpoint, _policy, _busy: 99)
    )
    return everything.claims


@pytest.mark.parametrize(("dialect", "times"), [("standard", 2), ("tamio", 6)])
def test_a_body_is_rendered_once_per_event_where_the_card_says_that_it_is_shared(house, dialect, times):
    counting = Counting(house.dialects[dialect])
    wording = Wording({dialect: counting})
    made = claims(house, *[(dialect, {})] * 3, events=2)
    requests = [wording.request(claim) for claim in made]
    assert counting.rendered == times
    for claim, request in zip(made, requests, strict=True):
        alone = Wording(house.dialects).request(claim)
        assert request == alone
        assert request.url == claim.endpoint.url
    assert len({request.headers for request in requests}) == len(made)


def test_each_endpoint_gets_its_own_headers_with_a_shared_body(house):
    made = claims(house, ("standard", {}), ("standard", {}))
    wording = Wording(house.dialects)
    one, two = (wording.request(claim) for claim in made)
    assert one.body is two.body
    assert dict(one.headers)["webhook-signature"] != dict(two.headers)["webhook-signature"]


def test_what_cannot_be_said_any_more_is_refused_for_every_endpoint(house):
    class Silent(Counting):
        def says(self, event):
            return ()

    wording = Wording({"standard": Silent(house.dialects["standard"])})
    for claim in claims(house, ("standard", {}), ("standard", {})):
        with pytest.raises(Unencodable, match="does not say"):
            wording.request(claim)


def test_an_event_that_was_changed_meanwhile_is_said_as_it_is_now(house):
    counting = Counting(house.dialects["standard"])
    wording = Wording({"standard": counting})
    [claim] = claims(house, ("standard", {}))
    program = structs.replace(claim.event.snapshot.program, name="Erased")
    changed = structs.replace(claim.event, snapshot=structs.replace(claim.event.snapshot, program=program))
    assert b"Erased" not in wording.request(claim).body
    assert b"Erased" in wording.request(structs.replace(claim, event=changed)).body
    assert counting.rendered == 2


@pytest.mark.parametrize(("later_ms", "times"), [(KEPT_MS, 1), (KEPT_MS + 1, 2), (-1, 2)])
def test_a_body_is_kept_for_a_second_and_not_where_the_clock_was_set_back(house, later_ms, times):
    counting = Counting(house.dialects["standard"])
    wording = Wording({"standard": counting})
    [claim] = claims(house, ("standard", {}))
    later = structs.replace(claim, attempt=structs.replace(claim.attempt, at=claim.attempt.at + later_ms))
    assert wording.request(claim).body == wording.request(later).body
    assert counting.rendered == times


def test_what_is_forgotten_is_rendered_anew(house):
    counting = Counting(house.dialects["standard"])
    wording = Wording({"standard": counting})
    [claim] = claims(house, ("standard", {}))
    wording.request(claim)
    wording.forget()
    wording.request(claim)
    assert counting.rendered == 2


def test_no_more_bodies_are_kept_than_the_limit(house):
    counting = Counting(house.dialects["standard"])
    wording = Wording({"standard": counting})
    [claim] = claims(house, ("standard", {}))
    for number in range(KEPT_MAX + 1):
        delivery = structs.replace(claim.delivery, event_id=f"evt_{number}")
        wording.request(structs.replace(claim, delivery=delivery))
    assert len(wording._bodies) == KEPT_MAX
