"""Libcurl's error numbers as affwire's error classes, with a sentence for the endpoint's owner."""

from typing import Final

import pycurl

from affwire.model.wire import ErrorClass

_TLS: Final = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_SSL_PINNEDPUBKEYNOTMATCH,
    }
)
_OUR_DOING: Final = frozenset({pycurl.E_WRITE_ERROR, pycurl.E_READ_ERROR, pycurl.E_ABORTED_BY_CALLBACK})
"""Errors that our own callbacks caused: libcurl's text tells what they returned, which is no news to an owner."""
_TOO_LARGE: Final = 100
"""CURLE_TOO_LARGE, which the binding does not name: a header line beyond libcurl's own cap of 100 KiB."""
_REASON_CHARACTERS_MAX: Final = 200

_SENTENCES: Final[dict[ErrorClass, str]] = {
    "dns": "The name has no address, or none came in time.",
    "connect": "No connection could be made.",
    "tls": "The TLS handshake failed.",
    "timeout_connect": "No connection stood within the connect timeout.",
    "timeout_read": "The request was sent, and no complete response headers came within the read timeout.",
    "timeout_total": "The exchange was not over within the total timeout.",
    "protocol": "The connection ended, or said something that is not HTTP, before complete response headers.",
    "refused_by_guard": "The host's address is not allowed.",
    "encode": "A header of the request cannot be sent: HTTP cannot carry it, or it is affwire's own to write.",
    "cut": "affwire stopped while the request was under way.",
}


def sentence(error: ErrorClass, reason: str = "") -> str:
    """Return what the owner reads. A reason is libcurl's own text, told only about places that may be dialled."""
    if error not in ("connect", "tls", "protocol") or not reason:
        return _SENTENCES[error]
    return f"{_SENTENCES[error]} ({reason[:_REASON_CHARACTERS_MAX]})"


def reason(error: BaseException | None) -> str:
    """Return libcurl's own text about what the far side or the network did; empty if there is none."""
    if not isinstance(error, pycurl.error) or error.args[0] in _OUR_DOING:
        return ""
    return str(error.args[-1])


def is_too_large(error: BaseException | None) -> bool:
    """Whether libcurl gave up on an answer's headers for their size."""
    return isinstance(error, pycurl.error) and error.args[0] == _TOO_LARGE


def classify(number: int, *, request_sent: bool) -> ErrorClass:
    """Return the class of a libcurl error that is not about time."""
    if number == pycurl.E_COULDNT_RESOLVE_HOST:
        return "dns"
    if number in _TLS:
        return "tls"
    return "protocol" if request_sent else "connect"
