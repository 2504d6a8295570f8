"""libcurl's multi handle on the event loop: with epoll and without."""

import asyncio
import socket

import pytest
import uvloop
from receivers import House, post

from affwire.destinations import multi
from affwire.destinations.multi import Multi, Selected


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_without_epoll_requests_go_out_and_come_back_all_the_same(house: House, monkeypatch, factory) -> None:
    monkeypatch.setattr(multi, "_watched", Selected)

    async def scene() -> list[int | None]:
        async with house.receiver() as receiver, house.wire() as wire:
            url = f"https://r.test:{receiver.port}/"
            rounds = [await asyncio.gather(*(post(wire, url) for _ in range(10))) for _ in range(2)]
            return [outcome.response and outcome.response.status for outcomes in rounds for outcome in outcomes]

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(scene()) == [200] * 20


def test_a_selector_watches_what_epoll_would() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        watched = Selected()
        watched.register(ours.fileno(), 1)
        assert watched.poll(0, 9) == []
        theirs.send(b"x")
        assert watched.poll(0, 9) == [(ours.fileno(), 1)]
        watched.modify(ours.fileno(), 5)
        assert watched.poll(0, 9) == [(ours.fileno(), 5)]
        watched.unregister(ours.fileno())
        assert watched.poll(0, 9) == []
        watched.close()


def test_closing_twice_is_closing_once() -> None:
    async def scene() -> bool:
        handle = Multi(1)
        handle.close()
        handle.close()
        return handle.closed

    assert asyncio.run(scene())
