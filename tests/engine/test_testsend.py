"""Test sends: a signed sample over the wire, and nothing on record."""

import asyncio
import base64
import hmac
import json
import random

import pytest
from registry_walk import judged

from affwire.engine import testsend
from affwire.errors import NotFound, Refused
from affwire.model.wire import Outcome, Response
from affwire.plugins import load_dialects
from affwire.services import endpoints
from affwire.testing.house import MemoryHouse
from affwire.testing.wire import FakeWire, answer


class Bench:
    def __init__(self, dialect="standard", said=None, **fields):
        self.house = MemoryHouse()
        self.wire = FakeWire(random.Random(1), self.house.clock)
        self.wire.scripts["a.example.com"] = lambda _rng, _before: (0, said or answer(200))
        wish = endpoints.Wish(url=judged("https://a.example.com/in"), **fields)
        self.endpoint, self.secret = self.house.run(
            lambda tx: endpoints.create(tx, self.house.organization, self.house.dialects, dialect, wish)
        )

    def send(self, word=None, endpoint_id=None):
        house = self.house
        return asyncio.run(
            testsend.send(
                house.store,
                self.wire,
                house.dialects,
                house.world,
                organization_id=house.organization.id,
                endpoint_id=endpoint_id or self.endpoint.id,
                word=word,
            )
        )


@pytest.mark.parametrize("dialect", load_dialects())
def test_every_dialects_first_word_can_be_tested(dialect):
    bench = Bench(dialect)
    told = bench.send()
    [arrival] = bench.wire.arrivals
    headers = dict(arrival.request.headers)
    assert headers["Affwire-Test"] == "1"
    assert headers["Content-Type"] == "application/json"
    card = bench.house.dialects[dialect].card
    assert card.authentication.header is None or card.authentication.kind == "bearer" or len(headers) > 2
    assert card.word(told["word"]) is not None
    assert isinstance(json.loads(arrival.request.body), dict)
    assert (told["outcome"], told["status_code"], told["error"]) == ("ok", 200, None)
    assert bench.house.deliveries(bench.endpoint) == []
    assert bench.house.events() == []


def test_the_sample_is_signed_with_the_endpoints_own_secret():
    bench = Bench()
    bench.send("membership.activated")
    [arrival] = bench.wire.arrivals
    headers, body = dict(arrival.request.headers), arrival.request.body
    key = base64.b64decode(bench.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert json.loads(body)["type"] == "membership.activated"


def test_the_owners_headers_go_along_and_are_masked_in_the_answer():
    bench = Bench(
        headers={"X-Key": "a-long-secret-value"}, said=Outcome(response=Response(500, (), b"a-long-secret-value"))
    )
    told = bench.send()
    assert dict(bench.wire.arrivals[0].request.headers)["X-Key"] == "a-long-secret-value"
    assert "a-long-secret-value" not in json.dumps(told)
    assert (told["outcome"], told["status_code"], told["error"]) == ("failed", 500, "status")


def test_a_failure_on_the_wire_is_the_answer():
    told = Bench(said=Outcome(error="dns", detail="no such name")).send()
    assert (told["outcome"], told["error"], told["detail"]) == ("failed", "dns", "no such name")


def test_a_paused_endpoint_is_tested_too():
    assert Bench(fields={"paused": True}).send()["outcome"] == "ok"


def test_an_unknown_word_or_endpoint_is_refused():
    bench = Bench("tamio")
    with pytest.raises(Refused) as refusal:
        bench.send("affiliate-married")
    assert refusal.value.code == "unknown_word"
    assert "affiliate-signup" in refusal.value.facts["known"]
    with pytest.raises(NotFound):
        bench.send(endpoint_id="ep_none")
    assert bench.wire.arrivals == []
