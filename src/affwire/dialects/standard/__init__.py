"""affwire's own dialect: canonical names and records, signed by the Standard Webhooks specification."""

from typing import Any

import msgspec
from msgspec import UNSET, Struct

from affwire.dialects.base import (
    JSON_HEADERS,
    NO_WORD,
    Attempt,
    Identity,
    Recipient,
    Saying,
    Trust,
    encode,
    load_card,
)
from affwire.dialects.fitting import Key
from affwire.dialects.standard import reads
from affwire.errors import Unencodable
from affwire.model import canonical
from affwire.model.events import Event, Snapshot
from affwire.model.reading import Reading
from affwire.model.times import rfc3339
from affwire.model.wire import Answer, Headers, Message, Request
from affwire.rules.signing import fingerprint


class _Envelope(Struct):
    id: Key


class Standard:
    """Says every event once, under its canonical name; the body is the same on every try, the signature is not."""

    card = load_card(__name__)

    def says(self, event: Event) -> tuple[Saying, ...]:
        return (Saying(event.type, event.membership_id or event.subject_id),)

    def silence(self, event: Event) -> str:  # noqa: ARG002 -- it is never silent
        return NO_WORD

    def request(
        self,
        event: Event,
        saying: Saying,
        recipient: Recipient,
        delivery_id: str,  # noqa: ARG002 -- a receiver dedupes on the event, not on the delivery
        attempt: Attempt,
    ) -> Request:
        body = encode(
            {"id": event.id, "type": saying.word, "timestamp": rfc3339(event.occurred_at), "data": _data(event)}
        )
        return Request(recipient.url, _headers(event.id, body, recipient, attempt), body)

    def sign(self, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:
        return _headers(_id_in(body), body, recipient, attempt)

    def object(self, kind: str, record_id: str, snapshot: Snapshot) -> dict[str, Any] | None:
        if kind == "program" and snapshot.program and snapshot.program.id == record_id:
            return canonical.snapshot(snapshot)["program"]  # type: ignore[no-any-return]
        if kind == "affiliate" and snapshot.affiliate and snapshot.affiliate.id == record_id:
            return canonical.record(snapshot.affiliate)
        views = (view for view in snapshot.memberships if kind == "membership" and view.membership.id == record_id)
        return next((canonical.member(view) for view in views), None)

    def verify(self, message: Message, trust: Trust, now: int) -> None:
        reads.verify(message, trust, now, self.card)

    def identify(self, message: Message) -> Identity:
        return reads.identify(message)

    def decode(self, message: Message) -> Reading:
        return reads.decode(self.card, message)

    def answer(self) -> Answer:
        return Answer()


def _id_in(body: bytes) -> str:
    """Return a body's id, or one that the same body always has: other senders may tell theirs in the header alone."""
    try:
        return msgspec.json.decode(body, type=_Envelope).id
    except msgspec.ValidationError:
        return "msg_" + fingerprint("standard", body.decode()).hex()[:32]


def _data(event: Event) -> dict[str, Any]:
    """Return the snapshot, with the membership the event is about lifted out, and what changed."""
    cause = {
        "request_id": event.cause.request_id,
        "event_id": event.cause.event_id,
        "event_type": event.cause.event_type,
    }
    if event.notice is not UNSET:
        organization = canonical.record(event.snapshot.organization)
        return {"organization": organization, **event.notice, "cause": cause, "sequence": event.sequence}
    own = event.own
    program = own.program if own else None
    shown = canonical.snapshot(event.snapshot)
    return {
        **shown,
        "program": canonical.record(program) if program else shown["program"],
        "membership": canonical.member(own) if own else None,
        "previous": canonical.previous(event.previous),
        "actor": {"kind": event.actor.kind, "id": event.actor.id},
        "cause": cause,
        "sequence": event.sequence,
    }


def _headers(event_id: str, body: bytes, recipient: Recipient, attempt: Attempt) -> Headers:
    seconds = str(attempt.at // 1000)
    signed = b".".join((event_id.encode(), seconds.encode(), body))
    return (
        *JSON_HEADERS,
        ("webhook-id", event_id),
        ("webhook-timestamp", seconds),
        ("webhook-signature", _signatures(recipient, signed)),
    )


def _signatures(recipient: Recipient, signed: bytes) -> str:
    if not recipient.secrets:
        raise Unencodable("no_secret", f"Endpoint {recipient.endpoint_id} has no secret to sign with; give it one.")
    return " ".join(reads.signature(secret, signed) for secret in recipient.secrets)


dialect = Standard()
