import pytest

from affwire.cli.why import sentences_of

DELIVERY = {
    "id": "dlv_1",
    "word": "affiliate.created",
    "reason": None,
    "due_at": "2026-01-01T00:00:00.000Z",
    "attempts": 1,
}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"status": "delivered"}, "affiliate.created was delivered, 1 try (dlv_1)"),
        ({"status": "leased", "attempts": 2}, "affiliate.created is under way, try 2 (dlv_1)"),
        (
            {"status": "pending", "reason": "HTTP 503"},
            "affiliate.created waits until 2026-01-01T00:00:00.000Z, 1 try so far: HTTP 503 (dlv_1)",
        ),
        (
            {"status": "pending", "due_at": None, "attempts": 0},
            "affiliate.created waits for what was said before it, 0 tries so far (dlv_1)",
        ),
        (
            {"status": "held", "reason": "the endpoint is paused"},
            "affiliate.created is held: the endpoint is paused (dlv_1)",
        ),
        (
            {"status": "exhausted", "attempts": 8, "reason": "no try is left"},
            "affiliate.created was not delivered, 8 tries: no try is left (dlv_1)",
        ),
        (
            {"status": "cancelled", "reason": "the endpoint was deleted"},
            "affiliate.created was cancelled: the endpoint was deleted (dlv_1)",
        ),
    ],
)
def test_every_status_is_a_sentence(changes, sentence):
    assert list(sentences_of({"reason": None, "deliveries": [DELIVERY | changes]})) == [sentence]


def test_a_silence_is_a_sentence_too():
    fate = {"reason": "no word in this dialect", "deliveries": []}
    assert list(sentences_of(fate)) == ["nothing was said: no word in this dialect"]


def test_what_was_given_up_says_so_once():
    given_up = DELIVERY | {"status": "exhausted", "reason": "failed, no retries: HTTP 500"}
    assert list(sentences_of({"reason": None, "deliveries": [given_up]})) == [
        "affiliate.created was not delivered, 1 try: failed, no retries: HTTP 500 (dlv_1)"
    ]
