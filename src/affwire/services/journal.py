"""The journal: what became of an event at each endpoint, what became of a delivery, and what went over the wire.

Reading only. What is kept of a request or a response is encoded and read here, and nowhere else: one line of JSON, and
behind it the body as it was, for most of what a delivery takes on disk is its body.
"""

import base64
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from affwire.errors import NotFound
from affwire.model import canonical, ids, sent
from affwire.model.deliveries import AttemptRecord, Delivery, DeliveryStatus
from affwire.model.endpoints import Endpoint
from affwire.model.inbound import Source
from affwire.model.registry import Affiliate, Membership, Program
from affwire.model.times import rfc3339
from affwire.model.wire import Headers, Request, Response
from affwire.services import deliveries
from affwire.store.log import Entry
from affwire.store.tx import Tx

MASK: Final = "****"
CREATED_LATER: Final = "the endpoint was created later"
FORGOTTEN: Final = "no longer on record: it ended before the retention period"
SILENT: Final = "silent"

_JSON: Final = msgspec.json.Encoder()
_WIRE: Final = frozenset({"request", "response"})
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
ECHO_MIN: Final = 6
"""Characters from which a text is looked for in responses: shorter ones are found in anything, and hide nothing."""
_UNFINISHED_FIRST: Final[tuple[DeliveryStatus, ...]] = (
    "leased",
    "pending",
    "held",
    "exhausted",
    "cancelled",
    "delivered",
)
"""Of an event's several deliveries to an endpoint, the one that needs most attention tells the outcome."""
_SUBJECTS: Final[dict[str, type[Any]]] = {
    "affiliate": Affiliate,
    "program": Program,
    "membership": Membership,
    "endpoint": Endpoint,
    "source": Source,
}
_ID_TIME_SHIFT: Final = 80
"""A UUIDv7 begins with 48 bits of milliseconds."""


def kept_request(request: Request, secret_headers: frozenset[str]) -> bytes:
    """Return a request as it is kept: values of credentials and of `secret_headers` (any case) masked; `read` reads it."""
    hidden = _SECRET_HEADERS | {name.lower() for name in secret_headers} if secret_headers else _SECRET_HEADERS
    masked = [(name, MASK if name.lower() in hidden else value) for name, value in request.headers]
    return _encoded({"url": request.url, "headers": masked}, request.body)


def kept_response(response: Response, secrets: Iterable[str] = ()) -> bytes:
    """Return a response as it is kept: credentials are masked, and `secrets` wherever the far side echoes one."""
    known = [secret for secret in secrets if len(secret) >= ECHO_MIN]
    masked = [
        (name, MASK if name.lower() in _SECRET_HEADERS else _masked(value, known)) for name, value in response.headers
    ]
    body = response.body
    for secret in known:
        body = body.replace(secret.encode(), MASK.encode())
    return _encoded({"status": response.status, "headers": masked, "truncated": response.truncated}, body)


def read(document: bytes) -> dict[str, Any]:
    """Return what was kept of a request or a response; formerly the body stood in the JSON."""
    line, found, body = document.partition(b"\n")
    members: dict[str, Any] = msgspec.json.decode(line)
    return {**members, **kept_body(body)} if found else members


def _encoded(members: dict[str, Any], body: bytes) -> bytes:
    """Return what is kept. Headers that are no text are made into some: a far side never keeps us from settling."""
    try:
        line = _JSON.encode(members)
    except UnicodeEncodeError:
        line = _JSON.encode({**members, "headers": _texts(members["headers"])})
    return b"%b\n%b" % (line, body)


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def event(tx: Tx, organization_id: str, event_id: str) -> dict[str, Any]:
    """Return an event and, for each endpoint, what became of it or why nothing was said. Raises NotFound."""
    found = entry(tx, organization_id, event_id)
    said: dict[str, list[Delivery]] = {}
    for delivery in tx.outbox.of_event(event_id):
        said.setdefault(delivery.endpoint_id, []).append(delivery)
    receivers = _receivers(tx, organization_id, {*said, *found.silences})
    fates = [_fate(found, endpoint, said.get(endpoint.id, [])) for endpoint in receivers]
    return {**canonical.event(found.event), "endpoints": fates}


def entry(tx: Tx, organization_id: str, event_id: str) -> Entry:
    """Return an event as it is in the log. Raises NotFound."""
    found = tx.log.get(organization_id, event_id)
    if found is None:
        raise NotFound("event_not_found", f"There is no event {event_id} in this organization.")
    return found


def is_known(tx: Tx, organization_id: str, record_id: str) -> bool:
    """Whether an organization has, had or was told of a record that events are about: deleted, erased, or a relay's alone."""
    last = tx.log.newest(record_id)
    if last is not None:
        return last.organization_id == organization_id
    kind = _SUBJECTS.get(ids.kind_of(record_id) or "")
    kept = kind is not None and tx.registry.get_even_deleted(kind, organization_id, record_id) is not None
    return kept or bool(tx.identities.of_record(organization_id, record_id))


def delivery(tx: Tx, organization_id: str, delivery_id: str) -> sent.DeliveryWithAttempts:
    """Return a delivery with all its attempts. Raises NotFound."""
    found = deliveries.get(tx, organization_id, delivery_id)
    attempts = tx.outbox.attempts_of([found.id]).get(found.id, [])
    return {**shown(tx, [found])[0], "attempts": [attempt(record) for record in attempts]}


def shown(tx: Tx, rows: Iterable[Delivery]) -> list[sent.Delivery]:
    """Return deliveries as JSON objects, without their attempts."""
    rows = list(rows)
    events = tx.log.by_ids(sorted({row.event_id for row in rows}))
    return [_delivery(row, events[row.event_id].type if row.event_id in events else None) for row in rows]


def tried(tx: Tx, rows: Iterable[tuple[AttemptRecord, Delivery]]) -> list[dict[str, Any]]:
    """Return deliveries as JSON objects, each with the `attempt` that was made, without what went over the wire."""
    rows = list(rows)
    made = [{name: value for name, value in attempt(record).items() if name not in _WIRE} for record, _ in rows]
    shows = shown(tx, (row for _, row in rows))
    return [{**show, "attempt": one} for show, one in zip(shows, made, strict=True)]


def attempt(record: AttemptRecord) -> sent.Attempt:
    """Return an attempt as a JSON object; `request` and `response` are null where there was none or it is forgotten."""
    return {
        "number": record.number,
        "id": record.id,
        "started_at": rfc3339(record.started_at),
        "ended_at": rfc3339(record.ended_at),
        "outcome": record.outcome,
        "status_code": record.status_code,
        "error": record.error,
        "detail": record.detail,
        "timings": msgspec.to_builtins(record.timings),
        "request": _kept(record.request),
        "response": _kept(record.response),
    }


def untold(entry: Entry, endpoint: Endpoint) -> str | None:
    """Return why an endpoint was never told of an event, None if it may have been: asked only where nothing is on record."""
    if endpoint.id in entry.silences:
        return entry.silences[endpoint.id]
    recorded_at = ids.number_of(entry.event.id) >> _ID_TIME_SHIFT
    return CREATED_LATER if endpoint.created_at >= recorded_at else None


def _receivers(tx: Tx, organization_id: str, concerned: set[str]) -> list[Endpoint]:
    """Return the organization's endpoints, and the deleted ones that are concerned."""
    receivers = {endpoint.id: endpoint for endpoint in tx.registry.find(Endpoint, organization_id)}
    receivers |= tx.registry.endpoints(sorted(concerned - receivers.keys()))
    return sorted(receivers.values(), key=lambda endpoint: endpoint.number)


def _fate(entry: Entry, endpoint: Endpoint, said: list[Delivery]) -> sent.Fate:
    ranked = (status for status in _UNFINISHED_FIRST if any(one.status == status for one in said))
    outcome: DeliveryStatus | Literal["silent"] = next(ranked, SILENT)
    return {
        "endpoint_id": endpoint.id,
        "dialect": endpoint.dialect,
        "url": endpoint.url,
        "event_types": endpoint.event_types,
        "outcome": outcome,
        "reason": _reason(entry, endpoint, said, outcome),
        "deliveries": [
            {
                "id": one.id,
                "word": one.word,
                "status": one.status,
                "reason": one.reason,
                "due_at": canonical.timed("due_at", one.due_at),
                "attempts": one.attempts,
            }
            for one in said
        ],
    }


def _reason(entry: Entry, endpoint: Endpoint, said: list[Delivery], outcome: str) -> str | None:
    if said:
        return next((one.reason for one in said if one.status == outcome and one.reason), None)
    return untold(entry, endpoint) or FORGOTTEN


def _delivery(row: Delivery, event_type: str | None) -> sent.Delivery:
    return {
        "id": row.id,
        "event_id": row.event_id,
        "event_type": event_type,
        "endpoint_id": row.endpoint_id,
        "word": row.word,
        "subject_id": row.subject_id,
        "status": row.status,
        "reason": row.reason,
        "due_at": canonical.timed("due_at", row.due_at),
        "attempts_made": row.attempts,
        "steps": row.steps,
        "created_at": rfc3339(row.created_at),
        "settled_at": canonical.timed("settled_at", row.settled_at),
    }


def kept_body(body: bytes) -> sent.KeptBody:
    """Return a body as text, or in base64 where its bytes are no text."""
    try:
        return {"body": body.decode(), "body_base64": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "body_base64": True}


def _texts(headers: Iterable[tuple[str, str]]) -> Headers:
    return tuple((_clean(name), _clean(value)) for name, value in headers)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _kept(document: bytes | None) -> Any:
    return None if document is None else read(document)
