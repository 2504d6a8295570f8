"""Bounded heads, over real sockets to a real uvicorn."""

import asyncio

import pytest
import uvicorn

from affwire.cli import heads
from affwire.cli.heads import BoundedHeads


async def hello(scope, receive, send):
    body = b""
    more = True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"%05d" % len(body)})


def over_sockets(talk):
    async def run():
        config = uvicorn.Config(hello, port=0, http=BoundedHeads, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
        try:
            return await asyncio.wait_for(talk(reader, writer), 5)
        finally:
            writer.close()
            server.should_exit = True
            await serving

    return asyncio.run(run())


def asking(request):
    async def talk(reader, writer):
        writer.write(request)
        return (await reader.readline()).split()[1]

    return talk


def test_a_head_of_megabytes_is_refused_before_it_is_whole():
    assert over_sockets(asking(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 20_000)) == b"431"


def test_one_endless_header_is_refused_too():
    assert over_sockets(asking(b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 200_000)) == b"431"


@pytest.mark.parametrize("size", [0, 70_000, 900_000])
def test_a_body_is_no_head(size):
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size
    assert over_sockets(asking(head + bytes(size))) == b"200"


def test_requests_follow_each_other_on_a_connection():
    async def talk(reader, writer):
        found = []
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 40000\r\n\r\n" + bytes(40_000))
            head = await reader.readuntil(b"\r\n\r\n")
            found.append((head.split()[1], await reader.readexactly(5)))
        return found

    assert over_sockets(talk) == [(b"200", b"40000")] * 3


def test_a_head_that_never_ends_is_cut_in_time(monkeypatch):
    monkeypatch.setattr(heads, "HEAD_SECONDS_MAX", 0.1)

    async def talk(reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")
        return await reader.read()

    assert over_sockets(talk) == b""


def test_who_says_nothing_at_all_is_cut_too(monkeypatch):
    monkeypatch.setattr(heads, "HEAD_SECONDS_MAX", 0.1)

    async def talk(reader, _writer):
        return await reader.read()

    assert over_sockets(talk) == b""
