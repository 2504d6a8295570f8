"""libcurl's numbers as error classes, and what the owner reads."""

from typing import get_args

import pycurl
import pytest

from affwire.destinations.faults import classify, reason, sentence
from affwire.model.wire import ErrorClass


@pytest.mark.parametrize(
    ("number", "sent", "error"),
    [
        (pycurl.E_COULDNT_RESOLVE_HOST, False, "dns"),
        (pycurl.E_COULDNT_CONNECT, False, "connect"),
        (pycurl.E_SEND_ERROR, False, "connect"),
        (pycurl.E_SSL_CONNECT_ERROR, False, "tls"),
        (pycurl.E_PEER_FAILED_VERIFICATION, False, "tls"),
        (pycurl.E_GOT_NOTHING, True, "protocol"),
        (pycurl.E_RECV_ERROR, True, "protocol"),
        (pycurl.E_WRITE_ERROR, True, "protocol"),
        (pycurl.E_UNSUPPORTED_PROTOCOL, True, "protocol"),
    ],
)
def test_a_number_has_its_class(number: int, sent: bool, error: ErrorClass) -> None:
    assert classify(number, request_sent=sent) == error


@pytest.mark.parametrize("error", sorted(set(get_args(ErrorClass)) - {"status", "dialect_missing"}))
def test_every_class_the_wire_gives_has_a_sentence(error: ErrorClass) -> None:
    assert sentence(error).endswith(".")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (pycurl.E_WRITE_ERROR, "Failure writing output to destination, passed 20 returned 18446744073709551615"),
        (pycurl.E_ABORTED_BY_CALLBACK, "operation aborted by pre-request callback"),
        (pycurl.E_READ_ERROR, "read function returned funny value"),
    ],
)
def test_what_libcurl_says_about_our_own_callbacks_is_no_reason(number: int, text: str) -> None:
    assert reason(pycurl.error(number, text)) == ""
    assert reason(pycurl.error(pycurl.E_RECV_ERROR, "Connection reset")) == "Connection reset"


def test_a_reason_is_told_only_about_places_that_may_be_dialled() -> None:
    assert sentence("tls", "certificate has expired") == "The TLS handshake failed. (certificate has expired)"
    assert "10.0.0.1" not in sentence("refused_by_guard", "10.0.0.1") + sentence("dns", "10.0.0.1")
    assert len(sentence("connect", "x" * 10_000)) < 300
