"""Values of the wire."""

import msgspec
import pytest

from affwire.model.wire import Limits, Outcome, Request, Response


def test_a_responses_header_is_found_in_any_case_and_the_first_counts():
    response = Response(429, (("RETRY-after", "5"), ("Retry-After", "9")))
    assert response.header("retry-AFTER") == "5"
    assert response.header("Retry") is None
    assert Response(200).header("Retry-After") is None


@pytest.mark.parametrize("value", [Request("u", (), b""), Response(200), Outcome(), Limits(1, 2, 3)])
def test_what_went_over_the_wire_cannot_be_changed(value):
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, value.__struct_fields__[0], None)


def test_an_outcome_survives_its_json():
    outcome = Outcome(Response(503, (("Retry-After", "1"),), b"busy", truncated=True), "status", "busy")
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome) == outcome
