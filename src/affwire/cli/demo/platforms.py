"""Six platforms' sending sides, each as its own page says, in plain Python; what they say is the dialects' samples.

Rule: as in verify.py, nothing here calls affwire's dialects or signing; a mistake made there must show here.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from affwire.cli.client import Unanswered

TIMEOUT_S: Final = 10
"""As long as platforms wait for an answer."""
SIGNS_NOTHING: Final = frozenset({"growi"})

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ingest URL answered."""

    status: int
    body: bytes


def body_of(dialect: str, word: str, **parts: Any) -> bytes:
    """Return the sample of a word, each of `parts` merged into the object of that name."""
    said = json.loads(files(f"affwire.dialects.{dialect}").joinpath("samples", f"{word}.json").read_bytes())
    said |= {name: {**said[name], **part} for name, part in parts.items()}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def signed(dialect: str, body: bytes, secret: str, now: int) -> Headers:
    """Return the headers that a platform sends with a body. `now`: Unix seconds."""
    return {"Content-Type": "application/json", **SIGNERS[dialect](body, secret, now)}


def post(url: str, headers: Headers, body: bytes) -> Answer:
    """Send a message to an ingest URL of this machine. Raises Unanswered if nobody answers."""
    parts = urlsplit(url)
    wire = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        wire.request("POST", parts.path, body, headers)
        answer = wire.getresponse()
        return Answer(answer.status, answer.read())
    except (OSError, HTTPException) as error:
        raise Unanswered("server_away", f"Nobody answers a message at port {parts.port}: {error}.") from error
    finally:
        wire.close()


def secret_of(dialect: str, key: bytes) -> str | None:
    """Return a secret of the form that a platform gives, None if it gives none. `key`: 32 random bytes."""
    if dialect in SIGNS_NOTHING:
        return None
    if dialect == "standard":
        return "whsec_" + base64.b64encode(key).decode()
    return f"whsec_{key.hex()}" if dialect == "affonso" else key.hex()


def _nothing(body: bytes, secret: str, now: int) -> Headers:  # noqa: ARG001 -- nothing is signed
    return {}


def _affonso(body: bytes, secret: str, now: int) -> Headers:
    proof = _hex(secret, b"%d." % now + body)
    return {"X-Affonso-Timestamp": str(now), "X-Affonso-Signature": f"t={now},v1={proof}"}


def _rewardful(body: bytes, secret: str, now: int) -> Headers:  # noqa: ARG001 -- no time is signed
    return {"X-Rewardful-Signature": _hex(secret, body)}


def _insert_affiliate(body: bytes, secret: str, now: int) -> Headers:  # noqa: ARG001 -- a bearer token
    return {"Authorization": f"Bearer {secret}"}


def _tamio(body: bytes, secret: str, now: int) -> Headers:
    return {"Tamio-Signature": f"t={now},s={_hex(secret, body)}"}


def _standard(body: bytes, secret: str, now: int) -> Headers:
    message_id = json.loads(body)["id"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    proof = hmac.new(key, f"{message_id}.{now}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": "v1," + base64.b64encode(proof).decode(),
    }


def _hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


SIGNERS: Final[dict[str, Callable[[bytes, str, int], Headers]]] = {
    "growi": _nothing,
    "affonso": _affonso,
    "rewardful": _rewardful,
    "insert_affiliate": _insert_affiliate,
    "tamio": _tamio,
    "standard": _standard,
}
