"""HMAC and secrets, against the standard library as the oracle."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.rules import signing


def whsec(count, prefix="whsec_"):
    return prefix + base64.b64encode(bytes(range(count))).decode()


@given(st.binary(min_size=1, max_size=100), st.binary(max_size=200))
def test_the_digest_is_hmac_sha256(key, message):
    oracle = hmac.new(key, message, hashlib.sha256)
    assert signing.digest(key, message) == oracle.digest()
    assert signing.hexdigest(key, message) == oracle.hexdigest()


def test_an_empty_secret_signs_nothing():
    with pytest.raises(ValueError, match="empty secret"):
        signing.hexdigest(b"", b"message")


@pytest.mark.parametrize("count", [24, 32, 64])
def test_a_standard_secret_is_base64_of_24_to_64_bytes(count):
    assert signing.standard_key(whsec(count)) == bytes(range(count))
    assert signing.problem("standard", whsec(count)) is None


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        whsec(23),
        whsec(65),
        "whsec_" + "!" * 40,
        "whsec_" + "A" * 41,
        whsec(32) + "\n",
        "whsec_ä" + "A" * 39,
        whsec(32).replace("A", "-", 1),
        "sk_" + whsec(32),
    ],
)
def test_what_is_no_standard_secret_is_refused(secret):
    assert signing.problem("standard", secret) is not None
    with pytest.raises(ValueError, match=r"\w"):
        signing.standard_key(secret)


def test_a_standard_secret_needs_its_prefix():
    assert "starts with whsec_" in signing.problem("standard", whsec(32, ""))
    assert "starts with whsec_" in signing.problem("standard", whsec(32, "WHSEC_"))


@pytest.mark.parametrize("secret", ["8 chars.", "x" * 256])
def test_a_text_secret_has_8_to_256_printable_characters(secret):
    assert signing.problem("text", secret) is None


@pytest.mark.parametrize(
    "secret", ["", "7 chars", "x" * 257, "tab\tinside", "line\nbreak", "ümlaut-secret", "nul\0inside"]
)
def test_what_is_no_text_secret_is_refused(secret):
    assert signing.problem("text", secret) is not None


@given(st.sampled_from(["standard", "text"]), st.text(max_size=80))
def test_a_problem_never_tells_the_secret(form, secret):
    told = signing.problem(form, secret)
    assert told is None or len(secret) < 8 or secret not in told


@given(st.binary(min_size=32, max_size=32))
def test_a_minted_secret_fits_its_own_form(entropy):
    standard, text = signing.minted("standard", "", entropy), signing.minted("text", "whsec_", entropy)
    assert signing.problem("standard", standard) is None
    assert signing.standard_key(standard) == entropy
    assert signing.problem("text", text) is None
    assert text == "whsec_" + entropy.hex()


def test_a_fingerprint_depends_on_its_label_and_on_where_parts_end():
    prints = [
        signing.fingerprint("a", "b"),
        signing.fingerprint("b", "a"),
        signing.fingerprint("a", "b", ""),
        signing.fingerprint("a", "", "b"),
    ]
    assert len(set(prints)) == 4
    assert signing.fingerprint("a", "b") == hashlib.sha256(b"a\x1fb").digest()
