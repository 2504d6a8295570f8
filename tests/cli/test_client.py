import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from affwire.cli.client import Unanswered, open_client
from affwire.cli.main import app
from affwire.errors import Refused


@contextmanager
def answering(status, body, headers=()):
    """A server on loopback that gives one answer to everything; yields its address and the requests it saw."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, dict(self.headers)))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(address, key="key", **query):
    with open_client(address, key) as client:
        return client.get("/v1/x", **query)


def test_the_key_goes_along_and_absent_filters_do_not():
    with answering(200, b'{"a": 1}') as (address, seen):
        assert ask(address, status=None, limit=3) == {"a": 1}
    [(path, headers)] = seen
    assert path == "/v1/x?limit=3"
    assert headers["Authorization"] == "Bearer key"


def test_a_problem_is_told_in_its_own_sentence_with_the_places():
    problem = {"detail": "Two fields are wrong.", "errors": [{"pointer": "/url", "code": "c", "detail": "No."}]}
    with answering(422, json.dumps(problem).encode()) as (address, _), pytest.raises(Unanswered) as refusal:
        ask(address)
    assert refusal.value.sentence == "Two fields are wrong. /url: No."


def test_two_wrong_fields_are_told_once_each():
    errors = [
        {"pointer": "/scope", "code": "required", "detail": "This is required."},
        {"pointer": "/expires_at", "code": "time", "detail": "This is no time."},
    ]
    problem = {"detail": "scope: This is required. expires_at: This is no time.", "errors": errors}
    with answering(422, json.dumps(problem).encode()) as (address, _), pytest.raises(Unanswered) as refusal:
        ask(address)
    assert refusal.value.sentence == problem["detail"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"detail": 1, "errors": 3}'])
def test_an_error_that_is_no_problem_is_told_by_its_number(body):
    with answering(502, body) as (address, _), pytest.raises(Unanswered) as refusal:
        ask(address)
    assert "502" in refusal.value.sentence


def test_an_answer_that_is_no_json_is_not_affwire():
    with answering(200, b"hello") as (address, _), pytest.raises(Unanswered, match="is not affwire"):
        ask(address)


def test_a_redirect_is_not_followed():
    with answering(302, b"", [("Location", "http://127.0.0.1:1/")]) as (address, seen), pytest.raises(Unanswered):
        ask(address)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "body", ["{}", "[]", "null", "1", '"text"', '{"data": [1]}', '{"data": [{}], "next_cursor": null}']
)
@pytest.mark.parametrize("command", ["deliveries list", "deliveries show dlv_1", "endpoints list"])
def test_an_answer_of_another_shape_is_one_sentence(monkeypatch, command, body):
    with answering(200, body.encode()) as (address, _):
        monkeypatch.setenv("AFFWIRE_URL", address)
        monkeypatch.setenv("AFFWIRE_API_KEY", "key")
        shown = CliRunner().invoke(app, command.split())
    assert shown.exit_code == 1
    assert shown.stderr.startswith("affwire: What answers at http://127.0.0.1:")
    assert shown.stderr.count("\n") == 1


def test_a_server_that_is_away_is_one_sentence():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(Unanswered, match="affwire serve"):
            ask(f"http://127.0.0.1:{nobody.getsockname()[1]}")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with answering(200, b"{}") as (address, _):
        assert ask(address) == {}


def test_without_a_key_nothing_is_asked(monkeypatch):
    monkeypatch.delenv("AFFWIRE_API_KEY", raising=False)
    with pytest.raises(Refused, match="AFFWIRE_API_KEY"):
        ask("http://127.0.0.1:1", key=None)


@pytest.mark.parametrize("address", ["http://[", "ftp://127.0.0.1", "nonsense", "http://127.0.0.1:port"])
def test_an_address_that_is_none_is_one_sentence(address):
    with pytest.raises((Refused, Unanswered)):
        ask(address)


def test_a_key_that_no_header_can_carry_is_one_sentence():
    with pytest.raises(Refused):
        ask("http://127.0.0.1:1", key="schlüssel\n")
