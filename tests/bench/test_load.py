"""The benchmark's senders: numbered events, repeats and forgeries, waits that count from when a request was due."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bench_path import MARK, NUMBER, Events, Load, Messages, percentiles, send


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        self.server.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(503 if b"000000002" in self.server.seen[-1] else 201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def events(first: int = 0) -> Events:
    body = NUMBER.ljust(20)
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return Events(head.encode() + body, first)


def test_every_event_has_a_number_of_its_own_and_answers_are_told_in_order(server) -> None:
    heard = send(Load(server.server_port, events(), 5, connections=2, most=4))
    assert sorted(body.strip() for body in server.seen) == [MARK + b"%09d" % number for number in range(4)]
    assert list(heard.answers) == [201, 201, 503, 201]
    assert heard.taken() == [0, 1, 3]
    assert len(heard.percentiles()) == 4


def test_at_a_rate_requests_are_due_at_their_times(server) -> None:
    heard = send(Load(server.server_port, events(10), 0.1, connections=1, rate=50))
    gaps = [later - sooner for sooner, later in zip(heard.dues, heard.dues[1:], strict=False)]
    assert len(heard.dues) == 5
    assert gaps == pytest.approx([0.02] * 4)
    assert all(wait > 0 for wait in heard.waits)


def test_a_connection_that_is_closed_is_an_error_unless_the_load_is_stubborn() -> None:
    class Closing(Answering):
        def do_POST(self) -> None:
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Closing)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="closed a connection"):
            send(Load(server.server_port, events(), 0.2, connections=1, rate=20))
        heard = send(Load(server.server_port, events(), 0.2, connections=1, rate=20, stubborn=True))
        assert heard.statuses == {0: 4}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_tenth_of_the_messages_repeats_the_one_before() -> None:
    made = [request for _, request in zip(range(100), Messages("/in/x", "secret", again=10).requests(), strict=False)]
    assert len(set(made)) == 91
    assert made[10] == made[9]


def test_a_forgery_differs_from_the_genuine_message_in_its_proof_alone() -> None:
    genuine, forged = (next(Messages("/in/x", "secret", genuine=truth).requests()) for truth in (True, False))
    differing = [ours for ours, theirs in zip(genuine.splitlines(), forged.splitlines(), strict=True) if ours != theirs]
    assert [line.partition(b":")[0] for line in differing] == [b"X-Rewardful-Signature"]


def test_percentiles_never_pass_the_longest_wait() -> None:
    assert percentiles([1.0, 2.0, 3.0]) == {
        "p50_ms": 2.0,
        "p95_ms": pytest.approx(2.9),
        "p99_ms": pytest.approx(2.98),
        "max_ms": 3.0,
    }
    assert percentiles([5.0])["p99_ms"] == 5.0
    assert percentiles([]) == {}
