"""The table of nouns names what the API has, and nothing else."""

import pytest

from affwire.api.app import create_app
from affwire.api.desk import Desk
from affwire.cli.nouns import ENDPOINTS, NOUNS
from affwire.destinations.guard import Guard, Rules
from affwire.testing.house import MemoryHouse

METHODS = {"list": "get", "create": "post", "get": "get", "update": "patch", "delete": "delete", "revoke": "delete"}


@pytest.fixture(scope="module")
def document():
    house = MemoryHouse()
    return create_app(Desk(house.store, house.dialects, Guard(Rules()), "none", house.world)).openapi()


def operation(document, noun, verb):
    tail = "" if verb in {"list", "create"} else f"/{{{noun.name.rstrip('s').replace('-', '_')}_id}}"
    return document["paths"][f"/v1/{noun.name}{tail}"][METHODS[verb]]


def body(document, operation):
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]


def query(operation):
    return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}


@pytest.mark.parametrize("noun", [*NOUNS, ENDPOINTS], ids=lambda noun: noun.name)
def test_every_verb_is_a_route(document, noun):
    for verb in noun.verbs:
        assert operation(document, noun, verb), verb


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if "list" in noun.verbs], ids=lambda noun: noun.name)
def test_no_filter_of_a_list_is_out_of_reach_at_the_terminal(document, noun):
    assert query(operation(document, noun, "list")) - {"limit", "cursor"} == {one.name for one in noun.filters}


@pytest.mark.parametrize("noun", [*NOUNS, ENDPOINTS], ids=lambda noun: noun.name)
def test_every_option_is_a_field_or_a_parameter_of_the_route(document, noun):
    if "create" in noun.verbs:
        assert {one.name for one in noun.fields} <= body(document, operation(document, noun, "create")).keys()
    if "list" in noun.verbs:
        assert {one.name for one in noun.filters} <= query(operation(document, noun, "list"))
    if noun.deletion:
        assert noun.deletion[0] in query(operation(document, noun, "delete"))
    if noun.rendered:
        assert "as" in query(operation(document, noun, "get"))
