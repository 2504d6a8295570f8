"""Six receivers' verifiers, each as a customer would write it from the platform's page, in plain Python.

Rule: nothing here calls affwire's own dialects or signing; a mistake made there must show here.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

TOLERANCE_S: Final = 300
"""Five minutes, as Affonso's page and the Standard Webhooks specification advise."""
GROWI_HEADER: Final = "x-demo-secret"
"""Growi signs nothing; a static header among the endpoint's own is the most its receiver can check."""

Headers = Mapping[str, str]
"""Names in lower case."""


class Forged(Exception):
    """The request is not what its sender would have sent."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a genuine request said: its word, what to dedupe on, whom it is about, when it happened (ms, if it tells)."""

    word: str
    key: tuple[Any, ...]
    subject: str
    said_at: int | None = None
    sequence: int | None = None


def verify(dialect: str, headers: Headers, body: bytes, secret: str, now: float) -> Heard:
    """Return what a request says; raises Forged. `now`: Unix seconds."""
    try:
        VERIFIERS[dialect](headers, body, secret, now)
        return READERS[dialect](json.loads(body))
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise Forged(f"{type(error).__name__}: {error}") from error


def _growi(headers: Headers, body: bytes, secret: str, now: float) -> None:  # noqa: ARG001 -- nothing is signed
    _same(headers[GROWI_HEADER], secret)


def _affonso(headers: Headers, body: bytes, secret: str, now: float) -> None:
    parts = dict(part.split("=", 1) for part in headers["x-affonso-signature"].split(","))
    _fresh(parts["t"], now)
    _same(headers["x-affonso-timestamp"], parts["t"])
    _same(parts["v1"], _hex(secret.encode(), parts["t"].encode() + b"." + body))


def _rewardful(headers: Headers, body: bytes, secret: str, now: float) -> None:  # noqa: ARG001 -- no time is signed
    _same(headers["x-rewardful-signature"], _hex(secret.encode(), body))


def _insert_affiliate(headers: Headers, body: bytes, secret: str, now: float) -> None:  # noqa: ARG001 -- a bearer token
    _same(headers["authorization"], f"Bearer {secret}")


def _tamio(headers: Headers, body: bytes, secret: str, now: float) -> None:
    parts = dict(part.split("=", 1) for part in headers["tamio-signature"].split(","))
    _fresh(parts["t"], now)
    _same(parts["s"], _hex(secret.encode(), body))


def _standard(headers: Headers, body: bytes, secret: str, now: float) -> None:
    seconds = headers["webhook-timestamp"]
    _fresh(seconds, now)
    signed = f"{headers['webhook-id']}.{seconds}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(
        hmac.compare_digest(given.encode(), expected.encode()) for given in headers["webhook-signature"].split()
    ):
        raise Forged("the signature does not fit")


def _hex(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> None:
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forged("the signature does not fit")


def _fresh(seconds: str, now: float) -> None:
    if abs(now - int(seconds)) > TOLERANCE_S:
        raise Forged("the signature is too old, or of the future")


def _read_growi(said: dict[str, Any]) -> Heard:
    key = (said["campaign_affiliate_id"], said["occurred_at"])
    return Heard(said["event"], key, str(said["user_id"]))


def _read_affonso(said: dict[str, Any]) -> Heard:
    return Heard(said["type"], (said["id"],), said["data"]["affiliateId"], _ms(said["timestamp"]))


def _read_rewardful(said: dict[str, Any]) -> Heard:
    event = said["event"]
    return Heard(event["type"], (event["id"],), said["object"]["id"], _ms(event["created_at"]))


def _read_insert_affiliate(said: dict[str, Any]) -> Heard:
    key = (said["event"], said["affiliate_id"], said["occurred_at"])
    return Heard(said["event"], key, said["affiliate_id"], _ms(said["occurred_at"]))


def _read_tamio(said: dict[str, Any]) -> Heard:
    [(_, told)] = [part for part in said["data"].items() if part[0] != "changes"]
    return Heard(said["event_type"], (said["event_id"],), told["id"])


def _read_standard(said: dict[str, Any]) -> Heard:
    data = said["data"]
    subject = data["affiliate"] or data["program"]
    return Heard(said["type"], (said["id"],), subject["id"], _ms(said["timestamp"]), data["sequence"])


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


VERIFIERS: Final[dict[str, Callable[[Headers, bytes, str, float], None]]] = {
    "growi": _growi,
    "affonso": _affonso,
    "rewardful": _rewardful,
    "insert_affiliate": _insert_affiliate,
    "tamio": _tamio,
    "standard": _standard,
}
READERS: Final[dict[str, Callable[[dict[str, Any]], Heard]]] = {
    "growi": _read_growi,
    "affonso": _read_affonso,
    "rewardful": _read_rewardful,
    "insert_affiliate": _read_insert_affiliate,
    "tamio": _read_tamio,
    "standard": _read_standard,
}
