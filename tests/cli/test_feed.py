"""A feed is read message by message, and goes on where it was when its connection breaks."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from affwire.cli import feed
from affwire.cli.client import Unanswered
from affwire.cli.feed import Message, Parser, follow
from affwire.errors import Refused


def parsed(text):
    parser = Parser()
    return [message for line in text.split("\n") if (message := parser.take(line))]


def test_messages_are_what_ends_with_an_empty_line():
    assert parsed('retry: 5\nid: a\n\n: alive\n\nid: b\ndata: {"x"\ndata:: 1}\n\nid: c\ndata: cut') == [
        Message("a", None),
        Message("b", '{"x"\n: 1}'),
    ]


def test_a_field_that_is_none_of_ours_is_left_out():
    assert parsed("event: x\nid\ndata\n\n") == [Message("", "")]
    assert parsed("\n\n\n") == []


class Server(ThreadingHTTPServer):
    """Answers what it is told, one answer per connection; `asked` are the Last-Event-IDs."""

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = iter(answers), []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.headers["Last-Event-ID"])
        status, body = next(self.server.answers)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def serving(monkeypatch):
    servers = []

    def serve(*answers):
        servers.append(Server(answers))
        monkeypatch.setenv("AFFWIRE_URL", f"http://127.0.0.1:{servers[-1].server_port}")
        monkeypatch.setenv("AFFWIRE_API_KEY", "key")
        monkeypatch.setattr(feed, "RETRY_S", 0.0)
        return servers[-1]

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def heard(count):
    async def hear():
        messages = follow("/v1/events/stream")
        found = [await anext(messages) for _ in range(count)]
        await messages.aclose()
        return found

    return asyncio.run(hear())


def test_a_feed_that_breaks_goes_on_behind_its_last_message(serving, capsys):
    server = serving(
        (200, b'id: a\n\nid: b\ndata: 1\n\nid: c\ndata: "lost'), (503, b""), (200, b"id: d\n\nid: e\ndata: 2\n\n")
    )
    assert heard(2) == [1, 2]
    assert server.asked == [None, "b", "b"]
    assert "goes on where it was" in capsys.readouterr().err


def test_a_place_without_a_message_counts(serving):
    server = serving((200, b"id: far\n\n"), (200, b"data: 1\n\n"))
    assert heard(1) == [1]
    assert server.asked == [None, "far"]


def test_a_server_that_refuses_at_once_is_not_asked_again(serving):
    server = serving((401, b'{"detail": "No such key."}'))
    with pytest.raises(Unanswered, match="No such key"):
        heard(1)
    assert len(server.asked) == 1


def test_a_key_that_is_revoked_meanwhile_ends_the_feed(serving):
    serving((200, b"id: a\ndata: 1\n\n"), (401, b'{"detail": "No such key."}'))
    with pytest.raises(Unanswered, match="No such key"):
        heard(2)


def test_what_is_no_json_is_not_affwire(serving):
    serving((200, b"data: hello\n\n"))
    with pytest.raises(Unanswered, match="not affwire"):
        heard(1)


def test_nobody_there_is_told_at_once(monkeypatch):
    monkeypatch.setenv("AFFWIRE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AFFWIRE_API_KEY", "key")
    with pytest.raises(Unanswered, match="No affwire answers"):
        heard(1)
    monkeypatch.setenv("AFFWIRE_API_KEY", "schl\u00fcssel")
    with pytest.raises(Refused, match="AFFWIRE_API_KEY"):
        heard(1)
