"""A real server as a child process, with one organization and one endpoint, for the commands that talk to one."""

import secrets

import pytest

from affwire.cli.client import open_client
from affwire.cli.demo.server import running


@pytest.fixture(scope="session")
def address_and_key(tmp_path_factory):
    operator_key = secrets.token_hex(32)
    settings = {"AFFWIRE_ADMIN_KEY": operator_key, "AFFWIRE_ALLOW_NETWORKS": "127.0.0.0/8"}
    with running(tmp_path_factory.mktemp("server"), 0, settings) as address:
        with open_client(address, operator_key) as operator:
            key = operator.post("/v1/organizations", {"slug": "acme"})["api_key"]
        yield address, key


@pytest.fixture
def server(address_and_key, monkeypatch):
    address, key = address_and_key
    monkeypatch.setenv("AFFWIRE_URL", address)
    monkeypatch.setenv("AFFWIRE_API_KEY", key)
    with open_client() as client:
        yield client
