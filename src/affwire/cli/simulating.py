"""`affwire inbox simulate`: a platform's message, made and signed here, that comes in through the source's own URL."""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from affwire.cli.assignments import assigned
from affwire.cli.cases import Sender, fresh, sender
from affwire.cli.client import Client
from affwire.cli.proving import secrets_of
from affwire.cli.spelling import hint, unknown_dialect
from affwire.cli.talking import at
from affwire.dialects.base import encode
from affwire.errors import Refused
from affwire.model.wire import Message
from affwire.plugins import load_dialects
from affwire.rules import signing

_SETTLED_S: Final = 2.0
"""How long to wait for a message to be worked off; it takes milliseconds."""
_LOOK_S: Final = 0.02
_RECENT: Final = 50
"""Messages among which the one just sent must be."""
_TAKEN: Final = range(200, 300)


def simulate(
    client: Client,
    source_id: str,
    word: str | None,
    *,
    secret: str | None,
    secret_file: Path | None,
    pairs: Sequence[str],
) -> dict[str, Any]:
    """Send a message and return what became of it. Raises Refused for an unknown word or a missing secret."""
    source = client.get(at("/v1/sources", source_id))
    if source["ingest_url"] is None:
        raise Refused("no_key", "This key may not see the source's URL: use one of scope admin.")
    one = _sender(source, secrets_of([secret] if secret else [], secret_file))
    name = word or next(iter(one.samples))
    if name not in one.samples:
        raise Refused("unknown_event_type", f"{source['dialect']} has no sample of {name!r}; {hint(name, one.samples)}")
    raw = encode(assigned(pairs, fresh(one.dialect, json.loads(one.samples[name]), one.now)))
    headers = one.headers(raw)
    status, answer = client.deliver(urlsplit(source["ingest_url"]).path, headers, raw)
    taken = status in _TAKEN
    key = one.dialect.identify(Message(headers=headers, body=raw)).dedupe_key if taken else None
    found = _message(client, source["id"], key) if key else None
    return {"word": name, "status_code": status, "answer": answer, "taken": taken, "message": found}


def _message(client: Client, source_id: str, key: str) -> dict[str, Any] | None:
    """Return the message once it is worked off, or as it is when nobody would wait any longer."""
    ends_at = time.monotonic() + _SETTLED_S
    while True:
        page = client.get("/v1/messages", source_id=source_id, limit=_RECENT)
        found: dict[str, Any] | None = next((one for one in page["data"] if one["dedupe_key"] == key), None)
        if (found and found["status"] != "received") or time.monotonic() > ends_at:
            return found
        time.sleep(_LOOK_S)


def _sender(source: Mapping[str, Any], known: tuple[str, ...]) -> Sender:
    dialects = load_dialects()
    if source["dialect"] not in dialects:
        raise unknown_dialect(source["dialect"], dialects)
    dialect = dialects[source["dialect"]]
    if not known and not source["unverified"] and dialect.card.authentication.kind != "none":
        raise Refused("no_secret_given", "Name the source's secret: --secret, --secret-file or AFFWIRE_SECRET.")
    form = dialect.card.authentication
    if not known and form.kind.startswith("hmac"):
        known = (signing.minted(form.secret, form.secret_prefix, secrets.token_bytes(32)),)  # nobody looks at it
    return sender(dialect, "", known, source["options"], time.time_ns() // 1_000_000)
