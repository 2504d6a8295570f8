"""What may be done to a bearer token on its way: each is told apart, and a stranger's token is nothing that is known."""

import base64

import pytest

from affwire.rules import bearer

TOKEN = "s3cr3t-Token"


def told(value, name="Authorization"):
    return bearer.explain(((name, value), ("Host", "x")), [TOKEN])


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (TOKEN, "without Bearer"),
        (f"bearer {TOKEN}", "The scheme"),
        (f"Bearer {TOKEN} ", "Blanks"),
        (f"Token {TOKEN}", "The scheme is Token, not Bearer"),
        (f"Bearer: {TOKEN}", "The scheme is Bearer:, not Bearer"),
        (f'Bearer "{TOKEN}"', "Quotes"),
        (f"Bearer Bearer {TOKEN}", "twice"),
        (f"Bearer {TOKEN.upper()}", "capital"),
        ("Basic " + base64.b64encode(f"user:{TOKEN}".encode()).decode(), "Basic"),
    ],
)
def test_each_mistake_is_named_with_its_remedy(value, what):
    found, mend = told(value)
    assert what in found
    assert mend


def test_another_header_is_named():
    assert "X-Token" in told(TOKEN, "X-Token")[0]


def test_a_header_that_stands_twice_is_named():
    found = bearer.explain((("Authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")), [TOKEN])
    assert "twice" in found[0]


@pytest.mark.parametrize("value", ["Bearer another", "", "Basic \x00", "Basic AAAA", "Bearer é"])
def test_a_strangers_token_is_no_known_mistake(value):
    assert told(value) is None
