"""Proof: what is asked of headers and times before a body is looked at, each with the nearest that is refused."""

import pytest

from affwire.dialects import proof
from affwire.errors import NotGenuine
from affwire.model.wire import Message
from affwire.rules import signing

SIGNED = b"signed"
GOOD = signing.hexdigest(b"secret-one", SIGNED)


def message(*headers):
    return Message(headers=headers, body=b"")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((), "no_signature"),
        ((("X-Sig", ""),), "no_signature"),
        ((("X-Sig", "a"), ("X-SIG", "a")), "no_signature"),
        ((("X-Sig", "\xe4"),), "bad_header"),
        ((("X-Sig", "\ud800"),), "bad_header"),
    ],
)
def test_a_header_stands_there_once_and_in_ascii(headers, code):
    with pytest.raises(NotGenuine, match=code):
        proof.header(message(*headers), "x-sig")
    assert proof.header(message(("X-SIG", "a"), ("X-Other", "\xe4")), "X-Sig") == "a"


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
def test_nothing_verifies_against_nothing(secrets):
    with pytest.raises(NotGenuine, match="no_secret"):
        proof.refuse_unknown_signer(secrets)
    assert not proof.signed_by_any((GOOD, ""), secrets, SIGNED)


def test_one_signature_of_one_secret_is_enough():
    proof.refuse_unknown_signer(("", "secret-one"))
    assert proof.signed_by_any((GOOD,), ("secret-one",), SIGNED)
    assert proof.signed_by_any(("nonsense", GOOD), ("secret-two", "", "secret-one"), SIGNED)
    for given in ((), ("",), (GOOD.upper(),), (GOOD[:-1],), (f"{GOOD} ",), ("\xe4",), ("\ud800",)):
        assert not proof.signed_by_any(given, ("secret-one", "secret-two"), SIGNED)
    assert not proof.signed_by_any((GOOD,), ("secret-one",), SIGNED + b"\n")


@pytest.mark.parametrize(("now", "fresh"), [(699_999, False), (700_000, True), (1_300_999, True), (1_301_000, False)])
def test_a_time_is_of_about_now_both_ways(now, fresh):
    if fresh:
        proof.refuse_stale("1000", now, 300)
    else:
        with pytest.raises(NotGenuine, match="stale"):
            proof.refuse_stale("1000", now, 300)


@pytest.mark.parametrize("seconds", ["", " 1000", "-1000", "1e3", "1000.0", "１０００", "²", "9" * 12])
def test_a_time_is_digits_and_not_too_many(seconds):
    with pytest.raises(NotGenuine, match="bad_time"):
        proof.refuse_stale(seconds, 1_000_000, 300)
