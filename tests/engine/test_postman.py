"""The postman hands mails to a real relay, on its own, and records what became of each."""

import asyncio

from applicants import URL, Applicants
from relays import Box, relay, wire

from affwire.engine.postman import Postman
from affwire.rules.mailing import LEASE_MS, SCHEDULE
from affwire.services import mail
from affwire.testing.house import MemoryHouse


def applied(count=1):
    house = MemoryHouse()
    people = Applicants(house)
    for number in range(count):
        people.apply(f"ada{number}@example.com", origin=f"203.0.113.{number}")
    return house, people


def rounds(house, tmp_path, box, count=1):
    async def scene():
        async with relay(box) as port, wire(port, tmp_path) as sending:
            postman = Postman(house.store, sending, house.world, public_url=URL)
            return [await postman.round() for _ in range(count)]

    return asyncio.run(scene())


def test_every_mail_that_is_due_is_sent_once(tmp_path):
    house, people = applied(7)
    box = Box()
    assert rounds(house, tmp_path, box, 2) == [7, 0]
    assert sorted(to for _, (to,), _, _ in box.envelopes) == [f"ada{number}@example.com" for number in range(7)]
    assert {one.status for one in people.mails()} == {"sent"}


def test_the_link_that_arrived_confirms_the_address(tmp_path):
    house, people = applied()
    box = Box()
    rounds(house, tmp_path, box)
    text = box.letters[0].get_body(("plain",)).get_content()
    [url] = [line.strip() for line in text.splitlines() if line.startswith(f"{URL}/confirm/")]
    assert people.use("confirm", url.removeprefix(f"{URL}/confirm/")).affiliate.confirmed_at is not None


def test_a_refused_address_ends_and_a_busy_relay_is_asked_again(tmp_path):
    house, people = applied()
    rounds(house, tmp_path, Box(data="451 later"))
    house.clock.advance(round(SCHEDULE[0] * 1000))
    rounds(house, tmp_path, Box(rcpt="550 nobody here"))
    [one] = people.mails()
    assert (one.status, one.attempts) == ("failed", 2)
    assert "550" in one.reason


def test_a_mail_whose_sender_was_killed_goes_out_after_its_lease(tmp_path):
    house, people = applied()
    house.run(lambda tx: mail.claim(tx, URL))  # and then kill -9
    assert rounds(house, tmp_path, Box()) == [0]
    house.clock.advance(LEASE_MS)
    assert rounds(house, tmp_path, Box()) == [0]
    house.clock.advance(round(SCHEDULE[0] * 1000))
    box = Box()
    assert rounds(house, tmp_path, box) == [1]
    assert len(box.letters) == 1
    assert [one.status for one in people.mails()] == ["sent"]


def test_it_sends_what_is_written_while_it_runs_and_ends_after_what_it_began(tmp_path):
    house, people = applied(0)
    box = Box()

    async def scene():
        async with relay(box) as port, wire(port, tmp_path) as sending:
            postman = Postman(house.store, sending, house.world, public_url=URL, poll_ms=10)
            running = asyncio.create_task(postman.run())
            await asyncio.sleep(0)
            people.apply("ada@example.com")
            await asyncio.wait_for(box.arrived.wait(), 5)
            await postman.stop()
            await running

    asyncio.run(scene())
    assert [letter["To"] for letter in box.letters] == ["ada@example.com"]
    assert [one.status for one in people.mails()] == ["sent"]
