"""A card tells every header that its dialect writes, so that an endpoint's own can be kept apart from them."""

import pytest

from affwire.dialects.base import Attempt, Recipient
from affwire.model.events import EVENT_TYPES
from affwire.plugins import load_dialects
from affwire.rules import signing
from affwire.testing import events as build

DIALECTS = load_dialects()


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("options", [{}, {"signature_header": "X-Sig"}])
def test_every_header_a_dialect_writes_is_on_its_card(name, options):
    dialect = DIALECTS[name]
    chosen = {key: value for key, value in options.items() if key in dialect.card.options}
    form = dialect.card.authentication
    recipient = Recipient(
        endpoint_id=build.id_of("endpoint"),
        url="https://example.com/",
        secrets=(signing.minted(form.secret, form.secret_prefix, b"\1" * 32),) if form.secret != "none" else (),
        bearer_token="a-token",
        options=chosen,
    )
    attempt = Attempt(build.id_of("attempt"), 1, build.NOW)
    events = (build.event("affiliate.created", standing_after=True), *map(build.event, EVENT_TYPES))
    event = next(event for event in events if dialect.says(event))
    request = dialect.request(event, dialect.says(event)[0], recipient, build.id_of("delivery"), attempt)
    written = {header.lower() for header, _ in request.headers} - {"content-type"}
    assert written <= {header.lower() for header in dialect.card.written(chosen)}


def test_a_card_tells_all_that_authenticates_and_what_an_option_names():
    assert set(DIALECTS["affonso"].card.written({})) == {"X-Affonso-Signature", "X-Affonso-Timestamp"}
    assert set(DIALECTS["tamio"].card.written({"signature_header": "X-Sig"})) == {"Tamio-Signature", "X-Sig"}
    assert DIALECTS["growi"].card.written({}) == ()
