"""Why a delivery or an endpoint is where it is: what happened, the likely cause, what to do. One row per kind of failure."""

from typing import Final

from markupsafe import Markup
from msgspec import Struct

from affwire.console.words import Words
from affwire.model.deliveries import AttemptRecord, Delivery
from affwire.model.endpoints import DELETED, PAUSED, TRIPPED, Endpoint
from affwire.model.health import EndpointHealth
from affwire.model.wire import ErrorClass
from affwire.services.deliveries import GONE


class Why(Struct, frozen=True):
    """What to say of what does not arrive. `path`, `button`: where it is mended; None: here. `act`: the button is a POST."""

    happened: str
    cause: str
    mend: str
    path: str | None = None
    button: str | None = None
    act: bool = False


_BY_ERROR: Final[dict[ErrorClass, tuple[str, str]]] = {
    "refused_by_guard": (
        "The URL leads to where affwire does not send: a private network, another port or scheme.",
        "Correct the endpoint's URL, or have the operator allow the network: AFFWIRE_ALLOW_NETWORKS.",
    ),
    "dns": (
        "The name has no address just now: mistyped, expired, or its name server is away.",
        "Check the host in the endpoint's URL; then send it again.",
    ),
    "connect": (
        "Nothing listens there, or a firewall drops it.",
        "Check that the receiver runs and can be reached from this server; then send it again.",
    ),
    "tls": (
        "The certificate is expired, for another name, or its chain is incomplete.",
        "Renew the receiver's certificate with its whole chain; then send it again.",
    ),
    "timeout_connect": (
        "The receiver's address does not answer: it is down, or a firewall drops the packets.",
        "Check that it can be reached from this server; then send it again.",
    ),
    "timeout_read": (
        "The receiver took the request and works too long before it answers.",
        "Have it answer first and work afterwards, or give the endpoint a longer read_timeout.",
    ),
    "timeout_total": (
        "The whole exchange took longer than the endpoint's total_timeout.",
        "Have the receiver answer first and work afterwards, or give the endpoint more time.",
    ),
    "protocol": (
        "The connection was cut, or what answers speaks no HTTP.",
        "Look into the receiver's proxy and logs; then send it again.",
    ),
    "encode": (
        "The dialect has no form for what this event holds, or the endpoint has no secret to sign with.",
        "Read the detail below; give the endpoint what it lacks, then send it again.",
    ),
    "dialect_missing": (
        "The package that brings this dialect is not installed here.",
        "Install it and restart; what is pending goes out by itself.",
    ),
    "cut": (
        "affwire itself ended while it was sending; whether it arrived is not known.",
        "Nothing: it is tried again. Receivers dedupe by the event's id.",
    ),
}
_BY_STATUS: Final = {
    301: ("The receiver moved, and redirects are never followed.", "Give the endpoint the new URL."),
    302: ("The URL redirects, often to a sign-in page.", "Give the endpoint the URL that takes the POST itself."),
    308: ("The receiver moved, and redirects are never followed.", "Give the endpoint the new URL."),
    400: ("The receiver does not understand the body.", "Compare the dialect with what the receiver was built for."),
    401: (
        "The receiver does not know the signature or the token: another secret, or it hashes a parsed body.",
        "Compare the secret's last 4 characters; the tab Signature says whether ours fits.",
    ),
    403: (
        "A firewall in front of the receiver, or its check of the signature.",
        "Let this server's address through; the tab Signature says whether ours fits.",
    ),
    404: ("The path of the URL is not there.", "Correct the endpoint's URL."),
    405: ("What answers there takes no POST.", "Correct the endpoint's URL: it is not the webhook's path."),
    410: ("The receiver says that it is gone for good.", "Delete the endpoint, or give it another URL and enable it."),
    413: ("The receiver takes only smaller bodies.", "Raise the limit of its server or proxy."),
    415: ("The receiver does not take this Content-Type.", "Have it take application/json."),
    429: ("It gets more than it takes.", "Give the endpoint a rate_per_second; it is tried again by itself."),
}
_CLIENT: Final = (
    "The receiver refuses it; its answer may say why.",
    "Read the answer; correct one side, send it again.",
)
_SERVER: Final = ("The receiver failed: its own log has the reason.", "Mend the receiver; then send it again.")
_REDIRECT: Final = ("The URL redirects, and redirects are never followed.", "Give the endpoint the URL that answers.")
_OTHER: Final = ("The endpoint's policy counts this answer as no success.", "Have it answer as its policy asks.")
_FAILED: Final = {3: _REDIRECT, 4: _CLIENT, 5: _SERVER}
_HAPPENS: Final[dict[str, str]] = {
    "refused_by_guard": "Its URL leads to where affwire does not send",
    "dns": "The name of its host has no address",
    "connect": "Nothing listens at its address",
    "tls": "Its certificate cannot be trusted",
    "timeout_connect": "Its address does not answer in time",
    "timeout_read": "It does not answer in time",
    "timeout_total": "It takes longer than it is given",
    "protocol": "It answers with something that is no HTTP",
}
_GONE: Final = "410 means: do not send any more. The receiver was taken down, or has another URL."


def of(delivery: Delivery, endpoint: Endpoint, last: AttemptRecord | None) -> Why | None:
    """Return why a delivery has not arrived; None if it has, or nothing is wrong so far."""
    if delivery.status == "delivered":
        return None
    if delivery.status == "held":
        return _held(delivery, endpoint)
    if delivery.status == "cancelled":
        gone = delivery.reason == DELETED
        mend = "Make another endpoint and recover it." if gone else "Send it again, if it is to arrive after all."
        return Why(f"It was cancelled: {delivery.reason}.", "Somebody ended it before it went.", mend)
    return _failed(endpoint, last) if last is not None and last.outcome != "ok" else None


def _held(delivery: Delivery, endpoint: Endpoint) -> Why:
    reason, path = delivery.reason or "its endpoint does not go on", f"/endpoints/{endpoint.id}"
    mend = {
        GONE: (_GONE, "Enable the endpoint again if it is to hear more: what is held goes out. Else delete it."),
        PAUSED: ("Somebody paused it, often for maintenance.", "Resume the endpoint: what is held goes out in order."),
        TRIPPED: (
            "The receiver is down or refuses everything.",
            "Mend the receiver: the next probe that fits frees all.",
        ),
    }.get(reason, ("The endpoint cannot be sent to as it is.", "Mend the endpoint and enable it: this follows."))
    return Why(f"It is held: {reason}.", *mend, path, "Open the endpoint")


def _failed(endpoint: Endpoint, last: AttemptRecord) -> Why:
    code = last.status_code
    if code is not None and last.error in {None, "status"}:
        told = _BY_STATUS.get(code) or _FAILED.get(code // 100, _OTHER)
        return Why(f"The receiver answered HTTP {code}.", *told, f"/endpoints/{endpoint.id}", "Open the endpoint")
    happened = last.detail or f"The latest try failed: {last.error}."
    told = _BY_ERROR.get(last.error or "cut", _BY_ERROR["cut"])
    return Why(happened, *told, f"/endpoints/{endpoint.id}", "Open the endpoint")


def of_endpoint(endpoint: Endpoint, state: str, health: EndpointHealth, say: Words) -> Why | None:
    """Return why an endpoint in this state does not hear as it should; None if it does, or its owner disabled it."""
    path = f"/endpoints/{endpoint.id}"
    if endpoint.silent_because is not None or state == "healthy":
        return None
    if state == "disabled":
        return _disabled(endpoint, health, say)
    if state == "paused":
        goes_on = "Resume it: what is held goes out in order."
        return Why(
            "It is paused.", "Somebody paused it, often for maintenance.", goes_on, f"{path}/resume", "Resume", act=True
        )
    failures = say.count(health.failures_in_row, "failure")
    happened = Markup("{}: {} in a row, the first of them {}.").format(
        _happens(health.last_error), failures, say.ago(health.failing_since)
    )
    cause, mend = _likely(health.last_error)
    return Why(happened, cause, f"{mend} What is unfinished then goes out by itself.", path, "See why")


def _disabled(endpoint: Endpoint, health: EndpointHealth, say: Words) -> Why:
    path, at = f"/endpoints/{endpoint.id}/enable", say.time(endpoint.disabled_at)
    if endpoint.disabled_reason == GONE:
        happened = Markup("The receiver answered 410 Gone ({}), so affwire disabled the endpoint.").format(at)
        mend = "If it is to hear more, enable it again: what is held goes out. Else delete it."
        return Why(happened, _GONE, mend, path, "Enable it again", act=True)
    happened = Markup("affwire disabled it ({}), after {}.").format(at, endpoint.disabled_reason)
    cause, mend = _likely(health.last_error)
    return Why(happened, cause, f"{mend} Enable it then: what is held goes out.", path, "Enable it again", act=True)


def _happens(error: str | None) -> str:
    """Return what an endpoint's last error says, as the beginning of a sentence."""
    if error is not None and error.startswith("HTTP "):
        return f"It answers {error}"
    return _HAPPENS.get(error or "", "It does not take what it is sent")


def _likely(error: str | None) -> tuple[str, str]:
    """Return the likely cause of an endpoint's last error, and what to do about that, deliveries aside."""
    code = (error or "").removeprefix("HTTP ")
    told = next((told for name, told in _BY_ERROR.items() if name == error), _SERVER)
    if code.isdigit():
        told = _BY_STATUS.get(int(code)) or _FAILED.get(int(code) // 100, _OTHER)
    cause, mend = told
    return cause, mend.replace("; then send it again.", ".").replace(", send it again.", ".")
