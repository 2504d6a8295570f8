"""A real server as a child process, and for each test an organization of its own, for the commands that talk to one."""

import itertools
import secrets

import pytest

from affwire.cli.client import open_client
from affwire.cli.demo.server import running

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def address_and_key(tmp_path_factory):
    operator_key = secrets.token_hex(32)
    settings = {"AFFWIRE_ADMIN_KEY": operator_key, "AFFWIRE_ALLOW_NETWORKS": "127.0.0.0/8"}
    with running(tmp_path_factory.mktemp("server"), 0, settings) as address:
        yield address, operator_key


@pytest.fixture
def server(address_and_key, monkeypatch):
    address, operator_key = address_and_key
    with open_client(address, operator_key) as operator:
        organization = {"slug": f"acme-{next(NUMBERS)}", "unlimited_endpoints": True}
        key = operator.post("/v1/organizations", organization)["api_key"]
    monkeypatch.setenv("AFFWIRE_URL", address)
    monkeypatch.setenv("AFFWIRE_API_KEY", key)
    monkeypatch.setenv("AFFWIRE_ADMIN_KEY", operator_key)
    with open_client() as client:
        yield client
        for endpoint in client.get("/v1/endpoints", limit=200)["data"]:
            client.delete(f"/v1/endpoints/{endpoint['id']}")
