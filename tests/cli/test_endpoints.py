import json

import pytest
from typer.testing import CliRunner

from affwire.cli.main import app

pytestmark = pytest.mark.slow


def endpoints(*arguments):
    return CliRunner().invoke(app, ["endpoints", *arguments])


def test_an_endpoint_that_is_added_shows_its_secret_this_once(server):
    shown = endpoints("add", "https://127.0.0.1:9443/in", "--event-type", "membership.*", "--description", "mine")
    made, secret = shown.stdout.split()
    assert secret.startswith("whsec_")
    endpoint = server.get(f"/v1/endpoints/{made}")
    assert (endpoint["event_types"], endpoint["description"]) == (["membership.*"], "mine")
    listed = endpoints("list").stdout
    assert made in listed
    assert secret not in listed


def test_a_dialect_that_signs_nothing_shows_no_secret(server):
    shown = endpoints("add", "https://127.0.0.1:9443/in", "--dialect", "insert_affiliate")
    assert shown.exit_code == 0
    assert len(shown.stdout.split()) == 1


def test_a_given_secret_is_taken(server):
    shown = endpoints("add", "https://127.0.0.1:9443/in", "--dialect", "tamio", "--secret", "s3cret-enough", "--json")
    assert json.loads(shown.stdout)["secret"] == "s3cret-enough"


@pytest.mark.parametrize("arguments", [("http://a.example/",), ("https://127.0.0.1:9443/in", "--dialect", "growy")])
def test_what_the_server_refuses_is_told_in_its_own_sentence(server, arguments):
    shown = endpoints("add", *arguments)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("affwire: ")


def test_the_list_is_there_as_json(server):
    assert "data" in json.loads(endpoints("list", "--json").stdout)
