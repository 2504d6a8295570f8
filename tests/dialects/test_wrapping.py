"""A bare record becomes the message of its word: where it belongs, with an envelope of its own, or not at all."""

import json

import pytest

from affwire.dialects.wrapping import at_path, renamed, with_path, word_path, wrapped
from affwire.errors import Undecodable
from affwire.model.wire import Message
from affwire.plugins import load_dialects
from affwire.testing.stage import samples_of

AT = 1_772_000_000_000
DIALECTS = load_dialects()
WORDS = [(name, word) for name, dialect in DIALECTS.items() for word in samples_of(dialect)]
PLACES = {
    "affonso": ("type",),
    "growi": ("event",),
    "insert_affiliate": ("event",),
    "rewardful": ("event", "type"),
    "standard": ("type",),
    "tamio": ("event_type",),
}


def identified(name, body):
    return DIALECTS[name].identify(Message(headers=(), body=json.dumps(body).encode()))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_word_stands_where_the_samples_show_it(name):
    assert word_path(DIALECTS[name]) == PLACES[name]


@pytest.mark.parametrize(("name", "word"), WORDS)
def test_a_message_takes_another_word_and_nothing_else_changes(name, word):
    sample = samples_of(DIALECTS[name])[word]
    other = renamed(DIALECTS[name], sample, "another.word")
    assert identified(name, other).word == "another.word"
    assert with_path(other, PLACES[name], word) == sample


def test_two_records_are_two_messages_and_one_is_always_the_same():
    records = [{"id": one, "email": "a@example.org", "state": "active"} for one in ("x", "y", "x")]
    keys = [identified("rewardful", wrapped(DIALECTS["rewardful"], "affiliate.updated", one, AT)) for one in records]
    assert keys[0] == keys[2] != keys[1]


def test_the_records_own_time_is_the_messages():
    record = {"id": "x", "email": "a@example.org", "updated_at": "2026-01-02T03:04:05.000Z"}
    made = wrapped(DIALECTS["rewardful"], "affiliate.updated", record, AT)
    assert made["event"]["created_at"] == "2026-01-02T03:04:05.000Z"
    timeless = wrapped(DIALECTS["rewardful"], "affiliate.updated", {"id": "x", "email": "a@example.org"}, AT)
    assert timeless["event"]["created_at"] == "2026-02-25T06:13:20.000Z"


def test_nothing_of_the_samples_record_is_left():
    made = wrapped(DIALECTS["affonso"], "affiliate.updated", {"affiliateId": "a", "email": "b@example.org"}, AT)
    assert made["data"] == {"affiliateId": "a", "email": "b@example.org"}


def test_a_tie_goes_to_the_outer_object():
    assert wrapped(DIALECTS["rewardful"], "affiliate.updated", {"id": "x"}, AT)["object"] == {"id": "x"}


def test_a_record_that_fits_nowhere_and_a_word_without_a_sample_are_refused():
    for word, record in (
        ("affiliate.updated", {"colour": "red"}),
        ("sale.created", {"id": "x"}),
        ("affiliate.updated", {}),
    ):
        with pytest.raises(Undecodable):
            wrapped(DIALECTS["rewardful"], word, record, AT)


def test_a_path_that_is_not_there_holds_nothing_and_can_be_made():
    assert at_path({"a": [1]}, ("a", "b")) is None
    assert with_path({"a": 1}, ("a", "b"), 2) == {"a": {"b": 2}}
