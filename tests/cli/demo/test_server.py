import os
import socket

import pytest

from affwire.cli.client import Unanswered, open_client
from affwire.cli.demo import server
from affwire.cli.demo.server import NotStarted, running

pytestmark = pytest.mark.slow


def test_a_server_that_dies_says_why(tmp_path):
    with pytest.raises(NotStarted, match="AFFWIRE_ADMIN_KEY"), running(tmp_path, 0, {"AFFWIRE_ADMIN_KEY": "short"}):
        pass


def test_a_taken_port_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(NotStarted, match="Cannot listen"), running(tmp_path, taken.getsockname()[1], {}):
            pass


def test_the_server_ends_with_the_block_whatever_ends_it(tmp_path):
    def fail():
        with running(tmp_path, 0, {}) as address:
            places.append(address)
            raise ZeroDivisionError

    places = []
    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(Unanswered), open_client(places[0], needs_key=False) as client:
        client.get("/readyz")


def test_settings_of_the_caller_do_not_reach_the_server(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFWIRE_DATABASE_URL", "mysql://elsewhere")
    with running(tmp_path, 0, {}):
        assert (tmp_path / "data" / "affwire.db").exists()
    assert os.environ["AFFWIRE_DATABASE_URL"] == "mysql://elsewhere"


def test_the_first_free_port_is_taken(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(server, "FIRST_PORT", taken.getsockname()[1])
        assert server.free_port() != taken.getsockname()[1]
