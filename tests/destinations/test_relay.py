"""The operator's words for a relay, and what is none."""

import pytest

from affwire.destinations.relay import Relay, sender_of

FROM = "Acme <partners@acme.example>"


def test_a_relay_is_read_with_its_port_name_and_password():
    one = Relay.parse("smtps://acme%40x:p%3Aw@mail.example.com", FROM)
    assert (one.host, one.port, one.tls, one.user, one.password) == ("mail.example.com", 465, True, "acme@x", "p:w")
    other = Relay.parse("smtp://[2001:db8::1]:25/", FROM)
    assert (other.host, other.port, other.tls, other.user) == ("[2001:db8::1]", 25, False, "")


def test_a_password_is_not_in_what_is_printed_of_a_relay():
    assert "p4ss" not in repr(Relay.parse("smtps://acme:p4ss@mail.example.com", FROM))


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.com", "https://mail.example.com", "smtp://", "smtp://user@mail.example.com", "smtp://m.example:0",
     "smtp://m.example:99999", "smtp://m.example/path", "smtp://m.example?x", "smtp://a b", "smtp://u:p@@m.example"],
)  # fmt: skip
def test_what_is_no_relay_is_refused(url):
    with pytest.raises(ValueError, match="form"):
        Relay.parse(url, FROM)


@pytest.mark.parametrize("text", ["partners@acme.example", "Acme <partners@acme.example>", '"A, B" <a@acme.example>'])
def test_a_sender_is_one_address(text):
    assert sender_of(text).addr_spec.endswith("@acme.example")


@pytest.mark.parametrize(
    "text", ["", "Acme", "a@b", "a@acme.example, b@acme.example", "a@acme.example\r\nBcc: e@x.example", "<a@"]
)
def test_what_is_not_one_address_is_no_sender(text):
    with pytest.raises(ValueError, match=r"address|control"):
        sender_of(text)
