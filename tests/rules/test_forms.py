"""Lines, e-mail addresses and web addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affwire.rules import forms


@pytest.mark.parametrize("text", ["a\nb", "a\r\nBcc: x", "a\x00", "a\x85b", "a\u2028b", "\ud800"])
def test_a_text_with_a_break_or_a_control_character_is_no_line(text):
    assert not forms.is_line(text)


@given(st.text())
def test_anything_becomes_one_line(text):
    assert forms.is_line(forms.one_line(text))


@pytest.mark.parametrize("text", ["a@example.com", "a.b+c@sub.example.co", "ü@exämple.com"])
def test_an_address_is_an_address(text):
    assert forms.is_email(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@b", "@example.com", ".a@example.com", "a b@example.com", "a@example.com,b@example.com", "a@1.2"],
)
def test_what_looks_almost_like_an_address_is_none(text):
    assert not forms.is_email(text)


@pytest.mark.parametrize("text", ["https://example.com", "http://example.com/a?b"])
def test_a_web_address_is_one(text):
    assert forms.is_web_url(text)


@pytest.mark.parametrize(
    "text", ["example.com", "javascript:alert(1)", "https://", "https:// example.com", "ftp://a.example"]
)
def test_what_is_no_web_address_is_none(text):
    assert not forms.is_web_url(text)
