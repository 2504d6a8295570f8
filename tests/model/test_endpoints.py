"""Why an endpoint's deliveries wait, and why it gets none."""

import pytest

from affwire.model.endpoints import Endpoint

PAUSED, DISABLED = "the endpoint is paused", "the endpoint is disabled by its owner"


@pytest.mark.parametrize(
    ("fields", "waits", "silent"),
    [
        ({}, None, None),
        ({"paused": True}, PAUSED, None),
        ({"enabled": False}, DISABLED, DISABLED),
        ({"enabled": False, "paused": True}, DISABLED, DISABLED),
        ({"enabled": False, "disabled_reason": "410"}, "410", None),
        ({"enabled": False, "disabled_reason": "410", "paused": True}, "410", None),
    ],
)
def test_an_endpoint_tells_why_its_deliveries_wait_or_are_not_made(fields, waits, silent):
    known = {"id": "ep_1", "organization_id": "org_1", "number": 1, "url": "u", "dialect": "standard"}
    endpoint = Endpoint(**known, created_at=0, updated_at=0, **fields)
    assert (endpoint.waits_because, endpoint.silent_because) == (waits, silent)
