"""Whose a message is, by its body alone, by its headers, and not at all."""

import pytest

from affwire.dialects.base import load_samples
from affwire.dialects.recognising import recognised
from affwire.model.wire import Message
from affwire.plugins import load_dialects
from affwire.testing import genuine

DIALECTS = load_dialects()
SAMPLES = [
    (name, word, body)
    for name, dialect in DIALECTS.items()
    for word, body in load_samples(type(dialect).__module__).items()
]


@pytest.mark.parametrize(("name", "word", "body"), SAMPLES, ids=lambda one: one if isinstance(one, str) else "")
def test_every_sample_is_known_by_its_body_alone(name, word, body):
    guess = recognised(DIALECTS.values(), Message(headers=(), body=body))[0]
    assert (guess.dialect.card.name, guess.reading.word) == (name, word)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"type": 1}', b"[" * 9_000, b'{"event": null}'])
def test_what_is_no_message_is_nobodys(body):
    assert recognised(DIALECTS.values(), Message(headers=(), body=body)) == []


def test_headers_of_a_platform_outweigh_all_else():
    signed = genuine.request("rewardful")
    assert recognised(DIALECTS.values(), signed.message)[0].dialect.card.name == "rewardful"
