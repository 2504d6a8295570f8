import pytest

from affwire.cli.tail import line

DELIVERY = {
    "id": "dlv_1",
    "endpoint_id": "ep_1",
    "word": "affiliate.created",
    "status": "pending",
    "reason": None,
    "attempt": {
        "number": 2,
        "started_at": "2026-01-01T00:00:00.000Z",
        "outcome": "failed",
        "status_code": 503,
        "error": "status",
        "timings": {"total_ms": 12.6},
    },
}
HEAD = "2026-01-01T00:00:00.000Z  dlv_1  ep_1  affiliate.created  try 2"


@pytest.mark.parametrize(
    ("attempt", "delivery", "rest"),
    [
        ({}, {}, "503  13 ms  pending"),
        ({"status_code": None, "error": "dns"}, {"reason": "no answer"}, "dns  13 ms  pending  no answer"),
        ({"status_code": None, "error": None, "outcome": "unknown", "timings": None}, {}, "unknown  -  pending"),
    ],
)
def test_an_attempt_is_one_line(attempt, delivery, rest):
    assert line({**DELIVERY, **delivery, "attempt": DELIVERY["attempt"] | attempt}) == f"{HEAD}  {rest}"
