"""The sending client against receivers of every temper, on real sockets and real TLS."""

import asyncio
import gc
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop
from receivers import OK, House, Names, limits, listening, post

from affwire.destinations.guard import Guard, Rules
from affwire.destinations.http import HttpWire
from affwire.model.wire import Outcome, Request

MIB = 1 << 20


def answering(house: House, *answers: Any, **changes: Any) -> Outcome:
    """Return the outcome of one request to a receiver that gives these answers."""

    async def scene() -> Outcome:
        async with house.receiver(*answers) as receiver, house.wire() as wire:
            return await post(wire, f"https://r.test:{receiver.port}/in", **changes)

    return asyncio.run(scene())


def never(seconds: float = 30.0) -> Any:
    """A script that holds the connection and says nothing."""

    async def script(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)

    return script


def dripping(data: bytes, pause_s: float = 0.02) -> Any:
    """A script that says one byte at a time."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause_s)

    return script


def flooding(start: bytes, piece: bytes) -> Any:
    """A script that never stops talking."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()

    return script


def saying_then_closing(data: bytes) -> Any:
    """A script that ends the connection after what it said."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return script


async def resetting(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A script that sends complete headers and half a body, then resets."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.transport.abort()


def open_descriptors() -> int:
    """Return how many files and sockets this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


# What leaves the house


def test_a_request_leaves_as_it_was_made(house: House) -> None:
    async def scene() -> tuple[bytes, bytes, str]:
        async with house.receiver() as receiver, house.wire() as wire:
            headers = [("Content-Type", "application/json"), ("X-Empty", ""), ("webhook-id", "msg_1")]
            await post(wire, f"https://R.test:{receiver.port}/a/../b?x=%2F#part", headers, b'{"a":1}')
            return *receiver.requests[0], str(receiver.port)

    head, body, port = asyncio.run(scene())
    assert head.decode().split("\r\n")[:-2] == [
        "POST /a/../b?x=%2F HTTP/1.1",
        f"Host: r.test:{port}",
        "User-Agent: affwire/0.1.0",
        "Content-Type: application/json",
        "X-Empty:",
        "webhook-id: msg_1",
        "Content-Length: 7",
    ]
    assert body == b'{"a":1}'


def test_an_empty_body_and_a_large_one_carry_a_content_length(house: House) -> None:
    async def scene() -> list[tuple[bytes, bytes]]:
        async with house.receiver() as receiver, house.wire() as wire:
            for body in (b"", b"x" * (2 * MIB), b"\0\xff"):
                assert (await post(wire, f"https://r.test:{receiver.port}/", body=body)).response
            return receiver.requests

    sent = asyncio.run(scene())
    assert [len(body) for _, body in sent] == [0, 2 * MIB, 2]
    assert all(b"Transfer-Encoding" not in head and b"Expect" not in head for head, _ in sent)
    assert all(b"Content-Type" not in head and b"Accept" not in head for head, _ in sent)


def test_an_own_user_agent_replaces_ours(house: House) -> None:
    async def scene() -> bytes:
        async with house.receiver() as receiver, house.wire() as wire:
            await post(wire, f"https://r.test:{receiver.port}/", [("User-Agent", "Growi")])
            return receiver.requests[0][0]

    assert asyncio.run(scene()).count(b"User-Agent: Growi\r\n") == 1


@pytest.mark.parametrize(
    "header",
    [
        ("X", "a\r\nHost: evil"),
        ("X", "a\nb"),
        ("X\r\nY", "v"),
        ("X", "\0"),
        ("X", "é"),
        ("Host", "h"),
        ("content-length", "1"),
    ],
)
def test_a_header_that_would_frame_or_break_the_request_is_never_sent(house: House, header: tuple[str, str]) -> None:
    async def scene() -> tuple[Outcome, int]:
        async with house.receiver() as receiver, house.wire() as wire:
            outcome = await post(wire, f"https://r.test:{receiver.port}/", [header])
            return outcome, receiver.connections

    outcome, connections = asyncio.run(scene())
    assert (outcome.error, outcome.response, connections) == ("encode", None, 0)


def test_the_environments_proxy_is_not_asked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert answering(house, OK).response is not None


def test_a_netrc_file_is_not_read(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / ".netrc").write_text("default login user password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    async def scene() -> bytes:
        async with house.receiver() as receiver, house.wire() as wire:
            await post(wire, f"https://r.test:{receiver.port}/")
            return receiver.requests[0][0]

    assert b"authorization" not in asyncio.run(scene()).lower()


def test_plain_http_works_where_the_operator_opened_it(house: House) -> None:
    async def scene() -> Outcome:
        async with house.receiver(tls=False) as receiver, house.wire(http=True) as wire:
            return await post(wire, f"http://127.0.0.1:{receiver.port}/")

    outcome = asyncio.run(scene())
    assert outcome.response
    assert outcome.timings.tls_ms is None


# What comes back


def test_a_success_carries_status_headers_body_and_timings(house: House) -> None:
    outcome = answering(house, b"HTTP/1.1 201 Created\r\nX-A:  b \r\nSet-Cookie: c\r\nContent-Length: 4\r\n\r\nbody")
    assert outcome.error is None
    assert outcome.response
    assert (outcome.response.status, outcome.response.body, outcome.response.truncated) == (201, b"body", False)
    assert outcome.response.headers == (("X-A", "b"), ("Set-Cookie", "c"), ("Content-Length", "4"))
    timings = outcome.timings
    assert None not in (timings.dns_ms, timings.connect_ms, timings.tls_ms, timings.first_byte_ms)
    assert timings.total_ms
    assert timings.tls_ms
    assert 0 < timings.tls_ms < timings.total_ms


@pytest.mark.parametrize("status", [204, 302, 404, 410, 429, 500, 503])
def test_any_complete_answer_is_a_response_not_an_error(house: House, status: int) -> None:
    outcome = answering(house, f"HTTP/1.1 {status} Word\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n".encode())
    assert outcome.response
    assert outcome.response.status == status
    assert outcome.response.header("retry-after") == "7"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(house: House, status: int) -> None:
    async def scene() -> tuple[Outcome, int]:
        async with house.receiver() as second:
            to = f"https://127.0.0.1:{second.port}/"
            answer = (
                f"HTTP/1.1 {status} R\r\nLocation: {to}\r\nRefresh: 0;url={to}\r\nContent-Length: 0\r\n\r\n".encode()
            )
            async with house.receiver(answer) as first, house.wire() as wire:
                return await post(wire, f"https://r.test:{first.port}/"), second.connections

    outcome, connections = asyncio.run(scene())
    assert outcome.response
    assert (outcome.response.status, connections) == (status, 0)


def test_alt_svc_is_ignored(house: House) -> None:
    async def scene() -> tuple[int, int]:
        async with house.receiver() as second:
            answer = (
                f'HTTP/1.1 200 OK\r\nAlt-Svc: h2=":{second.port}", h3=":{second.port}"\r\nContent-Length: 0\r\n\r\n'
            )
            async with house.receiver(answer.encode()) as first, house.wire() as wire:
                for _ in range(3):
                    await post(wire, f"https://r.test:{first.port}/")
                return len(first.requests), second.connections

    assert asyncio.run(scene()) == (3, 0)


def test_a_body_is_kept_to_its_limit_and_marked(house: House) -> None:
    outcome = answering(house, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100, response_bytes_kept=10)
    assert outcome.response
    assert (outcome.response.body, outcome.response.truncated) == (b"x" * 10, True)


def test_an_endless_body_is_cut_and_its_status_counts(house: House) -> None:
    outcome = answering(house, flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536))
    assert outcome.response
    assert (outcome.response.status, len(outcome.response.body), outcome.response.truncated) == (200, 65_536, True)


@pytest.mark.slow
@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", b""])
def test_endless_headers_are_cut_and_are_no_answer(house: House, start: bytes) -> None:
    piece = b"X-Header: filler\r\n" if start else b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    outcome = answering(house, flooding(start, piece))
    assert (outcome.error, outcome.response) == ("protocol", None)
    assert outcome.detail == "The answer's headers are larger than 65536 bytes."


@pytest.mark.parametrize("size", [70_000, 200_000])
def test_one_header_that_is_too_long_is_told_without_libcurls_internals(house: House, size: int) -> None:
    outcome = answering(house, b"HTTP/1.1 200 OK\r\nX: " + b"a" * size + b"\r\n\r\n")
    assert (outcome.error, outcome.detail) == ("protocol", "The answer's headers are larger than 65536 bytes.")


def test_interim_answers_are_passed_over(house: House) -> None:
    outcome = answering(house, b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Hints\r\nY: 2\r\n\r\n" + OK)
    assert outcome.response
    assert outcome.response.headers == (("Content-Length", "2"),)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate, gzip"])
def test_a_compressed_body_is_kept_as_it_came(house: House, coding: str) -> None:
    answer = (
        f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 4\r\n\r\n".encode() + b"\x1f\x8b\x08\x00"
    )
    outcome = answering(house, answer)
    assert outcome.response
    assert outcome.response.body == b"\x1f\x8b\x08\x00"


@pytest.mark.parametrize(
    "script",
    [
        resetting,
        saying_then_closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        saying_then_closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        saying_then_closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
    ],
)
def test_what_goes_wrong_after_complete_headers_does_not_undo_the_status(house: House, script: Any) -> None:
    outcome = answering(house, script)
    assert outcome.response
    assert (outcome.response.status, outcome.response.truncated) == (200, True)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nX: 1\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"<html>not http</html>",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_anything_short_of_complete_headers_is_a_protocol_error(house: House, said: bytes) -> None:
    outcome = answering(house, saying_then_closing(said))
    assert (outcome.error, outcome.response) == ("protocol", None)
    assert outcome.detail


# Deadlines


def test_a_receiver_that_never_answers_meets_the_read_deadline(house: House) -> None:
    outcome = answering(house, never(), read_ms=80, total_ms=2_000)
    assert outcome.error == "timeout_read"
    assert outcome.timings.total_ms
    assert 80 <= outcome.timings.total_ms < 500


@pytest.mark.slow
def test_the_read_deadline_counts_from_the_last_byte_sent(house: House) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while left:
            left -= len(await reader.read(400_000))
            await asyncio.sleep(0.003)
        writer.write(OK)
        await writer.drain()

    async def scene() -> Outcome:
        async with listening(serve) as port, house.wire(http=True) as wire:
            return await post(wire, f"http://127.0.0.1:{port}/", body=b"x" * (24 * MIB), read_ms=100)

    outcome = asyncio.run(scene())
    assert outcome.response
    assert outcome.timings.total_ms
    assert outcome.timings.total_ms > 100


def test_headers_that_drip_are_ended_by_the_total_deadline(house: House) -> None:
    outcome = answering(house, dripping(OK), total_ms=150)
    assert (outcome.error, outcome.response) == ("timeout_total", None)
    assert outcome.timings.total_ms
    assert 145 <= outcome.timings.total_ms < 600


def test_a_body_that_drips_is_ended_by_the_total_deadline_and_the_status_counts(house: House) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n")
        await dripping(b"x" * 1000)(reader, writer)

    outcome = answering(house, script, total_ms=150)
    assert outcome.response
    assert (outcome.response.status, outcome.response.truncated) == (202, True)
    assert outcome.timings.total_ms
    assert outcome.timings.total_ms < 600


def test_a_handshake_that_never_ends_meets_the_connect_deadline(house: House) -> None:
    async def scene() -> Outcome:
        async with listening(never()) as port, house.wire() as wire:
            return await post(wire, f"https://127.0.0.1:{port}/", connect_ms=80)

    assert asyncio.run(scene()).error == "timeout_connect"


def test_the_lookup_counts_towards_the_total_deadline(house: House, ca_file: Any) -> None:
    del house

    class Slow(Names):
        def remembered(self, host: str) -> None:
            """Every name is looked up."""

        async def lookup(self, host: str, timeout_ms: int) -> tuple[Any, ...]:
            await asyncio.sleep(timeout_ms / 1000)
            return await super().lookup(host, timeout_ms)

    async def scene() -> Outcome:
        wire = HttpWire(Guard(Rules(), Slow({})), ca_file)
        outcome = await post(wire, "https://slow.example.com/", total_ms=60)
        await wire.close()
        return outcome

    outcome = asyncio.run(scene())
    assert outcome.error == "dns"
    assert outcome.timings.total_ms
    assert outcome.timings.total_ms < 300


# TLS and connections


def test_a_certificate_of_an_unknown_authority_is_a_tls_error(house: House) -> None:
    async def scene() -> Outcome:
        async with house.receiver(tls=house.tls("r.test", authority=trustme.CA())) as receiver, house.wire() as wire:
            return await post(wire, f"https://r.test:{receiver.port}/")

    outcome = asyncio.run(scene())
    assert outcome.error == "tls"
    assert "certificate" in outcome.detail


def test_a_certificate_for_another_name_is_a_tls_error(house: House) -> None:
    async def scene() -> Outcome:
        async with house.receiver(tls=house.tls("other.test")) as receiver, house.wire() as wire:
            return await post(wire, f"https://r.test:{receiver.port}/")

    assert asyncio.run(scene()).error == "tls"


def test_plain_http_behind_https_is_a_tls_error(house: House) -> None:
    async def scene() -> Outcome:
        async with listening(saying_then_closing(OK)) as port, house.wire() as wire:
            return await post(wire, f"https://127.0.0.1:{port}/")

    assert asyncio.run(scene()).error == "tls"


def test_tls_below_1_2_is_not_spoken(house: House) -> None:
    async def scene() -> Outcome:
        context = house.tls()
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="deprecated"):
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
        async with house.receiver(tls=context) as receiver, house.wire() as wire:
            return await post(wire, f"https://r.test:{receiver.port}/")

    assert asyncio.run(scene()).error == "tls"


def test_nobody_listening_is_a_connect_error(house: House) -> None:
    async def scene() -> Outcome:
        async with house.receiver() as receiver:
            port = receiver.port
        async with house.wire() as wire:
            return await post(wire, f"https://127.0.0.3:{port}/")

    outcome = asyncio.run(scene())
    assert outcome.error == "connect"
    assert outcome.timings.first_byte_ms is None


def test_a_name_without_an_address_is_a_dns_error(house: House) -> None:
    async def scene() -> Outcome:
        async with house.wire() as wire:
            return await post(wire, "https://nowhere.example.com/")

    outcome = asyncio.run(scene())
    assert outcome.error == "dns"
    assert outcome.timings.dns_ms is not None


def test_the_next_address_is_tried_when_one_refuses(house: House) -> None:
    async def scene() -> Outcome:
        names = {"two.test": ["127.0.0.9", "127.0.0.1"]}
        async with house.receiver(tls=house.tls("two.test")) as receiver, house.wire(names) as wire:
            return await post(wire, f"https://two.test:{receiver.port}/")

    assert asyncio.run(scene()).response


def test_connections_are_kept_and_used_again(house: House) -> None:
    async def scene() -> tuple[int, Outcome, int]:
        async with house.receiver() as receiver, house.wire() as wire:
            for _ in range(5):
                outcome = await post(wire, f"https://r.test:{receiver.port}/")
            return receiver.connections, outcome, wire.resent

    connections, outcome, resent = asyncio.run(scene())
    assert (connections, resent) == (1, 0)
    assert outcome.timings.connect_ms is None


@pytest.mark.parametrize("tls", [True, False])
def test_connections_that_closed_while_idle_cost_nothing(house: House, *, tls: bool) -> None:
    async def scene() -> tuple[list[bool], int]:
        async with house.receiver(saying_then_closing(OK), tls=tls) as receiver, house.wire(http=True) as wire:
            url = f"http{'s' if tls else ''}://r.test:{receiver.port}/"
            outcomes = await asyncio.gather(*(post(wire, url) for _ in range(8)))
            await asyncio.sleep(0.05)
            outcomes += [await post(wire, url) for _ in range(8)]
            return [outcome.response is not None for outcome in outcomes], len(receiver.requests)

    assert asyncio.run(scene()) == ([True] * 16, 16)


def test_a_request_lost_on_a_kept_connection_is_sent_once_more_and_counted(house: House) -> None:
    async def scene() -> tuple[Outcome, int, int]:
        async with house.receiver(OK, saying_then_closing(b"")) as receiver, house.wire() as wire:
            url = f"https://r.test:{receiver.port}/"
            await post(wire, url)
            return await post(wire, url), len(receiver.requests), wire.resent

    outcome, requests, resent = asyncio.run(scene())
    assert outcome.response
    assert "twice" in outcome.detail
    assert (requests, resent) == (3, 1)


def test_a_request_is_never_sent_a_third_time(house: House) -> None:
    async def scene() -> tuple[Outcome, list[bytes]]:
        lost = saying_then_closing(b"")
        async with house.receiver(OK, lost) as receiver, house.wire() as wire:
            url = f"https://r.test:{receiver.port}/"
            await asyncio.gather(*(post(wire, url) for _ in range(4)))
            receiver.answers = [lost]
            outcome = await post(wire, url, body=b"last")
            return outcome, [body for _, body in receiver.requests]

    outcome, bodies = asyncio.run(scene())
    assert outcome.error == "protocol"
    assert bodies.count(b"last") == 2


def test_no_more_than_the_allowed_connections_are_opened(ca_file: Any, house: House) -> None:
    async def scene() -> tuple[int, int]:
        async with house.receiver() as receiver:
            wire = HttpWire(
                Guard(Rules.parse("127.0.0.0/8"), Names({"r.test": ["127.0.0.1"]})), ca_file, connections_max=4
            )
            outcomes = await asyncio.gather(*(post(wire, f"https://r.test:{receiver.port}/") for _ in range(40)))
            await wire.close()
            return receiver.connections, sum(bool(outcome.response) for outcome in outcomes)

    connections, answered = asyncio.run(scene())
    assert answered == 40
    assert connections <= 4


# The guard at dial time


def test_a_refused_address_is_never_dialled(house: House) -> None:
    async def scene() -> tuple[Outcome, int]:
        names = {"in.example.com": ["127.0.0.1"]}
        async with house.receiver() as receiver, house.wire(names, networks="127.0.0.9/32") as wire:
            return await post(wire, f"https://in.example.com:{receiver.port}/"), receiver.connections

    outcome, connections = asyncio.run(scene())
    assert (outcome.error, connections) == ("refused_by_guard", 0)
    assert "127" not in outcome.detail


def test_a_url_that_may_not_be_dialled_any_more_is_refused_at_send(house: House) -> None:
    async def scene() -> list[str | None]:
        async with house.wire() as wire:
            urls = [
                "http://127.0.0.1/",
                "https://10.0.0.1/",
                "https://u:p@r.test/",
                "https://r.test:22/",
                "file:///etc/passwd",
            ]
            return [(await post(wire, url)).error for url in urls]

    assert asyncio.run(scene()) == ["refused_by_guard"] * 5


def test_a_name_that_turns_bad_is_refused_though_a_connection_is_kept(house: House, ca_file: Any) -> None:
    async def scene() -> tuple[list[str | None], int]:
        names = Names({"r.test": ["127.0.0.1"]})
        async with house.receiver() as receiver:
            wire = HttpWire(Guard(Rules.parse("127.0.0.0/8"), names), ca_file)
            first = await post(wire, f"https://r.test:{receiver.port}/")
            names.book["r.test"] = Names({"x": ["127.0.0.1", "10.0.0.1"]}).book["x"]
            second = await post(wire, f"https://r.test:{receiver.port}/")
            await wire.close()
            return [first.error, second.error], len(receiver.requests)

    assert asyncio.run(scene()) == ([None, "refused_by_guard"], 1)


def test_a_kept_connection_is_judged_again_at_every_request(house: House) -> None:
    async def scene() -> tuple[list[str | None], int]:
        own: set[tuple[str, int]] = set()
        async with house.receiver() as receiver, house.wire(own_addresses=lambda: frozenset(own)) as wire:
            url = f"https://r.test:{receiver.port}/"
            first = await post(wire, url)
            own.add(("127.0.0.1", receiver.port))
            second = await post(wire, url)
            return [first.error, second.error], len(receiver.requests)

    assert asyncio.run(scene()) == ([None, "refused_by_guard"], 1)


def test_the_address_really_dialled_is_judged_even_if_the_lookup_was_not(house: House, ca_file: Any) -> None:
    class Blind(Guard):
        """A guard whose judgement of answers is broken, so that only the look at the socket is left."""

        def _judge_answer(self, parsed: Any, answer: Any) -> Any:
            resolution = super()._judge_answer(parsed, ())
            return type(resolution)(answer, pin=",".join(map(str, answer)))

    async def scene() -> tuple[Outcome, int]:
        async with house.receiver() as receiver:
            wire = HttpWire(Blind(Rules(), Names({"r.example.com": ["127.0.0.1"]})), ca_file)
            outcome = await post(wire, f"https://r.example.com:{receiver.port}/")
            await wire.close()
            return outcome, receiver.connections

    outcome, connections = asyncio.run(scene())
    assert (outcome.error, connections) == ("refused_by_guard", 0)


def test_a_new_connection_goes_where_the_last_lookup_said(house: House, ca_file: Any) -> None:
    async def scene() -> tuple[int, int]:
        names = Names({"r.test": ["127.0.0.1"]})
        wire = HttpWire(Guard(Rules.parse("127.0.0.0/8", allow_http=True), names), ca_file)
        async with (
            house.receiver(saying_then_closing(OK), tls=False) as old,
            house.receiver(tls=False, host="127.0.0.2", port=old.port) as new,
        ):
            url = f"http://r.test:{old.port}/"
            await post(wire, url)
            names.book["r.test"] = Names({"x": ["127.0.0.2"]}).book["x"]
            await asyncio.sleep(0.02)
            for _ in range(2):
                assert (await post(wire, url)).response
            await wire.close()
            return len(old.requests), len(new.requests)

    assert asyncio.run(scene()) == (1, 2)


def test_the_machines_resolver_is_not_asked_again_after_a_failed_connect(house: House) -> None:
    async def scene() -> list[str | None]:
        async with house.wire({"gone.example.com": ["127.0.0.7"]}) as wire:
            return [(await post(wire, "https://gone.example.com:40001/")).error for _ in range(3)]

    assert asyncio.run(scene()) == ["connect"] * 3


# Life and death


def test_a_cancelled_send_leaves_nothing_behind(house: House) -> None:
    async def scene() -> tuple[bool, int, bool]:
        async with house.receiver(never()) as receiver, house.wire() as wire:
            task = asyncio.create_task(post(wire, f"https://r.test:{receiver.port}/"))
            await receiver.first.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            left = wire._multi.under_way
            async with house.receiver() as healthy:
                again = await post(wire, f"https://r.test:{healthy.port}/")
            return task.cancelled(), left, again.response is not None

    assert asyncio.run(scene()) == (True, 0, True)


def test_closing_ends_what_is_under_way_as_cut(house: House) -> None:
    async def scene() -> tuple[Outcome, Outcome]:
        async with house.receiver(never()) as receiver, house.wire() as wire:
            url = f"https://r.test:{receiver.port}/"
            task = asyncio.create_task(post(wire, url))
            await receiver.first.wait()
            await wire.close()
            return await task, await post(wire, url)

    under_way, afterwards = asyncio.run(scene())
    assert (under_way.error, afterwards.error) == ("cut", "cut")


def test_a_wire_that_was_never_used_can_be_closed_twice() -> None:
    async def scene() -> None:
        wire = HttpWire(Guard(Rules()))
        await wire.close()
        await wire.close()

    asyncio.run(scene())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_two_hundred_at_once_leave_no_descriptor_open(house: House, run: Any) -> None:
    async def scene() -> int:
        async with house.receiver(OK, tls=False) as receiver, house.wire(http=True) as wire:
            url = f"http://r.test:{receiver.port}/"
            outcomes = await asyncio.gather(*(post(wire, url) for _ in range(200)))
        return sum(bool(outcome.response) for outcome in outcomes)

    run(scene())
    gc.collect()
    before = open_descriptors()
    assert run(scene()) == 200
    gc.collect()
    assert open_descriptors() <= before


def test_one_slow_receiver_does_not_hold_up_another(house: House) -> None:
    async def scene() -> float:
        async with house.receiver(never()) as slow, house.receiver() as quick, house.wire() as wire:
            stuck = [asyncio.create_task(post(wire, f"https://r.test:{slow.port}/", total_ms=400)) for _ in range(20)]
            started = time.monotonic()
            await post(wire, f"https://r.test:{quick.port}/")
            passed = time.monotonic() - started
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
            return passed

    assert asyncio.run(scene()) < 0.35


def test_a_request_value_is_sent_unchanged_any_number_of_times(house: House) -> None:
    async def scene() -> list[tuple[bytes, bytes]]:
        async with house.receiver() as receiver, house.wire() as wire:
            request = Request(f"https://r.test:{receiver.port}/", (("X", "1"),), b"abc")
            for _ in range(3):
                await wire.send(request, limits())
            return receiver.requests

    sent = asyncio.run(scene())
    assert len(set(sent)) == 1
